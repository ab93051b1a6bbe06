//! The last lines of what a machine wrote, fit to be shown.
//!
//! A machine's console speaks to a terminal; its sequences must not reach the user's.

use std::io::Read;

/// How many bytes of a stream or file can matter for its last lines.
pub(super) const BYTES: usize = 16 * 1024;

/// How many lines an error shows.
const LINES: usize = 20;

/// Returns the last lines of `bytes` that hold text, without control characters.
pub(super) fn lines(bytes: &[u8]) -> Vec<String> {
    let text = plain(&String::from_utf8_lossy(bytes));
    let lines: Vec<&str> =
        text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(LINES)..].iter().map(|line| (*line).to_owned()).collect()
}

/// Reads a stream to its end and returns its last [`BYTES`] bytes.
pub(super) fn read(mut stream: impl Read) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut buffer = [0; 4096];
    // A read that fails is the stream's end as well.
    while let Ok(n @ 1..) = stream.read(&mut buffer) {
        kept.extend_from_slice(&buffer[..n]);
        kept.drain(..kept.len().saturating_sub(BYTES));
    }
    kept
}

/// Removes escape sequences (ECMA-48 §5.4) and control characters but line ends.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            if chars.next() == Some('[') {
                // A control sequence ends with the first of these.
                chars.by_ref().find(|c| ('@'..='~').contains(c));
            }
        } else if c == '\n' || !c.is_control() {
            plain.push(c);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: &[&str]) {
        assert_eq!(lines(bytes), expected);
    }

    #[test]
    fn text_is_kept_and_sequences_are_not() {
        check(b"", &[]);
        check(b"one\r\n\r\n  two  \r\n", &["one", "  two"]);
        check(b"[\x1b[0;32m  OK  \x1b[0m] Reached\n", &["[  OK  ] Reached"]);
        check(b"\x1b[2J\x1b[01;01H\x1b[=3hBdsDxe\x07\n", &["BdsDxe"]);
        check(b"cut short \x1b[", &["cut short"]);
        check(b"\xff\xfe\n", &["\u{fffd}\u{fffd}"]);
    }

    #[test]
    fn the_last_lines_are_kept() {
        let text: String = (0..100).map(|n| format!("{n}\n")).collect();
        let expected: Vec<String> = (80..100).map(|n| n.to_string()).collect();
        assert_eq!(lines(text.as_bytes()), expected);
    }

    #[test]
    fn a_long_stream_is_not_held() {
        let long = "x".repeat(1 << 20) + "the end";
        let kept = read(long.as_bytes());
        assert!(kept.len() == BYTES && kept.ends_with(b"the end"));
    }
}
