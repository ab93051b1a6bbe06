//! The bytes of a file, read from where its map says they are.

use std::io::{self, Read, Seek};

use super::window::Window;
use crate::sparse::{Content, whole_grains};

/// Blocks of a file that lie in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// The first one's number in the file.
    pub(crate) logical: u64,
    /// The first one's number on the disk.
    pub(crate) physical: u64,
    pub(crate) length: u64,
    /// Whether anything was ever written there; it reads as zero otherwise.
    pub(crate) written: bool,
}

/// Tells whether any of the first `blocks` blocks is in none of `stretches`.
pub(crate) fn has_hole(stretches: &[Stretch], blocks: u64) -> bool {
    let mut next = 0;
    for stretch in stretches {
        if stretch.logical > next {
            break;
        }
        next = stretch.logical + stretch.length;
    }
    next < blocks
}

/// A file's content.
pub(crate) struct Mapped<'a, T> {
    window: &'a mut Window<T>,
    block_size: u64,
    stretches: std::vec::IntoIter<Stretch>,
    current: Option<Stretch>,
    position: u64,
    size: u64,
}

impl<'a, T: Read + Seek> Mapped<'a, T> {
    /// Reads `size` bytes from `stretches`, which are in order.
    pub(crate) fn new(
        window: &'a mut Window<T>,
        block_size: u64,
        mut stretches: Vec<Stretch>,
        size: u64,
    ) -> Self {
        stretches.retain(|stretch| stretch.written);
        let mut stretches = stretches.into_iter();
        let current = stretches.next();
        Self { window, block_size, stretches, current, position: 0, size }
    }

    /// Returns the stretch with the next data, and where that begins and ends
    /// in the file; both are its end if there is none.
    fn data(&mut self) -> (Option<Stretch>, u64, u64) {
        while let Some(stretch) = self.current {
            let end = (stretch.logical + stretch.length) * self.block_size;
            if end > self.position {
                let start = stretch.logical * self.block_size;
                return (self.current, start.min(self.size), end.min(self.size));
            }
            self.current = self.stretches.next();
        }
        (None, self.size, self.size)
    }
}

impl<T: Read + Seek> Read for Mapped<'_, T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (stretch, start, end) = self.data();
        let data = stretch.filter(|_| start <= self.position);
        let end = if data.is_some() { end } else { start };
        let left = end.saturating_sub(self.position);
        let length = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        if length == 0 {
            return Ok(0);
        }
        let bytes = &mut buffer[..length];
        match data {
            Some(stretch) => {
                let at = stretch.physical * self.block_size + (self.position - start);
                self.window.read_at(at, bytes).map_err(io::Error::other)?;
            }
            None => bytes.fill(0),
        }
        self.position += length as u64;
        Ok(length)
    }
}

impl<T: Read + Seek> Content for Mapped<'_, T> {
    fn skip_hole(&mut self) -> io::Result<u64> {
        let (_, start, _) = self.data();
        let length = whole_grains(start.saturating_sub(self.position));
        self.position += length;
        Ok(length)
    }
}
