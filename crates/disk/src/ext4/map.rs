//! Which blocks hold a file, read: extent trees and the older block maps
//! ("The Contents of inode.i_block").

use std::io::{Read, Seek};

use super::extent::{LONGEST, MAGIC, RECORD};
use super::source::Source;
use crate::bytes::{u16_at, u32_at};
use crate::read::{ReadErrorKind, Stretch};

/// The deepest extent tree that Linux accepts.
const DEEPEST: u16 = 5;
/// The blocks that an inode maps by itself in the old scheme.
const DIRECT: usize = 12;

/// Returns where the blocks of an extent tree are; `field` is its root.
pub(super) fn extents<T: Read + Seek>(
    source: &mut Source<T>,
    field: &[u8],
) -> Result<Vec<Stretch>, ReadErrorKind> {
    let depth = u16_at(field, 6);
    if depth > DEEPEST {
        return Err(corrupt());
    }
    let mut stretches = Vec::new();
    descend(source, field, depth, &mut stretches)?;
    Ok(stretches)
}

/// Reads one node of an extent tree and what is below it.
///
/// Ends on any input: blocks only ever go up, and each node below the root
/// has at least one, so no leaf is read twice.
fn descend<T: Read + Seek>(
    source: &mut Source<T>,
    node: &[u8],
    depth: u16,
    stretches: &mut Vec<Stretch>,
) -> Result<(), ReadErrorKind> {
    let count = usize::from(u16_at(node, 2));
    let fits = (count + 1) * RECORD <= node.len();
    if u16_at(node, 0) != MAGIC || u16_at(node, 6) != depth || !fits {
        return Err(corrupt());
    }
    for record in node[RECORD..].chunks(RECORD).take(count) {
        if depth == 0 {
            let stretch = leaf(source, record)?;
            let next = stretches.last().map_or(0, |last| last.logical + last.length);
            if stretch.logical < next {
                return Err(corrupt());
            }
            stretches.push(stretch);
        } else {
            let block = u64::from(u32_at(record, 4)) | u64::from(u16_at(record, 8)) << 32;
            let child = source.block(block)?;
            if u16_at(&child, 2) == 0 {
                return Err(corrupt());
            }
            descend(source, &child, depth - 1, stretches)?;
        }
    }
    Ok(())
}

fn leaf<T>(source: &Source<T>, record: &[u8]) -> Result<Stretch, ReadErrorKind> {
    let raw_length = u64::from(u16_at(record, 4));
    let written = raw_length <= LONGEST;
    let stretch = Stretch {
        logical: u32_at(record, 0).into(),
        physical: u64::from(u32_at(record, 8)) | u64::from(u16_at(record, 6)) << 32,
        length: if written { raw_length } else { raw_length - LONGEST },
        written,
    };
    if stretch.length == 0 || stretch.physical + stretch.length > source.blocks {
        return Err(corrupt());
    }
    Ok(stretch)
}

/// Returns where the first `blocks` blocks of an old block map are; `field`
/// is the map in the inode.
pub(super) fn indirect<T: Read + Seek>(
    source: &mut Source<T>,
    field: &[u8],
    blocks: u64,
) -> Result<Vec<Stretch>, ReadErrorKind> {
    let mut walk = Indirect { logical: 0, blocks, left: source.blocks, stretches: Vec::new() };
    for (slot, pointer) in field.chunks_exact(4).enumerate() {
        let level = (slot + 1).saturating_sub(DIRECT) as u32;
        walk.follow(source, u32_at(pointer, 0), level)?;
    }
    Ok(walk.stretches)
}

/// The state of following an old block map.
struct Indirect {
    logical: u64,
    blocks: u64,
    /// How many more blocks the file system can have: a map that names more
    /// names some twice.
    left: u64,
    stretches: Vec<Stretch>,
}

impl Indirect {
    /// Follows a pointer; `level` says how many maps lie before the content.
    fn follow<T: Read + Seek>(
        &mut self,
        source: &mut Source<T>,
        pointer: u32,
        level: u32,
    ) -> Result<(), ReadErrorKind> {
        if self.logical >= self.blocks {
            return Ok(());
        }
        if pointer == 0 {
            self.logical += (source.block_size / 4).pow(level);
            return Ok(());
        }
        if u64::from(pointer) >= source.blocks {
            return Err(corrupt());
        }
        self.left = self.left.checked_sub(1).ok_or_else(corrupt)?;
        if level == 0 {
            self.push(pointer.into());
            return Ok(());
        }
        let map = source.block(pointer.into())?;
        for pointer in map.chunks_exact(4) {
            self.follow(source, u32_at(pointer, 0), level - 1)?;
        }
        Ok(())
    }

    fn push(&mut self, physical: u64) {
        let logical = self.logical;
        self.logical += 1;
        if let Some(last) = self.stretches.last_mut()
            && last.logical + last.length == logical
            && last.physical + last.length == physical
        {
            last.length += 1;
            return;
        }
        self.stretches.push(Stretch { logical, physical, length: 1, written: true });
    }
}

fn corrupt() -> ReadErrorKind {
    ReadErrorKind::Corrupt { what: "its map of blocks" }
}
