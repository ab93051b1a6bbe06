//! The bytes of a file, read from where its map says they are.

use std::io::{self, Read, Seek};

use super::map::Stretch;
use super::source::Source;

/// A file's content; holes read as zeros.
pub(super) struct Content<'a, T> {
    source: &'a mut Source<T>,
    stretches: std::vec::IntoIter<Stretch>,
    current: Option<Stretch>,
    position: u64,
    size: u64,
}

impl<'a, T: Read + Seek> Content<'a, T> {
    /// Reads `size` bytes from `stretches`.
    pub(super) fn new(source: &'a mut Source<T>, stretches: Vec<Stretch>, size: u64) -> Self {
        let mut stretches = stretches.into_iter();
        let current = stretches.next();
        Self { source, stretches, current, position: 0, size }
    }
}

impl<T: Read + Seek> Read for Content<'_, T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let unit = self.source.block_size;
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
                self.source.read_at(at, bytes).map_err(io::Error::other)?;
            }
            Some(_) | None => bytes.fill(0),
        }
        self.position += length as u64;
        Ok(length)
    }
}
