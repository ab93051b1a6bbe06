//! The stream a file system is written to, addressed from its own start.
//!
//! Zero blocks are never written: the output is taken to be zero wherever
//! nothing is written to it.

use std::io::{self, Read, Seek, SeekFrom, Write};

use super::geometry::{BLOCK, BLOCK_SIZE};
use crate::sparse::is_zero;

/// What is gathered before it is written, in bytes.
const GATHERED: usize = 1 << 20;

/// A stream, with the content that is still to be written to it.
pub(super) struct Output<T> {
    inner: T,
    offset: u64,
    /// Blocks in a row that are not written yet, and the position after them.
    pending: Vec<u8>,
    end: u64,
}

impl<T: Read + Write + Seek> Output<T> {
    /// Writes a file system from byte `offset` of `inner` on.
    pub(super) fn new(inner: T, offset: u64) -> Self {
        Self { inner, offset, pending: Vec::with_capacity(GATHERED), end: 0 }
    }

    /// Writes content, whole blocks, from `block` on; neighbours are gathered.
    pub(super) fn write_content(&mut self, block: u64, bytes: &[u8]) -> io::Result<()> {
        let mut position = block * BLOCK_SIZE;
        for bytes in bytes.chunks(BLOCK) {
            if !is_zero(bytes) {
                if position != self.end || self.pending.len() >= GATHERED {
                    self.flush()?;
                    self.end = position;
                }
                self.pending.extend_from_slice(bytes);
                self.end += BLOCK_SIZE;
            }
            position += BLOCK_SIZE;
        }
        Ok(())
    }

    /// Writes one block of metadata.
    pub(super) fn write_block(&mut self, block: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_at(block * BLOCK_SIZE, bytes)
    }

    /// Writes metadata at `position`, in bytes.
    pub(super) fn write_at(&mut self, position: u64, bytes: &[u8]) -> io::Result<()> {
        if is_zero(bytes) {
            return Ok(());
        }
        self.inner.seek(SeekFrom::Start(self.offset + position))?;
        self.inner.write_all(bytes)
    }

    /// Reads metadata that was written at `position`, in bytes.
    pub(super) fn read_at(&mut self, position: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.inner.seek(SeekFrom::Start(self.offset + position))?;
        self.inner.read_exact(bytes)
    }

    /// Writes what is gathered and makes the stream at least `size` bytes long
    /// from its offset.
    pub(super) fn finish(&mut self, size: u64) -> io::Result<()> {
        self.flush()?;
        let end = self.offset + size;
        if self.inner.seek(SeekFrom::End(0))? < end {
            self.inner.seek(SeekFrom::Start(end - 1))?;
            self.inner.write_all(&[0])?;
        }
        self.inner.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.pending.is_empty() {
            let start = self.end - self.pending.len() as u64;
            self.inner.seek(SeekFrom::Start(self.offset + start))?;
            self.inner.write_all(&self.pending)?;
            self.pending.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn zero_blocks_leave_what_is_there() {
        let mut file = Cursor::new(vec![9; 4 * BLOCK]);
        let mut output = Output::new(&mut file, 1);
        let mut content = vec![0; 2 * BLOCK];
        content[BLOCK] = 1;
        output.write_content(0, &content).unwrap();
        output.write_content(2, &[2; BLOCK]).unwrap();
        output.finish(5 * BLOCK_SIZE).unwrap();
        let bytes = file.into_inner();
        assert_eq!(bytes[BLOCK], 9);
        assert_eq!(bytes[1 + BLOCK..][..2], [1, 0]);
        assert_eq!(bytes[1 + 2 * BLOCK..][..BLOCK], [2; BLOCK]);
        assert_eq!(bytes.len(), 1 + 5 * BLOCK);
    }
}
