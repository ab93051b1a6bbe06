//! Trees of items by their keys: a scan of all items in a range of keys.

use std::io::{Read, Seek};
use std::ops::RangeInclusive;
use std::rc::Rc;

use super::source::Source;
use crate::bytes::{u32_at, u64_at};
use crate::read::{ReadErrorKind, corrupt};

/// The length of a key on disk.
pub(super) const KEY: usize = 17;
const HEADER: usize = 101;
/// A leaf's record: key, place and length of an item.
const ITEM: usize = KEY + 8;
/// A node's record: key, address and generation of a block.
const POINTER: usize = KEY + 16;
/// The levels there can be.
pub(super) const LEVELS: usize = 8;

/// What an item is found by; ordered as on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) object: u64,
    pub(super) kind: u8,
    pub(super) offset: u64,
}

impl Key {
    /// Reads a key from its bytes, of which there are [`KEY`].
    pub(super) fn parse(raw: &[u8]) -> Self {
        Self { object: u64_at(raw, 0), kind: raw[8], offset: u64_at(raw, 9) }
    }

    /// Returns the range of all keys of an object that are of this kind.
    pub(super) fn all(object: u64, kind: u8) -> RangeInclusive<Self> {
        Self { object, kind, offset: 0 }..=Self { object, kind, offset: u64::MAX }
    }
}

/// What a scan does with an item.
pub(super) type Take<'a> = dyn FnMut(Key, &[u8]) -> Result<(), ReadErrorKind> + 'a;

/// A tree's root.
#[derive(Debug, Clone, Copy)]
pub(super) struct Root {
    pub(super) address: u64,
    pub(super) level: u8,
}

/// The blocks that were read last, one of each level.
#[derive(Default)]
pub(super) struct Recent([Option<(u64, Rc<[u8]>)>; LEVELS]);

impl<T: Read + Seek> Source<T> {
    /// Calls `take` for each item of a tree whose key is in `range`, in order.
    ///
    /// Ends on any input: a block's keys begin with the one it is pointed to by
    /// and end before the next block's, so no block is read twice.
    pub(super) fn scan(
        &mut self,
        root: Root,
        range: &RangeInclusive<Key>,
        take: &mut Take<'_>,
    ) -> Result<(), ReadErrorKind> {
        if usize::from(root.level) >= LEVELS {
            return Err(broken());
        }
        let block = self.node(root)?;
        self.scan_block(&block, root.level, None, range, take)
    }

    /// Scans a block whose keys have to be less than `bound`, if there is one,
    /// and what is below it.
    fn scan_block(
        &mut self,
        block: &[u8],
        level: u8,
        bound: Option<Key>,
        range: &RangeInclusive<Key>,
        take: &mut Take<'_>,
    ) -> Result<(), ReadErrorKind> {
        let record = if level == 0 { ITEM } else { POINTER };
        let count = u32_at(block, 96) as usize;
        let end = count.checked_mul(record).and_then(|length| length.checked_add(HEADER));
        let records = end.and_then(|end| block.get(HEADER..end)).ok_or_else(broken)?;
        let keys: Vec<Key> = records.chunks_exact(record).map(Key::parse).collect();
        if !keys.iter().chain(&bound).is_sorted_by(|a, b| a < b) {
            return Err(broken());
        }
        for (number, record) in records.chunks_exact(record).enumerate() {
            let key = keys[number];
            if key > *range.end() {
                break;
            }
            if level == 0 {
                if range.contains(&key) {
                    let start = HEADER.saturating_add(u32_at(record, KEY) as usize);
                    let end = start.saturating_add(u32_at(record, KEY + 4) as usize);
                    take(key, block.get(start..end).ok_or_else(broken)?)?;
                }
                continue;
            }
            let bound = keys.get(number + 1).copied().or(bound);
            if bound.is_none_or(|bound| bound > *range.start()) {
                let child = Root { address: u64_at(record, KEY), level: level - 1 };
                let block = self.node(child)?;
                if u32_at(&block, 96) == 0 || Key::parse(&block[HEADER..]) != key {
                    return Err(broken());
                }
                self.scan_block(&block, level - 1, bound, range, take)?;
            }
        }
        Ok(())
    }

    /// Returns a block of a tree, which says that it is where it is.
    fn node(&mut self, root: Root) -> Result<Rc<[u8]>, ReadErrorKind> {
        let level = usize::from(root.level);
        if let Some((address, block)) = &self.recent.0[level]
            && *address == root.address
        {
            return Ok(Rc::clone(block));
        }
        let position = self.chunks.place(root.address, self.node_size)?;
        let block: Rc<[u8]> = self.window.bytes(position, self.node_size)?.into();
        if u64_at(&block, 48) != root.address || block[100] != root.level {
            return Err(broken());
        }
        self.recent.0[level] = Some((root.address, Rc::clone(&block)));
        Ok(block)
    }
}

fn broken() -> ReadErrorKind {
    corrupt("a block of a tree")
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::bytes::{put, put_u32, put_u64};
    use crate::read::Window;

    const NODE: usize = 4096;
    /// The first block after the superblock.
    const FIRST: usize = 17;

    fn key(offset: u64) -> Key {
        Key { object: 256, kind: 1, offset }
    }

    /// A block of items without content, or of keys with the indices of blocks.
    fn block(level: u8, records: &[(u64, usize)]) -> (u8, Vec<u8>) {
        let mut block = vec![0; NODE];
        put_u32(&mut block, 96, records.len() as u32);
        block[100] = level;
        let record = if level == 0 { ITEM } else { POINTER };
        for (number, (offset, index)) in records.iter().enumerate() {
            let at = HEADER + number * record;
            put_u64(&mut block, at, key(0).object);
            block[at + 8] = key(0).kind;
            put_u64(&mut block, at + 9, *offset);
            if level > 0 {
                put_u64(&mut block, at + KEY, address(*index));
            }
        }
        (level, block)
    }

    fn address(index: usize) -> u64 {
        ((FIRST + index) * NODE) as u64
    }

    /// Returns the offsets of all keys of a tree of these blocks, its root last.
    fn scan(blocks: &[(u8, Vec<u8>)]) -> Result<Vec<u64>, ReadErrorKind> {
        let root = Root { address: address(blocks.len() - 1), level: blocks[blocks.len() - 1].0 };
        // What else there is has no items.
        let nothing = blocks.len();
        let mut disk = vec![0; (FIRST + nothing + 1) * NODE];
        let size = disk.len() as u64;
        let superblock = &mut disk[0x1_0000..];
        for (at, value) in [(0x50, address(nothing)), (0x58, address(nothing)), (0x70, size)] {
            put_u64(superblock, at, value);
        }
        put_u64(superblock, 0x88, 1);
        for (at, value) in [(0x90, NODE), (0x94, NODE), (0xa0, KEY + 80)] {
            put_u32(superblock, at, value as u32);
        }
        // All of the disk is one chunk, at its own addresses.
        superblock[0x32b + 8] = 228;
        let chunk = &mut superblock[0x32b + KEY..];
        put_u64(chunk, 0, size);
        chunk[44] = 1;
        let (_, empty) = block(0, &[]);
        for (index, block) in blocks.iter().map(|(_, block)| block).chain([&empty]).enumerate() {
            let at = address(index);
            put(&mut disk, at as usize, block);
            put_u64(&mut disk, at as usize + 48, at);
        }
        let mut source = Source::open(Window::new(Cursor::new(disk), 0).unwrap()).unwrap();
        let mut offsets = Vec::new();
        source.scan(root, &Key::all(256, 1), &mut |key, _| {
            offsets.push(key.offset);
            Ok(())
        })?;
        Ok(offsets)
    }

    /// Blocks that lie below several others would be read as often as there
    /// are ways to them, which is more often than anybody can wait for.
    #[test]
    fn no_block_passes_the_next_one() {
        let leaf = |offsets: &[u64]| {
            block(0, &offsets.iter().map(|offset| (*offset, 0)).collect::<Vec<_>>())
        };
        let sound = [leaf(&[1, 2]), leaf(&[3, 4]), block(1, &[(1, 0), (3, 1)])];
        assert_eq!(scan(&sound).unwrap(), [1, 2, 3, 4]);
        let too_far = [leaf(&[1, 3]), leaf(&[3, 4]), block(1, &[(1, 0), (3, 1)])];
        let shared = [
            leaf(&[1]),
            leaf(&[2]),
            leaf(&[5]),
            block(1, &[(1, 0), (5, 2)]),
            block(1, &[(2, 1), (5, 2)]),
            block(2, &[(1, 3), (2, 4)]),
        ];
        for blocks in [&too_far[..], &shared] {
            assert_eq!(scan(blocks).unwrap_err().to_string(), broken().to_string());
        }
    }
}
