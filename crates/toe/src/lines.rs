//! Cuts a stream of bytes into lines of text, in bounded memory.

/// The longest piece of a line that is reported at once, in bytes.
const PIECE_LIMIT: usize = 8 << 10;

/// Collects bytes and hands out the lines they make.
///
/// A line longer than 8 KiB comes in pieces, cut between characters. Line
/// ends (`\n` or `\r\n`) are dropped and bytes that are no UTF-8 are replaced.
#[derive(Default)]
pub(crate) struct Lines {
    held: Vec<u8>,
}

impl Lines {
    /// Adds `bytes` and calls `emit` for every line that is complete.
    pub(crate) fn push(&mut self, mut bytes: &[u8], emit: &mut dyn FnMut(&str)) {
        while let Some(end) = bytes.iter().position(|&byte| byte == b'\n') {
            self.hold(&bytes[..end], emit);
            let line = std::mem::take(&mut self.held);
            emit(&String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(&line)));
            bytes = &bytes[end + 1..];
        }
        self.hold(bytes, emit);
    }

    /// Emits what is left without a line end.
    pub(crate) fn finish(self, emit: &mut dyn FnMut(&str)) {
        if !self.held.is_empty() {
            emit(&String::from_utf8_lossy(&self.held));
        }
    }

    fn hold(&mut self, mut bytes: &[u8], emit: &mut dyn FnMut(&str)) {
        while self.held.len() + bytes.len() > PIECE_LIMIT {
            let (now, later) = bytes.split_at(PIECE_LIMIT.saturating_sub(self.held.len()));
            self.held.extend_from_slice(now);
            bytes = later;
            let rest = self.held.split_off(whole_characters(&self.held));
            emit(&String::from_utf8_lossy(&self.held));
            self.held = rest;
        }
        self.held.extend_from_slice(bytes);
    }
}

/// Returns how many of the first bytes of `piece` can be cut off without
/// dividing a character: all of them, or up to three fewer.
fn whole_characters(piece: &[u8]) -> usize {
    for back in 1..=3 {
        let Some(at) = piece.len().checked_sub(back).filter(|&at| at > 0) else { break };
        let length = match piece[at] {
            0b1100_0000..=0b1101_1111 => 2,
            0b1110_0000..=0b1110_1111 => 3,
            0b1111_0000..=0b1111_0111 => 4,
            0b1000_0000..=0b1011_1111 => continue,
            0..=0b0111_1111 | 0b1111_1000..=u8::MAX => return piece.len(),
        };
        return if length > back { at } else { piece.len() };
    }
    piece.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(input: &[u8], expected: &[&str]) {
        for size in [1, 2, 3, 7, 8 << 10, input.len().max(1)] {
            let mut lines = Lines::default();
            let mut seen = Vec::new();
            for chunk in input.chunks(size) {
                lines.push(chunk, &mut |line| seen.push(line.to_owned()));
            }
            lines.finish(&mut |line| seen.push(line.to_owned()));
            assert_eq!(seen, expected, "in chunks of {size}");
        }
    }

    #[test]
    fn lines_do_not_depend_on_how_bytes_arrive() {
        check(b"", &[]);
        check(b"one\ntwo\n", &["one", "two"]);
        check(b"one\r\n\ntwo", &["one", "", "two"]);
        check("è\nùù".as_bytes(), &["è", "ùù"]);
        check(b"a\xffb\n", &["a\u{fffd}b"]);
    }

    #[test]
    fn long_lines_come_in_pieces_of_whole_characters() {
        let ascii = "x".repeat(PIECE_LIMIT);
        check(format!("{ascii}yz\n").as_bytes(), &[&ascii, "yz"]);
        let shorter = "x".repeat(PIECE_LIMIT - 1);
        check(format!("{shorter}è\n").as_bytes(), &[&shorter, "è"]);
        let euro = "x".repeat(PIECE_LIMIT - 2);
        check(format!("{euro}€uro").as_bytes(), &[&euro, "€uro"]);
    }
}
