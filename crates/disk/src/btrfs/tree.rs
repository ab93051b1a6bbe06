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
    /// Ends on any input: a block begins with the key it is pointed to by, and
    /// keys only ever go up, so no block is read twice.
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
        self.scan_block(&block, root.level, range, take)
    }

    fn scan_block(
        &mut self,
        block: &[u8],
        level: u8,
        range: &RangeInclusive<Key>,
        take: &mut Take<'_>,
    ) -> Result<(), ReadErrorKind> {
        let record = if level == 0 { ITEM } else { POINTER };
        let count = u32_at(block, 96) as usize;
        let end = count.checked_mul(record).and_then(|length| length.checked_add(HEADER));
        let records = end.and_then(|end| block.get(HEADER..end)).ok_or_else(broken)?;
        let keys: Vec<Key> = records.chunks_exact(record).map(Key::parse).collect();
        if !keys.is_sorted_by(|a, b| a < b) {
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
            } else if keys.get(number + 1).is_none_or(|next| next > range.start()) {
                let child = Root { address: u64_at(record, KEY), level: level - 1 };
                let block = self.node(child)?;
                if u32_at(&block, 96) == 0 || Key::parse(&block[HEADER..]) != key {
                    return Err(broken());
                }
                self.scan_block(&block, level - 1, range, take)?;
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
