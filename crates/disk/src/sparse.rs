//! Copies of mostly empty files that stay mostly empty.
//!
//! Where a file has holes is the caller's business (`SEEK_DATA` needs a file
//! descriptor); here zero blocks are recognised by looking at them.

use std::io::{self, Read, Seek, SeekFrom, Write};

/// The size of a snapshot's block, in bytes, as in the EBS direct APIs.
pub const BLOCK_SIZE: usize = 512 << 10;

/// Tells whether every byte is zero; an empty slice is.
pub fn is_zero(bytes: &[u8]) -> bool {
    // Data usually shows in the first pieces; within a piece there is no
    // early exit, so that the compiler can use vector instructions.
    bytes.chunks(256).all(|piece| piece.iter().fold(0, |all, byte| all | byte) == 0)
}

/// One block of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block<'a> {
    /// Counts from zero.
    pub index: u64,
    /// The content; shorter than the others only in the stream's last block.
    pub bytes: &'a [u8],
    /// Whether every byte is zero.
    pub zero: bool,
}

/// The blocks of a stream, one after the other, in one buffer.
pub struct Blocks<R> {
    input: R,
    buffer: Vec<u8>,
    index: u64,
}

impl<R: Read> Blocks<R> {
    /// Cuts `input` into blocks of `size` bytes, which must not be zero.
    pub fn new(input: R, size: usize) -> Self {
        Self { input, buffer: vec![0; size], index: 0 }
    }

    /// Returns the next block, or `None` at the end of the stream.
    pub fn read(&mut self) -> io::Result<Option<Block<'_>>> {
        let length = read_full(&mut self.input, &mut self.buffer)?;
        if length == 0 {
            return Ok(None);
        }
        let index = self.index;
        self.index += 1;
        let bytes = &self.buffer[..length];
        Ok(Some(Block { index, bytes, zero: is_zero(bytes) }))
    }
}

/// Copies `input` to `out`, seeking over zero blocks, and returns the length.
///
/// `out` must hold nothing or zeros from its current position on; a zero last
/// block is completed with one written byte so that the length is right.
pub fn copy(input: impl Read, mut out: impl Write + Seek) -> io::Result<u64> {
    let start = out.stream_position()?;
    let mut blocks = Blocks::new(input, BLOCK_SIZE);
    let mut length = 0;
    let mut ends_in_hole = false;
    while let Some(block) = blocks.read()? {
        if !block.zero {
            out.seek(SeekFrom::Start(start + length))?;
            out.write_all(block.bytes)?;
        }
        ends_in_hole = block.zero;
        length += block.bytes.len() as u64;
    }
    if ends_in_hole {
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

    #[test]
    fn blocks_carry_index_and_a_short_end() {
        let mut blocks = Blocks::new(&[0, 0, 0, 1, 0][..], 2);
        assert_eq!(blocks.read().unwrap(), Some(Block { index: 0, bytes: &[0, 0], zero: true }));
        assert_eq!(blocks.read().unwrap(), Some(Block { index: 1, bytes: &[0, 1], zero: false }));
        assert_eq!(blocks.read().unwrap(), Some(Block { index: 2, bytes: &[0], zero: true }));
        assert_eq!(blocks.read().unwrap(), None);
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
