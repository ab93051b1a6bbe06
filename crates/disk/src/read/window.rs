//! The part of an input that a file system says it has.

use std::io::{self, Read, Seek, SeekFrom};

use super::error::{ReadErrorKind, corrupt};

/// Bytes of an input, beyond which nothing is read.
pub(crate) struct Window<T> {
    input: T,
    offset: u64,
    size: u64,
}

impl<T: Read + Seek> Window<T> {
    /// Returns what of `input` begins at `offset`.
    pub(crate) fn new(mut input: T, offset: u64) -> io::Result<Self> {
        let length = input.seek(SeekFrom::End(0))?;
        Ok(Self { input, offset, size: length.saturating_sub(offset) })
    }

    /// Keeps its first `size` bytes, or returns `None` if it has fewer.
    pub(crate) fn bounded(self, size: u64) -> Option<Self> {
        (size <= self.size).then_some(Self { size, ..self })
    }

    /// Fills `bytes` from `position`.
    pub(crate) fn read_at(&mut self, position: u64, bytes: &mut [u8]) -> Result<(), ReadErrorKind> {
        let end = position.checked_add(bytes.len() as u64);
        if end.is_none_or(|end| end > self.size) {
            return Err(corrupt("it lies outside the file system"));
        }
        self.input.seek(SeekFrom::Start(self.offset + position)).map_err(ReadErrorKind::Read)?;
        self.input.read_exact(bytes).map_err(ReadErrorKind::Read)
    }

    /// Returns the `length` bytes at `position`.
    pub(crate) fn bytes(&mut self, position: u64, length: u64) -> Result<Vec<u8>, ReadErrorKind> {
        if length > self.size {
            return Err(corrupt("it lies outside the file system"));
        }
        let mut bytes = vec![0; length as usize];
        self.read_at(position, &mut bytes)?;
        Ok(bytes)
    }
}
