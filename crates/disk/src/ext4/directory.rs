//! Directories, written: linear blocks with a checksum at the end of each
//! ("Linear (Classic) Directories").
//!
//! No hash tree is made. The kernel and GRUB read linear directories under
//! `dir_index` too, and the order of entries stays that of the caller.

use super::allocate::Run;
use super::crc32c::crc32c;
use super::extent::Extents;
use super::geometry::BLOCK;
use super::inode::{
    BLOCK_DEVICE, CHAR_DEVICE, DIRECTORY, FIFO, REGULAR, SOCKET, SYMLINK, TYPE_MASK,
};
use crate::bytes::{put, put_u16, put_u32};
use crate::entry::Time;

/// The longest name, in bytes.
pub(super) const LONGEST_NAME: usize = 255;
/// A count of links that is not kept (`dir_nlink`).
const UNCOUNTED_LINKS: u16 = 1;
const MOST_LINKS: u32 = 65_000;

/// The checksum looks like one more entry, without a name.
const TAIL: usize = 12;
const ROOM: usize = BLOCK - TAIL;

/// A directory that is being filled.
///
/// Only the block that is being filled is kept in memory, and of it only the
/// part that is filled.
pub(super) struct Directory {
    pub(super) mode: u16,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) time: Time,
    pub(super) attribute_block: u64,
    pub(super) attributes: Vec<u8>,
    pub(super) extents: Extents,
    /// Whether the caller gave an entry for it, rather than it being there by
    /// itself.
    pub(super) given: bool,
    subdirectories: u32,
    blocks: u32,
    block: u64,
    filling: Vec<u8>,
    last: usize,
}

impl Directory {
    /// Makes directory `number`, empty, with `block` as its first.
    pub(super) fn new(number: u32, parent: u32, block: u64) -> Self {
        let mut directory = Self {
            mode: 0,
            uid: 0,
            gid: 0,
            time: Time::default(),
            attribute_block: 0,
            attributes: Vec::new(),
            extents: Extents::default(),
            given: false,
            subdirectories: 0,
            blocks: 0,
            block: 0,
            filling: Vec::new(),
            last: 0,
        };
        directory.begin(block);
        directory.push(b".", number, DIRECTORY);
        directory.push(b"..", parent, DIRECTORY);
        directory
    }

    /// Tells whether the block that is being filled has room for `name`.
    pub(super) fn has_room(&self, name: &[u8]) -> bool {
        self.filling.len() + entry_length(name) <= ROOM
    }

    /// Adds an entry for which there is room; `kind` is a mode's type bits.
    pub(super) fn push(&mut self, name: &[u8], number: u32, kind: u16) {
        let at = self.filling.len();
        let length = entry_length(name);
        self.filling.resize(at + length, 0);
        put_u32(&mut self.filling, at, number);
        put_u16(&mut self.filling, at + 4, length as u16);
        self.filling[at + 6] = name.len() as u8;
        self.filling[at + 7] = file_type(kind);
        put(&mut self.filling, at + 8, name);
        self.last = at;
    }

    /// Counts one more directory whose `..` this one is.
    pub(super) fn adopt(&mut self) {
        self.subdirectories += 1;
    }

    /// Returns what the block that is being filled is to hold, and its number.
    pub(super) fn close(&mut self, seed: u32) -> (u64, Vec<u8>) {
        let mut bytes = std::mem::take(&mut self.filling);
        // The last entry reaches to the checksum.
        put_u16(&mut bytes, self.last + 4, (ROOM - self.last) as u16);
        (self.block, seal(bytes, seed))
    }

    /// Goes on in `block`, after [`close`](Self::close).
    pub(super) fn begin(&mut self, block: u64) {
        self.block = block;
        self.extents.push(self.blocks, Run { start: block, length: 1 });
        self.blocks += 1;
    }

    /// Appends a block without entries and returns what it is to hold.
    pub(super) fn append_empty(&mut self, block: u64, seed: u32) -> Vec<u8> {
        self.extents.push(self.blocks, Run { start: block, length: 1 });
        self.blocks += 1;
        let mut bytes = vec![0; 8];
        put_u16(&mut bytes, 4, ROOM as u16);
        seal(bytes, seed)
    }

    /// Returns the size in bytes.
    pub(super) fn size(&self) -> u64 {
        u64::from(self.blocks) * BLOCK as u64
    }

    /// Returns the count of links: its name, its `.` and each `..` below.
    pub(super) fn links(&self) -> u16 {
        match 2 + self.subdirectories {
            links if links > MOST_LINKS => UNCOUNTED_LINKS,
            links => links as u16,
        }
    }
}

/// Completes a block of entries with its checksum.
fn seal(mut bytes: Vec<u8>, seed: u32) -> Vec<u8> {
    bytes.resize(BLOCK, 0);
    put_u16(&mut bytes, ROOM + 4, TAIL as u16);
    bytes[ROOM + 7] = 0xde;
    let checksum = crc32c(seed, &bytes[..ROOM]);
    put_u32(&mut bytes, ROOM + 8, checksum);
    bytes
}

/// Returns the length of an entry: a header, the name and up to 3 bytes more.
fn entry_length(name: &[u8]) -> usize {
    (8 + name.len()).next_multiple_of(4)
}

/// Returns an entry's file type for the type bits of a mode.
fn file_type(kind: u16) -> u8 {
    match kind & TYPE_MASK {
        REGULAR => 1,
        DIRECTORY => 2,
        CHAR_DEVICE => 3,
        BLOCK_DEVICE => 4,
        FIFO => 5,
        SOCKET => 6,
        SYMLINK => 7,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_written_as_documented() {
        let mut directory = Directory::new(12, 2, 500);
        directory.push(b"hello", 13, REGULAR | 0o644);
        let (block, bytes) = directory.close(0);
        assert_eq!(block, 500);
        let expected = [
            &[12, 0, 0, 0, 12, 0, 1, 2, b'.', 0, 0, 0][..],
            &[2, 0, 0, 0, 12, 0, 2, 2, b'.', b'.', 0, 0],
            &[13, 0, 0, 0, 0xdc, 0x0f, 5, 1, b'h', b'e', b'l', b'l', b'o', 0, 0, 0],
        ]
        .concat();
        assert_eq!(bytes[..expected.len()], expected);
        assert_eq!(bytes[ROOM..ROOM + 8], [0, 0, 0, 0, 12, 0, 0, 0xde]);
    }

    #[test]
    fn blocks_fill_up() {
        let mut directory = Directory::new(12, 2, 500);
        let name = [b'x'; LONGEST_NAME];
        let mut count = 0;
        while directory.has_room(&name) {
            directory.push(&name, 13, REGULAR);
            count += 1;
        }
        assert_eq!(count, 15);
        assert_eq!(directory.close(0).1.len(), BLOCK);
    }

    #[test]
    fn links_stop_being_counted() {
        let mut directory = Directory::new(12, 2, 500);
        assert_eq!(directory.links(), 2);
        directory.subdirectories = 64_998;
        assert_eq!(directory.links(), 65_000);
        directory.adopt();
        assert_eq!(directory.links(), 1);
    }
}
