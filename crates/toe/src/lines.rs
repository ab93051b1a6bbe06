//! Cuts a stream of bytes into lines of text, in bounded memory.

use crate::mask::Mask;

/// The longest piece of a line that is reported at once, in bytes.
const PIECE_LIMIT: usize = 8 << 10;

/// Collects bytes and hands out the lines they make, with secure values masked.
///
/// A line longer than 8 KiB comes in pieces, cut between characters and not
/// within a value. Line ends (`\n` or `\r\n`) are dropped and bytes that are
/// no UTF-8 are replaced.
#[derive(Default)]
pub(crate) struct Lines {
    held: Vec<u8>,
    mask: Mask,
}

impl Lines {
    /// Masks with `mask`.
    pub(crate) fn new(mask: Mask) -> Self {
        Self { held: Vec::new(), mask }
    }

    /// Adds `bytes` and calls `emit` for every line that is complete.
    pub(crate) fn push(&mut self, mut bytes: &[u8], emit: &mut dyn FnMut(&str)) {
        while let Some(end) = bytes.iter().position(|&byte| byte == b'\n') {
            self.hold(&bytes[..end], emit);
            let line = std::mem::take(&mut self.held);
            self.tell(line.strip_suffix(b"\r").unwrap_or(&line), emit);
            bytes = &bytes[end + 1..];
        }
        self.hold(bytes, emit);
    }

    /// Emits what is left without a line end.
    pub(crate) fn finish(self, emit: &mut dyn FnMut(&str)) {
        if !self.held.is_empty() {
            self.tell(&self.held, emit);
        }
    }

    fn hold(&mut self, mut bytes: &[u8], emit: &mut dyn FnMut(&str)) {
        // What follows a piece is needed to see a value that begins in it.
        let limit = PIECE_LIMIT + self.mask.reach();
        while self.held.len() + bytes.len() > limit {
            let (now, later) = bytes.split_at(limit.saturating_sub(self.held.len()));
            self.held.extend_from_slice(now);
            bytes = later;
            let rest = self.held.split_off(self.end_of_piece());
            let piece = std::mem::replace(&mut self.held, rest);
            self.tell(&piece, emit);
        }
        self.held.extend_from_slice(bytes);
    }

    /// Returns where to cut what is held so that no value is divided.
    fn end_of_piece(&self) -> usize {
        let end = whole_characters(&self.held[..PIECE_LIMIT.min(self.held.len())]);
        let values = self.mask.find(&self.held);
        let divided = values.iter().find(|value| value.start < end && end < value.end);
        match divided {
            Some(value) if value.start > 0 => value.start,
            Some(value) => value.end,
            None => end,
        }
    }

    fn tell(&self, line: &[u8], emit: &mut dyn FnMut(&str)) {
        emit(&String::from_utf8_lossy(&self.mask.bytes(line)));
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
    use channel::Stored;

    use super::*;

    #[track_caller]
    fn check(input: &[u8], expected: &[&str]) {
        check_masked(&Mask::default(), input, expected);
    }

    #[track_caller]
    fn check_masked(mask: &Mask, input: &[u8], expected: &[&str]) {
        for size in [1, 2, 3, 7, 8 << 10, input.len().max(1)] {
            let mut lines = Lines::new(mask.clone());
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

    #[test]
    fn values_are_masked_however_they_arrive() {
        let stored = |value: String| Stored { name: "/x".to_owned(), value, secure: true };
        let mask = Mask::of(&[stored("hunter2\nsecond line".to_owned())]);
        check_masked(&mask, b"a hunter2 b\nsecond line\r\nx", &["a ******** b", "********", "x"]);
        for before in PIECE_LIMIT - 8..=PIECE_LIMIT {
            let fill = "x".repeat(before);
            let text = format!("{fill}hunter2end");
            for size in [1, 5, 4096, text.len()] {
                let mut lines = Lines::new(mask.clone());
                let mut seen = String::new();
                for chunk in text.as_bytes().chunks(size) {
                    lines.push(chunk, &mut |line| seen.push_str(line));
                }
                lines.finish(&mut |line| seen.push_str(line));
                assert_eq!(seen, format!("{fill}********end"));
            }
        }
        let long = "s".repeat(3 * PIECE_LIMIT);
        check_masked(&Mask::of(&[stored(long.clone())]), long.as_bytes(), &["********"]);
    }
}
