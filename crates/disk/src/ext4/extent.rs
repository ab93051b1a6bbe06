//! Extent trees, written: which blocks hold a file ("Extent Tree").

use super::allocate::Run;
use super::crc32c::crc32c;
use super::geometry::BLOCK;
use crate::bytes::{high_u32, low_u16, low_u32, put, put_u16, put_u32};

/// The magic number of a node.
pub(super) const MAGIC: u16 = 0xf30a;
/// The size of a node's header and of each of its records, in bytes.
pub(super) const RECORD: usize = 12;
/// More blocks than this make an extent "unwritten".
pub(super) const LONGEST: u64 = 32768;

/// The records in an inode.
const ROOT_RECORDS: usize = 4;
/// The records in a block, which ends in a checksum.
const NODE_RECORDS: usize = (BLOCK - RECORD - 4) / RECORD;
const CHECKSUM_AT: usize = RECORD + NODE_RECORDS * RECORD;

/// Blocks of a file that lie in a row on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    logical: u32,
    length: u32,
    start: u64,
}

/// A file's extents, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Extents(Vec<Extent>);

impl Extents {
    /// Adds `run` as the file's blocks from `logical` on, which must lie after
    /// all others.
    pub(super) fn push(&mut self, logical: u32, run: Run) {
        let mut run = run;
        let mut logical = logical;
        if let Some(last) = self.0.last_mut() {
            let room = LONGEST - u64::from(last.length);
            let follows = last.logical + last.length == logical
                && last.start + u64::from(last.length) == run.start;
            if follows {
                let more = run.length.min(room);
                last.length += low_u32(more);
                logical += low_u32(more);
                run = Run { start: run.start + more, length: run.length - more };
            }
        }
        while run.length > 0 {
            let length = run.length.min(LONGEST);
            self.0.push(Extent { logical, length: low_u32(length), start: run.start });
            logical += low_u32(length);
            run = Run { start: run.start + length, length: run.length - length };
        }
    }

    /// Returns the number of blocks that are mapped.
    pub(super) fn mapped(&self) -> u64 {
        self.0.iter().map(|extent| u64::from(extent.length)).sum()
    }

    /// Returns the number of blocks that the tree needs for itself.
    pub(super) fn tree_blocks(&self) -> u64 {
        let mut blocks = 0;
        let mut records = self.0.len();
        while records > ROOT_RECORDS {
            records = records.div_ceil(NODE_RECORDS);
            blocks += records as u64;
        }
        blocks
    }

    /// Builds the tree in `blocks`, of which there are
    /// [`tree_blocks`](Self::tree_blocks); `seed` is the inode's checksum seed.
    pub(super) fn tree(&self, seed: u32, blocks: &[u64]) -> Tree {
        let mut nodes = Vec::new();
        let mut records: Vec<(u32, [u8; RECORD])> =
            self.0.iter().map(|extent| (extent.logical, extent.encode())).collect();
        let mut depth = 0;
        while records.len() > ROOT_RECORDS {
            let mut parents = Vec::new();
            for children in records.chunks(NODE_RECORDS) {
                let block = blocks[nodes.len()];
                let mut node = vec![0; BLOCK];
                fill(&mut node[..CHECKSUM_AT], depth, NODE_RECORDS, children);
                let checksum = crc32c(seed, &node[..CHECKSUM_AT]);
                put_u32(&mut node, CHECKSUM_AT, checksum);
                nodes.push((block, node));
                parents.push((children[0].0, index(children[0].0, block)));
            }
            records = parents;
            depth += 1;
        }
        let mut root = [0; 60];
        fill(&mut root, depth, ROOT_RECORDS, &records);
        Tree { root, nodes }
    }
}

/// An extent tree's bytes.
pub(super) struct Tree {
    /// What the inode holds.
    pub(super) root: [u8; 60],
    /// The other nodes and their blocks.
    pub(super) nodes: Vec<(u64, Vec<u8>)>,
}

impl Extent {
    fn encode(&self) -> [u8; RECORD] {
        let mut record = [0; RECORD];
        put_u32(&mut record, 0, self.logical);
        put_u16(&mut record, 4, low_u16(self.length));
        put_u16(&mut record, 6, low_u16(high_u32(self.start)));
        put_u32(&mut record, 8, low_u32(self.start));
        record
    }
}

/// Returns the record that points from an inner node to `block`.
fn index(logical: u32, block: u64) -> [u8; RECORD] {
    let mut record = [0; RECORD];
    put_u32(&mut record, 0, logical);
    put_u32(&mut record, 4, low_u32(block));
    put_u16(&mut record, 8, low_u16(high_u32(block)));
    record
}

/// Fills `node` with a header and `records`.
fn fill(node: &mut [u8], depth: u16, capacity: usize, records: &[(u32, [u8; RECORD])]) {
    put_u16(node, 0, MAGIC);
    put_u16(node, 2, records.len() as u16);
    put_u16(node, 4, capacity as u16);
    put_u16(node, 6, depth);
    for (number, (_, record)) in records.iter().enumerate() {
        put(node, (number + 1) * RECORD, record);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extents(runs: &[(u32, u64, u64)]) -> Extents {
        let mut extents = Extents::default();
        for (logical, start, length) in runs {
            extents.push(*logical, Run { start: *start, length: *length });
        }
        extents
    }

    #[test]
    fn neighbours_are_joined() {
        let joined = extents(&[(0, 100, 5), (5, 105, 5), (10, 111, 1), (12, 112, 1)]);
        let expected = [(0, 10, 100), (10, 1, 111), (12, 1, 112)];
        let expected = expected.map(|(logical, length, start)| Extent { logical, length, start });
        assert_eq!(joined.0, expected);
        assert_eq!(joined.mapped(), 12);
    }

    #[test]
    fn extents_are_not_longer_than_allowed() {
        let long = extents(&[(0, 100, 30_000), (30_000, 30_100, 40_000)]);
        let lengths: Vec<u32> = long.0.iter().map(|extent| extent.length).collect();
        assert_eq!(lengths, [32768, 32768, 4464]);
        assert_eq!(long.0[2].start, 100 + 65536);
    }

    #[test]
    fn trees_grow_level_by_level() {
        let check = |records: u32, blocks: u64, depth: u8| {
            let mut extents = Extents::default();
            for number in 0..records {
                let start = u64::from(number) * 2 + (1 << 33);
                extents.push(number * 2, Run { start, length: 1 });
            }
            assert_eq!(extents.tree_blocks(), blocks, "{records}");
            let numbers: Vec<u64> = (0..blocks).collect();
            let tree = extents.tree(7, &numbers);
            assert_eq!(tree.root[6], depth, "{records}");
            assert_eq!(tree.nodes.len() as u64, blocks);
        };
        check(0, 0, 0);
        check(4, 0, 0);
        check(5, 1, 1);
        check(340, 1, 1);
        check(341, 2, 1);
        check(4 * 340, 4, 1);
        check(4 * 340 + 1, 6, 2);
    }

    #[test]
    fn a_root_is_written_as_documented() {
        let tree = extents(&[(3, 0x1_0002_0003, 2)]).tree(0, &[]);
        let expected = [
            0x0a, 0xf3, 1, 0, 4, 0, 0, 0, 0, 0, 0, 0, // header
            3, 0, 0, 0, 2, 0, 1, 0, 3, 0, 2, 0, // extent
        ];
        assert_eq!(tree.root[..24], expected);
    }
}
