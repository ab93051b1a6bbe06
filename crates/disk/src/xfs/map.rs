//! Which blocks hold a fork: lists and trees of extents ("Data Extents").

use std::io::{Read, Seek};

use super::inode::{Fork, Form};
use super::source::Source;
use crate::bytes::{be_u16_at, be_u64_at};
use crate::read::{ReadErrorKind, Stretch, corrupt};

const MAGIC: [u8; 4] = *b"BMA3";
/// The header of a block of a tree.
const HEADER: usize = 72;
/// The header of the root in an inode.
const ROOT_HEADER: usize = 4;
const RECORD: usize = 16;
/// Keys and pointers.
const WORD: usize = 8;
/// More levels than a file of 2⁶³ bytes needs.
const DEEPEST: u16 = 12;
/// The size of the largest file there can be, in bytes.
const LARGEST_FILE: u64 = 1 << 63;

/// Returns where the blocks of `fork` are.
pub(super) fn stretches<T: Read + Seek>(
    source: &mut Source<T>,
    fork: &Fork<'_>,
) -> Result<Vec<Stretch>, ReadErrorKind> {
    let mut stretches = Vec::new();
    match fork.form {
        Form::Extents => {
            let count = usize::try_from(fork.extents).unwrap_or(usize::MAX);
            let records = fork.bytes.get(..count.saturating_mul(RECORD)).ok_or_else(broken)?;
            read_records(source, records, &mut stretches)?;
        }
        Form::Tree => {
            let header = fork.bytes.get(..ROOT_HEADER).ok_or_else(broken)?;
            let level = be_u16_at(header, 0);
            if !(1..=DEEPEST).contains(&level) {
                return Err(broken());
            }
            let count = usize::from(be_u16_at(header, 2));
            let pointers = pointers(&fork.bytes[ROOT_HEADER..], count)?;
            for pointer in pointers {
                descend(source, pointer, level - 1, &mut stretches)?;
            }
        }
        Form::Local | Form::Device => return Err(broken()),
    }
    Ok(stretches)
}

/// Reads one block of a tree and what is below it.
///
/// Ends on any input: extents only ever go up, and no block is without
/// records, so no leaf is read twice.
fn descend<T: Read + Seek>(
    source: &mut Source<T>,
    block: u64,
    level: u16,
    stretches: &mut Vec<Stretch>,
) -> Result<(), ReadErrorKind> {
    let bytes = source.block(block)?;
    let count = usize::from(be_u16_at(&bytes, 6));
    if bytes[..4] != MAGIC || be_u16_at(&bytes, 4) != level || count == 0 {
        return Err(broken());
    }
    let rest = &bytes[HEADER..];
    if level == 0 {
        let records = rest.get(..count * RECORD).ok_or_else(broken)?;
        return read_records(source, records, stretches);
    }
    for pointer in pointers(rest, count)? {
        descend(source, pointer, level - 1, stretches)?;
    }
    Ok(())
}

/// Returns the pointers of a node: they follow the room for all its keys.
fn pointers(node: &[u8], count: usize) -> Result<Vec<u64>, ReadErrorKind> {
    let room = node.len() / (2 * WORD);
    let start = room * WORD;
    let pointers = node.get(start..start + count * WORD).filter(|_| count <= room);
    let pointers = pointers.ok_or_else(broken)?;
    Ok(pointers.chunks_exact(WORD).map(|pointer| be_u64_at(pointer, 0)).collect())
}

fn read_records<T: Read + Seek>(
    source: &Source<T>,
    records: &[u8],
    stretches: &mut Vec<Stretch>,
) -> Result<(), ReadErrorKind> {
    for record in records.chunks_exact(RECORD) {
        let (high, low) = (be_u64_at(record, 0), be_u64_at(record, 8));
        let length = low & 0x1f_ffff;
        let logical = (high & !(1 << 63)) >> 9;
        let next = stretches.last().map_or(0, |last| last.logical + last.length);
        let most = LARGEST_FILE / source.block_size;
        if length == 0 || logical < next || logical + length > most {
            return Err(broken());
        }
        let physical = source.linear((high & 0x1ff) << 43 | low >> 21, length)?;
        stretches.push(Stretch { logical, physical, length, written: high >> 63 == 0 });
    }
    Ok(())
}

fn broken() -> ReadErrorKind {
    corrupt("its map of blocks")
}
