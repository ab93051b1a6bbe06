//! The bytes of a file: pieces in the tree or on the device, as they are or
//! compressed.

use std::io::{self, Read, Seek};

use super::decompress::{Method, decompress};
use super::source::Source;
use crate::bytes::u64_at;
use crate::read::{ReadErrorKind, corrupt};
use crate::sparse::{Content, whole_grains};

const HEADER: usize = 21;
const LENGTH: usize = 53;
const INLINE: u8 = 0;
const WRITTEN: u8 = 1;
const RESERVED: u8 = 2;
/// What is compressed as one, and what comes of it, in bytes.
const LARGEST_COMPRESSED: u64 = 128 << 10;

/// A part of a file's content.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    start: u64,
    length: u64,
    place: Place,
}

#[derive(Debug, Clone)]
enum Place {
    /// Nothing was ever written; space may be reserved.
    Hole { reserved: bool },
    /// At this logical address.
    Plain(u64),
    /// Here.
    Inline(Vec<u8>),
    /// In the middle of what the bytes at an address are when decompressed.
    Compressed { method: Method, address: u64, stored: u64, full: u64, skip: u64 },
}

/// Adds the piece of an extent item at `start` of its file.
///
/// Content in the tree is a file's beginning and no longer than a sector, as
/// Linux has it; more would be kept in memory for as many items as there are.
pub(super) fn push(
    pieces: &mut Vec<Piece>,
    start: u64,
    item: &[u8],
    sector: u64,
) -> Result<(), ReadErrorKind> {
    let broken = || corrupt("its map of extents");
    let (header, inline) = item.split_at_checked(HEADER).ok_or_else(broken)?;
    if header[17] != 0 || header[18] != 0 || header[19] != 0 {
        return Err(ReadErrorKind::Unsupported { what: "encrypted content" });
    }
    let method = Method::parse(header[16])?;
    let full = u64_at(header, 8);
    if method.is_some() && full > LARGEST_COMPRESSED {
        return Err(broken());
    }
    let piece = match header[20] {
        INLINE if start > 0 || full > sector || !pieces.is_empty() => return Err(broken()),
        INLINE => {
            let bytes = match method {
                Some(method) => decompress(method, inline, full as usize, sector as usize)?,
                None => inline.to_vec(),
            };
            Piece { start, length: bytes.len() as u64, place: Place::Inline(bytes) }
        }
        kind @ (WRITTEN | RESERVED) => {
            let item = item.get(..LENGTH).ok_or_else(broken)?;
            let [address, stored, skip, length] = [21, 29, 37, 45].map(|at| u64_at(item, at));
            let place = match method {
                _ if address == 0 => Place::Hole { reserved: false },
                _ if kind == RESERVED => Place::Hole { reserved: true },
                None => Place::Plain(address.checked_add(skip).ok_or_else(broken)?),
                Some(method) => {
                    let end = skip.checked_add(length).ok_or_else(broken)?;
                    if stored > LARGEST_COMPRESSED || end > full {
                        return Err(broken());
                    }
                    Place::Compressed { method, address, stored, full, skip }
                }
            };
            Piece { start, length, place }
        }
        _ => return Err(broken()),
    };
    let next = pieces.last().map_or(0, |last| last.start + last.length);
    if piece.start < next || piece.start.checked_add(piece.length).is_none() {
        return Err(broken());
    }
    pieces.push(piece);
    Ok(())
}

/// Tells whether all of a file of `size` bytes has space of its own, as a swap
/// file must.
pub(super) fn is_dense(pieces: &[Piece], size: u64) -> bool {
    let mut next = 0;
    for piece in pieces {
        let plain = match piece.place {
            Place::Plain(_) | Place::Inline(_) => true,
            Place::Hole { reserved } => reserved,
            Place::Compressed { .. } => false,
        };
        if !plain || piece.start > next {
            break;
        }
        next = piece.start + piece.length;
    }
    next >= size
}

/// A file's content.
pub(super) struct Pieces<'a, T> {
    source: &'a mut Source<T>,
    pieces: std::vec::IntoIter<Piece>,
    current: Option<Piece>,
    position: u64,
    size: u64,
}

impl<'a, T: Read + Seek> Pieces<'a, T> {
    /// Reads `size` bytes from `pieces`.
    pub(super) fn new(source: &'a mut Source<T>, mut pieces: Vec<Piece>, size: u64) -> Self {
        pieces.retain(|piece| !matches!(piece.place, Place::Hole { .. }));
        let mut pieces = pieces.into_iter();
        let current = pieces.next();
        Self { source, pieces, current, position: 0, size }
    }

    /// Makes the piece with the next data the current one, and returns where
    /// that begins and ends in the file; both are its end if there is none.
    fn data(&mut self) -> (u64, u64) {
        while let Some(piece) = &self.current {
            let end = piece.start + piece.length;
            if end > self.position {
                return (piece.start.min(self.size), end.min(self.size));
            }
            self.current = self.pieces.next();
        }
        (self.size, self.size)
    }

    /// Makes what is compressed plain, once it is its turn.
    fn open(&mut self) -> Result<(), ReadErrorKind> {
        let Some(piece) = &mut self.current else { return Ok(()) };
        let Place::Compressed { method, address, stored, full, skip } = piece.place else {
            return Ok(());
        };
        let position = self.source.chunks.place(address, stored)?;
        let bytes = self.source.window.bytes(position, stored)?;
        let sector = self.source.sector_size as usize;
        let mut plain = decompress(method, &bytes, full as usize, sector)?;
        // What the writer left out at the end is zero.
        plain.resize(full as usize, 0);
        piece.place = Place::Inline(plain.split_off(skip as usize));
        Ok(())
    }
}

impl<T: Read + Seek> Read for Pieces<'_, T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (start, end) = self.data();
        let begun = start <= self.position;
        let left = if begun { end } else { start }.saturating_sub(self.position);
        let length = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        if length == 0 {
            return Ok(0);
        }
        let bytes = &mut buffer[..length];
        if begun {
            self.open().map_err(io::Error::other)?;
        }
        match self.current.as_ref().filter(|_| begun) {
            Some(Piece { start, place: Place::Plain(address), .. }) => {
                let at = address.saturating_add(self.position - start);
                let place = self.source.chunks.place(at, length as u64);
                let place = place.map_err(io::Error::other)?;
                self.source.window.read_at(place, bytes).map_err(io::Error::other)?;
            }
            Some(Piece { start, place: Place::Inline(content), .. }) => {
                let within = (self.position - start) as usize;
                bytes.copy_from_slice(&content[within..within + length]);
            }
            Some(_) | None => bytes.fill(0),
        }
        self.position += length as u64;
        Ok(length)
    }
}

impl<T: Read + Seek> Content for Pieces<'_, T> {
    fn skip_hole(&mut self) -> io::Result<u64> {
        let (start, _) = self.data();
        let length = whole_grains(start.saturating_sub(self.position));
        self.position += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns an item of content in the tree that becomes `full` bytes.
    fn inline(full: u64, content: &[u8]) -> Vec<u8> {
        let mut item = vec![0; HEADER];
        item[8..16].copy_from_slice(&full.to_le_bytes());
        item[16] = 3;
        item.extend(zstd::encode_all(content, 0).unwrap());
        item
    }

    #[test]
    fn content_in_the_tree_is_one_sector_at_the_start() {
        let (small, large) = (inline(4096, &[7; 4096]), inline(4097, &[7; 4097]));
        let mut pieces = Vec::new();
        push(&mut pieces, 0, &small, 4096).unwrap();
        assert_eq!((pieces.len(), pieces[0].length), (1, 4096));
        assert!(push(&mut pieces, 4096, &small, 4096).is_err());
        assert!(push(&mut pieces, 0, &inline(0, &[]), 4096).is_err());
        assert!(push(&mut Vec::new(), 4096, &small, 4096).is_err());
        assert!(push(&mut Vec::new(), 0, &large, 4096).is_err());
        push(&mut Vec::new(), 0, &large, 8192).unwrap();
    }
}
