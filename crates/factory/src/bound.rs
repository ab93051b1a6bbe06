//! How much is kept of what comes from an instance: whoever is root in there can write the
//! agent's lines, as many and as long as the channel lets through.

/// The longest line of output, in bytes.
pub(crate) const LINE: usize = 16 << 10;

/// The longest name of a phase or a step, in bytes.
pub(crate) const NAME: usize = 512;

/// The longest message of a step or a component, in bytes.
pub(crate) const MESSAGE: usize = 4 << 10;

/// The most steps of documents that a report has.
pub(crate) const CASES: usize = 10_000;

/// What stands where a text was cut.
const CUT: &str = "… (cut)";

/// Returns a text of at most `bytes` bytes, which ends by saying so if it was longer.
pub(crate) fn cut(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(bytes - CUT.len());
    format!("{}{CUT}", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_was_cut_says_so() {
        assert_eq!(cut("whole", 20), "whole");
        assert_eq!(cut(&"x".repeat(20), 20), "x".repeat(20));
        assert_eq!(cut(&"x".repeat(21), 20), format!("{}… (cut)", "x".repeat(11)));
        // Never within a character.
        assert_eq!(cut(&"é".repeat(11), 20), format!("{}… (cut)", "é".repeat(5)));
    }
}
