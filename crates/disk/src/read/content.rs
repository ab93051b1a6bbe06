//! The bytes of a file, read from where its map says they are.

use std::io::{self, Read, Seek};

use super::window::Window;

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

/// A file's content; holes read as zeros.
pub(crate) struct Content<'a, T> {
    window: &'a mut Window<T>,
    block_size: u64,
    stretches: std::vec::IntoIter<Stretch>,
    current: Option<Stretch>,
    position: u64,
    size: u64,
}

impl<'a, T: Read + Seek> Content<'a, T> {
    /// Reads `size` bytes from `stretches`, which are in order.
    pub(crate) fn new(
        window: &'a mut Window<T>,
        block_size: u64,
        stretches: Vec<Stretch>,
        size: u64,
    ) -> Self {
        let mut stretches = stretches.into_iter();
        let current = stretches.next();
        Self { window, block_size, stretches, current, position: 0, size }
    }
}

impl<T: Read + Seek> Read for Content<'_, T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let unit = self.block_size;
        while let Some(stretch) = self.current
            && (stretch.logical + stretch.length) * unit <= self.position
        {
            self.current = self.stretches.next();
        }
        // The next place where data begins or ends.
        let (data, end) = match self.current {
            Some(stretch) if stretch.logical * unit <= self.position => {
                (Some(stretch), (stretch.logical + stretch.length) * unit)
            }
            Some(stretch) => (None, stretch.logical * unit),
            None => (None, self.size),
        };
        let left = end.min(self.size).saturating_sub(self.position);
        let length = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let bytes = &mut buffer[..length];
        match data {
            Some(stretch) if stretch.written => {
                let into = self.position - stretch.logical * unit;
                let at = stretch.physical * unit + into;
                self.window.read_at(at, bytes).map_err(io::Error::other)?;
            }
            Some(_) | None => bytes.fill(0),
        }
        self.position += length as u64;
        Ok(length)
    }
}
