//! Content with holes, and copies of it that keep them.
//!
//! A stream does not say where its holes are; in one, zeros are recognised by
//! looking at them.

use std::io::{self, Cursor, Empty, Read, Seek, SeekFrom, Write};

/// Holes are told of in multiples of this many bytes.
pub const GRAIN: u64 = 4096;
/// What is read at once, in bytes: so much of zeros in a row becomes a hole.
const PIECE: usize = 64 << 10;

/// A file's content. Its holes read as zeros, but need not be read.
pub trait Content: Read {
    /// Passes over the hole that lies ahead, if there is one, as far as it has
    /// whole [`GRAIN`]s, and returns how many bytes those are.
    fn skip_hole(&mut self) -> io::Result<u64> {
        Ok(0)
    }
}

impl Content for Empty {}
impl Content for &[u8] {}
impl<T: AsRef<[u8]>> Content for Cursor<T> {}

/// What is known to have no hole, or not known to have any.
struct Stream<R>(R);

impl<R: Read> Read for Stream<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<R: Read> Content for Stream<R> {}

/// Tells whether every byte is zero; an empty slice is.
pub fn is_zero(bytes: &[u8]) -> bool {
    // Data usually shows in the first pieces; within a piece there is no
    // early exit, so that the compiler can use vector instructions.
    bytes.chunks(256).all(|piece| piece.iter().fold(0, |all, byte| all | byte) == 0)
}

/// Returns the whole grains that `length` bytes have, in bytes.
pub fn whole_grains(length: u64) -> u64 {
    length - length % GRAIN
}

/// Copies `input` to `out` as [`copy_content`] does.
pub fn copy(input: impl Read, out: impl Write + Seek) -> io::Result<u64> {
    copy_content(&mut Stream(input), out)
}

/// Copies `content` to `out`, seeking over holes and zeros, and returns the
/// length.
///
/// `out` must hold nothing or zeros from its current position on; if there are
/// zeros last, one is written so that the length is right.
pub fn copy_content(content: &mut dyn Content, mut out: impl Write + Seek) -> io::Result<u64> {
    let start = out.stream_position()?;
    let mut buffer = vec![0; PIECE];
    let (mut length, mut written) = (0, 0);
    loop {
        length += content.skip_hole()?;
        let piece = read_full(content, &mut buffer)?;
        if piece == 0 {
            break;
        }
        if !is_zero(&buffer[..piece]) {
            out.seek(SeekFrom::Start(start + length))?;
            out.write_all(&buffer[..piece])?;
            written = length + piece as u64;
        }
        length += piece as u64;
    }
    if written < length {
        out.seek(SeekFrom::Start(start + length - 1))?;
        out.write_all(&[0])?;
    }
    Ok(length)
}

/// Fills `buffer` as far as the stream goes and returns how far that was.
pub(crate) fn read_full(input: &mut (impl Read + ?Sized), buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(length) => filled += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn one_bit_anywhere_is_not_zero() {
        assert!(is_zero(&[]));
        for length in [1, 255, 256, 257, 4096] {
            let mut bytes = vec![0; length];
            assert!(is_zero(&bytes));
            for at in [0, length / 2, length - 1] {
                bytes[at] = 0x80;
                assert!(!is_zero(&bytes), "{at} of {length}");
                bytes[at] = 0;
            }
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(24))]

        #[test]
        fn copies_are_equal(lengths: Vec<(bool, u8)>, prefix in 0..3u64) {
            let mut input = Vec::new();
            for (zero, length) in lengths.iter().take(6) {
                let byte = if *zero { 0 } else { 7 };
                input.resize(input.len() + usize::from(*length) * 3001, byte);
            }
            let mut out = Cursor::new(vec![9; prefix as usize]);
            out.set_position(prefix);
            let length = copy(&input[..], &mut out).unwrap();
            proptest::prop_assert_eq!(length, input.len() as u64);
            proptest::prop_assert_eq!(&out.into_inner()[prefix as usize..], &input[..]);
        }
    }
}
