//! The resize inode: owns the blocks reserved for group descriptors, so that
//! the file system can grow while it is mounted.
//!
//! The kernel's documentation only names it ("Special inodes"); the shape is
//! that of `reserve_backup_gdb` in fs/ext4/resize.c. It maps, by the old
//! double-indirect scheme, each reserved block after the first superblock to
//! a block that lists the block's copies in the backup groups.

use super::geometry::{BLOCK, BLOCK_SIZE, BLOCKS_PER_GROUP, Geometry};
use crate::bytes::{low_u32, put_u32};

/// The pointers in a block.
const POINTERS: u64 = BLOCK_SIZE / 4;

/// The size of the resize inode, in bytes: all that direct, indirect and
/// double-indirect blocks can map.
pub(super) const SIZE: u64 = (12 + POINTERS + POINTERS * POINTERS) * BLOCK_SIZE;

/// The resize inode's blocks.
pub(super) struct Map {
    /// What the inode holds.
    pub(super) field: [u8; 60],
    /// The number of blocks the inode owns.
    pub(super) blocks: u64,
    /// The content of the blocks that are not zero.
    pub(super) nodes: Vec<(u64, Vec<u8>)>,
}

/// Builds the map, with `root` as its double-indirect block.
pub(super) fn map(geometry: &Geometry, root: u64) -> Map {
    let mut field = [0; 60];
    put_u32(&mut field, 13 * 4, low_u32(root));
    let first = geometry.descriptor_blocks();
    let reserved = geometry.reserved_descriptor_blocks();
    let backups: Vec<u64> = geometry.backups().map(u64::from).collect();

    let mut root_node = vec![0; BLOCK];
    let mut nodes = Vec::new();
    for number in first..first + reserved {
        let block = 1 + number;
        put_u32(&mut root_node, (number % POINTERS) as usize * 4, low_u32(block));
        let mut node = vec![0; BLOCK];
        for (slot, group) in backups.iter().enumerate() {
            put_u32(&mut node, slot * 4, low_u32(block + group * BLOCKS_PER_GROUP));
        }
        if !backups.is_empty() {
            nodes.push((block, node));
        }
    }
    nodes.push((root, root_node));
    Map { field, blocks: 1 + reserved * (1 + backups.len() as u64), nodes }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::u32_at;

    /// The numbers that debugfs shows for a file system of 2 GiB by mke2fs.
    #[test]
    fn two_gibibytes_are_mapped_as_by_mke2fs() {
        let map = map(&Geometry::new(2 << 30).unwrap(), 771);
        assert_eq!(SIZE, 4_299_210_752);
        assert_eq!(map.blocks * 8, 12248);
        assert_eq!(map.nodes.len(), 256);
        let (block, node) = &map.nodes[0];
        assert_eq!(*block, 2);
        let copies: Vec<u32> = (0..6).map(|slot| u32_at(node, slot * 4)).collect();
        assert_eq!(copies, [32770, 98306, 163_842, 229_378, 294_914, 0]);
        assert_eq!(u32_at(&map.nodes[255].1, 4), 2);
    }
}
