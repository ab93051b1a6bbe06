//! LZO1X, decompressed, as the kernel's Documentation/staging/lzo.rst
//! describes the stream.

/// The shortest distance of a match far away, one bit of which is in its
/// instruction.
const FAR: usize = 0x4000;

/// Appends what `stream` becomes, at most `limit` bytes; `None` if it is
/// corrupt.
pub(super) fn decompress(stream: &[u8], limit: usize, out: &mut Vec<u8>) -> Option<()> {
    let mut state = State { rest: stream, start: out.len(), limit, out };
    // How many literals the last instruction brought: 4 stands for more.
    let mut literals = 0;
    if *stream.first()? > 17 {
        let count = usize::from(state.byte()?) - 17;
        state.literals(count)?;
        literals = count.min(4);
    }
    loop {
        let instruction = usize::from(state.byte()?);
        let (length, distance) = match instruction {
            0..=15 if literals == 0 => {
                let count = 3 + state.length(instruction, 15)?;
                state.literals(count)?;
                literals = 4;
                continue;
            }
            0..=15 => {
                let high = usize::from(state.byte()?) << 2;
                let low = instruction >> 2;
                if literals == 4 { (3, high + low + 2049) } else { (2, high + low + 1) }
            }
            16..=31 => {
                let length = 2 + state.length(instruction & 7, 7)?;
                let word = state.word()?;
                let distance = FAR + ((instruction & 8) << 11) + (word >> 2);
                if distance == FAR {
                    return (state.rest.is_empty() && length == 3).then_some(());
                }
                state.copy(length, distance)?;
                literals = word & 3;
                state.literals(literals)?;
                continue;
            }
            32..=63 => {
                let length = 2 + state.length(instruction & 31, 31)?;
                let word = state.word()?;
                state.copy(length, 1 + (word >> 2))?;
                literals = word & 3;
                state.literals(literals)?;
                continue;
            }
            _ => {
                let high = usize::from(state.byte()?) << 3;
                let length = if instruction < 128 {
                    3 + (instruction >> 5 & 1)
                } else {
                    5 + (instruction >> 5 & 3)
                };
                (length, high + (instruction >> 2 & 7) + 1)
            }
        };
        state.copy(length, distance)?;
        literals = instruction & 3;
        state.literals(literals)?;
    }
}

struct State<'a> {
    rest: &'a [u8],
    out: &'a mut Vec<u8>,
    start: usize,
    limit: usize,
}

impl State<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn word(&mut self) -> Option<usize> {
        let (low, high) = (self.byte()?, self.byte()?);
        Some(usize::from(u16::from_le_bytes([low, high])))
    }

    /// Returns a length: what the instruction has, or, if that is zero, `most`
    /// and the bytes that follow, of which zeros count 255.
    fn length(&mut self, given: usize, most: usize) -> Option<usize> {
        if given != 0 {
            return Some(given);
        }
        let mut length = most;
        loop {
            match self.byte()? {
                0 => length += 255,
                last => return Some(length + usize::from(last)),
            }
        }
    }

    fn room(&self, length: usize) -> Option<()> {
        (self.out.len() - self.start + length <= self.limit).then_some(())
    }

    fn literals(&mut self, count: usize) -> Option<()> {
        self.room(count)?;
        let (literals, rest) = self.rest.split_at_checked(count)?;
        self.out.extend(literals);
        self.rest = rest;
        Some(())
    }

    /// Repeats what was put out `distance` bytes ago; it may run into itself.
    fn copy(&mut self, length: usize, distance: usize) -> Option<()> {
        self.room(length)?;
        let from = self.out.len().checked_sub(distance).filter(|from| *from >= self.start)?;
        for at in from..from + length {
            self.out.push(self.out[at]);
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(stream: &[u8]) -> Option<Vec<u8>> {
        let mut out = b"before".to_vec();
        decompress(stream, 1000, &mut out).map(|()| out.split_off(6))
    }

    /// The end of a stream.
    const END: [u8; 3] = [0x11, 0, 0];

    #[test]
    fn instructions_do_what_is_documented() {
        let check = |stream: &[u8], expected: &[u8]| {
            assert_eq!(plain(&[stream, &END].concat()).as_deref(), Some(expected));
        };
        check(&[17 + 4, b'a', b'b', b'c', b'd'], b"abcd");
        check(&[1, b'a', b'b', b'c', b'd'], b"abcd");
        // Three bytes from four ago, and one more literal.
        check(&[21, b'a', b'b', b'c', b'd', 0b0100_1101, 0, b'x'], b"abcdabcx");
        // A match that runs into itself.
        check(&[21, b'a', b'b', b'c', b'd', 32 + 8, 0, 0], b"abcddddddddddd");
    }

    #[test]
    fn bad_streams_are_refused() {
        for bad in [
            &[][..],
            &[21, b'a'],
            &[21, b'a', b'b', b'c', b'd', 32 + 8, 0xff, 0],
            &[21, b'a', b'b', b'c', b'd', 32, 0, 0, 0, 0, 0],
            &[0x11, 0, 0, 1],
        ] {
            assert_eq!(plain(bad), None, "{bad:?}");
        }
    }
}
