//! The superblock, written, and the seed of all checksums ("Super Block").

use super::crc32c::{START, crc32c};
use super::geometry::{
    BLOCKS_PER_GROUP, DESCRIPTOR_SIZE, FIRST_INODE, Geometry, INODE_SIZE, INODES_PER_GROUP,
};
use super::inode::{EXTRA_SIZE, JOURNAL};
use crate::bytes::{high_u32, low_u16, low_u32, put, put_u16, put_u32};

/// The length of a superblock, in bytes.
pub(super) const LENGTH: usize = 1024;
/// Where the first one lies, in bytes.
pub(super) const POSITION: u64 = 1024;
/// The magic number.
pub(super) const MAGIC: u16 = 0xef53;

/// `has_journal`, `ext_attr`, `resize_inode`, `dir_index`.
const COMPATIBLE: u32 = 0x4 | 0x8 | 0x10 | 0x20;
/// `filetype`, `extent`, `64bit`.
const INCOMPATIBLE: u32 = 0x2 | 0x40 | 0x80;
/// `sparse_super`, `large_file`, `huge_file`, `dir_nlink`, `extra_isize`,
/// `metadata_csum`.
const READ_ONLY_COMPATIBLE: u32 = 0x1 | 0x2 | 0x8 | 0x20 | 0x40 | 0x400;

/// `acl` and `user_xattr`, on by default as from mke2fs.
const MOUNT_OPTIONS: u32 = 0x4 | 0x8;
/// A twentieth is for root, as from mke2fs.
const RESERVED_SHARE: u64 = 20;

const CHECKSUM_AT: usize = 0x3fc;

/// What every metadata checksum starts with ("Checksums").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seed(pub(super) u32);

impl Seed {
    /// Returns the seed of the file system of this UUID.
    pub(super) fn of(uuid: &[u8; 16]) -> Self {
        Self(crc32c(START, uuid))
    }

    /// Returns what the checksums of an inode and its blocks start with; all
    /// inodes are of generation zero.
    pub(super) fn of_inode(self, number: u32) -> u32 {
        crc32c(crc32c(self.0, &number.to_le_bytes()), &[0; 4])
    }
}

/// What a superblock says.
pub(super) struct Superblock<'a> {
    pub(super) geometry: &'a Geometry,
    pub(super) uuid: &'a [u8; 16],
    /// At most 16 bytes.
    pub(super) label: &'a [u8],
    pub(super) hash_seed: &'a [u8; 16],
    /// Seconds since 1970; when the file system was made, written and checked.
    pub(super) epoch: u32,
    pub(super) free_blocks: u64,
    pub(super) free_inodes: u32,
    /// The journal's extents, of which the superblock keeps a copy.
    pub(super) journal_field: &'a [u8; 60],
    /// In bytes.
    pub(super) journal_size: u64,
}

impl Superblock<'_> {
    /// Returns the copy in `group`.
    pub(super) fn encode(&self, group: u32) -> [u8; LENGTH] {
        let mut raw = [0; LENGTH];
        self.put_counts(&mut raw);
        self.put_features(&mut raw, group);
        self.put_journal(&mut raw);
        let checksum = crc32c(START, &raw[..CHECKSUM_AT]);
        put_u32(&mut raw, CHECKSUM_AT, checksum);
        raw
    }

    fn put_counts(&self, raw: &mut [u8]) {
        let blocks = self.geometry.blocks();
        let reserved = blocks / RESERVED_SHARE;
        put_u32(raw, 0x0, self.geometry.inodes());
        for (low, high, count) in
            [(0x4, 0x150, blocks), (0x8, 0x154, reserved), (0xc, 0x158, self.free_blocks)]
        {
            put_u32(raw, low, low_u32(count));
            put_u32(raw, high, high_u32(count));
        }
        put_u32(raw, 0x10, self.free_inodes);
        // Blocks and clusters of 2¹⁰⁺² bytes.
        put_u32(raw, 0x18, 2);
        put_u32(raw, 0x1c, 2);
        put_u32(raw, 0x20, low_u32(BLOCKS_PER_GROUP));
        put_u32(raw, 0x24, low_u32(BLOCKS_PER_GROUP));
        put_u32(raw, 0x28, INODES_PER_GROUP);
    }

    fn put_features(&self, raw: &mut [u8], group: u32) {
        put_u32(raw, 0x30, self.epoch);
        // Never checked for having been mounted often.
        put_u16(raw, 0x36, 0xffff);
        put_u16(raw, 0x38, MAGIC);
        // Clean; goes on after errors.
        put_u16(raw, 0x3a, 1);
        put_u16(raw, 0x3c, 1);
        put_u32(raw, 0x40, self.epoch);
        // Revision 1: has features and a size of inodes.
        put_u32(raw, 0x4c, 1);
        put_u32(raw, 0x54, FIRST_INODE);
        put_u16(raw, 0x58, INODE_SIZE as u16);
        put_u16(raw, 0x5a, low_u16(group));
        put_u32(raw, 0x5c, COMPATIBLE);
        put_u32(raw, 0x60, INCOMPATIBLE);
        put_u32(raw, 0x64, READ_ONLY_COMPATIBLE);
        put(raw, 0x68, self.uuid);
        put(raw, 0x78, self.label);
        put_u16(raw, 0xce, self.geometry.reserved_descriptor_blocks() as u16);
        put(raw, 0xec, self.hash_seed);
        // Half MD4, over signed characters, for directories that the kernel
        // will index.
        raw[0xfc] = 1;
        put_u32(raw, 0x160, 1);
        put_u16(raw, 0xfe, DESCRIPTOR_SIZE as u16);
        put_u32(raw, 0x100, MOUNT_OPTIONS);
        put_u32(raw, 0x108, self.epoch);
        put_u16(raw, 0x15c, EXTRA_SIZE);
        put_u16(raw, 0x15e, EXTRA_SIZE);
        // Checksums are CRC-32C.
        raw[0x175] = 1;
    }

    fn put_journal(&self, raw: &mut [u8]) {
        put_u32(raw, 0xe0, JOURNAL);
        // The journal's inode has a copy here.
        raw[0xfd] = 1;
        put(raw, 0x10c, self.journal_field);
        put_u32(raw, 0x148, high_u32(self.journal_size));
        put_u32(raw, 0x14c, low_u32(self.journal_size));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksum_covers_the_rest() {
        let geometry = Geometry::new(256 << 20).unwrap();
        let superblock = Superblock {
            geometry: &geometry,
            uuid: &[1; 16],
            label: b"root",
            hash_seed: &[2; 16],
            epoch: 3,
            free_blocks: 4,
            free_inodes: 5,
            journal_field: &[6; 60],
            journal_size: 7,
        };
        let raw = superblock.encode(1);
        let checksum = crc32c(START, &raw[..0x3fc]);
        assert_eq!(crate::bytes::u32_at(&raw, 0x3fc), checksum);
        assert_ne!(superblock.encode(0), raw);
        assert_eq!(raw[0x78..0x80], *b"root\0\0\0\0");
    }
}
