//! Group descriptors ("Block Group Descriptors").

use super::crc32c::crc32c;
use super::geometry::{BLOCK, DESCRIPTOR_SIZE};
use super::superblock::Seed;
use crate::bytes::{low_u16, low_u32, put_split_u32, put_split_u64, put_u16};

/// The inode bitmap was never written; no inode is in use.
pub(super) const NO_INODE_BITMAP: u16 = 1;
/// The block bitmap was never written; only metadata is in use.
pub(super) const NO_BLOCK_BITMAP: u16 = 2;
/// The unused inodes of the table are zero.
pub(super) const ZEROED: u16 = 4;

const CHECKSUM_AT: usize = 0x1e;

/// What a descriptor says about one group.
#[derive(Debug, Clone)]
pub(super) struct Descriptor {
    pub(super) block_bitmap: u64,
    pub(super) inode_bitmap: u64,
    pub(super) inode_table: u64,
    pub(super) free_blocks: u64,
    pub(super) free_inodes: u32,
    pub(super) directories: u32,
    /// Inodes at the end of the table that were never used.
    pub(super) unused_inodes: u32,
    pub(super) flags: u16,
    /// Zero where the bitmap was never written.
    pub(super) block_bitmap_checksum: u32,
    /// Zero where the bitmap was never written.
    pub(super) inode_bitmap_checksum: u32,
}

impl Descriptor {
    /// Returns the descriptor as that of `group`.
    pub(super) fn encode(&self, seed: Seed, group: u32) -> [u8; DESCRIPTOR_SIZE] {
        let mut raw = [0; DESCRIPTOR_SIZE];
        put_split_u64(&mut raw, 0x0, 0x20, self.block_bitmap);
        put_split_u64(&mut raw, 0x4, 0x24, self.inode_bitmap);
        put_split_u64(&mut raw, 0x8, 0x28, self.inode_table);
        put_split_u32(&mut raw, 0xc, 0x2c, low_u32(self.free_blocks));
        put_split_u32(&mut raw, 0xe, 0x2e, self.free_inodes);
        put_split_u32(&mut raw, 0x10, 0x30, self.directories);
        put_u16(&mut raw, 0x12, self.flags);
        put_split_u32(&mut raw, 0x18, 0x38, self.block_bitmap_checksum);
        put_split_u32(&mut raw, 0x1a, 0x3a, self.inode_bitmap_checksum);
        put_split_u32(&mut raw, 0x1c, 0x32, self.unused_inodes);
        let checksum = crc32c(crc32c(seed.0, &group.to_le_bytes()), &raw);
        put_u16(&mut raw, CHECKSUM_AT, low_u16(checksum));
        raw
    }
}

/// Packs the descriptors of all groups into blocks.
pub(super) fn table(descriptors: &[[u8; DESCRIPTOR_SIZE]]) -> Vec<u8> {
    let mut table = descriptors.concat();
    table.resize(table.len().next_multiple_of(BLOCK), 0);
    table
}
