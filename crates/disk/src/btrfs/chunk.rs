//! Where on the device a logical address lies: the chunk items.

use std::collections::BTreeMap;

use super::tree::{KEY, Key};
use crate::bytes::{u16_at, u64_at};
use crate::read::{ReadErrorKind, corrupt};

const HEADER: usize = 48;
const STRIPE: usize = 32;
/// All bits of the profile: how data is spread over devices.
const PROFILE: u64 = 0x7f8;
const DUPLICATED: u64 = 0x20;
const CHUNK_ITEM: u8 = 228;

/// A map from logical to physical addresses.
#[derive(Default)]
pub(super) struct Chunks(BTreeMap<u64, Chunk>);

struct Chunk {
    length: u64,
    physical: u64,
}

impl Chunks {
    /// Reads the chunks that the superblock holds, so that the tree of the
    /// others can be read.
    pub(super) fn of_superblock(mut array: &[u8]) -> Result<Self, ReadErrorKind> {
        let mut chunks = Self::default();
        while !array.is_empty() {
            let (key, rest) = array.split_at_checked(KEY).ok_or_else(broken)?;
            let stripes = usize::from(u16_at(rest.get(..HEADER).ok_or_else(broken)?, 44));
            let (item, rest) =
                rest.split_at_checked(HEADER + stripes * STRIPE).ok_or_else(broken)?;
            let key = Key::parse(key);
            if key.kind != CHUNK_ITEM {
                return Err(broken());
            }
            chunks.add(key.offset, item)?;
            array = rest;
        }
        Ok(chunks)
    }

    /// Adds the chunk item of the logical address `start`.
    pub(super) fn add(&mut self, start: u64, item: &[u8]) -> Result<(), ReadErrorKind> {
        let first = item.get(..HEADER + STRIPE).ok_or_else(broken)?;
        let (profile, stripes) = (u64_at(first, 24) & PROFILE, u16_at(first, 44));
        if profile != DUPLICATED && (profile != 0 || stripes != 1) {
            return Err(ReadErrorKind::Unsupported { what: "data spread over several devices" });
        }
        // Copies are alike: the first one will do.
        let (length, physical) = (u64_at(first, 0), u64_at(first, HEADER + 8));
        if start.checked_add(length).is_none() || physical.checked_add(length).is_none() {
            return Err(broken());
        }
        self.0.insert(start, Chunk { length, physical });
        Ok(())
    }

    /// Returns the physical address of `length` bytes at `logical`.
    pub(super) fn place(&self, logical: u64, length: u64) -> Result<u64, ReadErrorKind> {
        let outside = || corrupt("an address lies in no chunk");
        let (start, chunk) = self.0.range(..=logical).next_back().ok_or_else(outside)?;
        let within = logical - start;
        let end = within.checked_add(length).ok_or_else(outside)?;
        if end > chunk.length {
            return Err(outside());
        }
        Ok(chunk.physical + within)
    }
}

fn broken() -> ReadErrorKind {
    corrupt("its map of chunks")
}
