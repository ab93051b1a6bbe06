//! A file system of somebody else: what its superblock says, and bounded
//! reads of its blocks and inodes.
//!
//! Nothing on the disk is believed: every place that is read must lie inside
//! the file system, and that inside the input. Checksums are not compared.

use std::io::{Read, Seek};

use super::geometry::has_superblock;
use super::superblock::{LENGTH, MAGIC, POSITION};
use crate::bytes::{array_at, u16_at, u32_at};
use crate::read::{Format, OpenError, ReadErrorKind, Window, corrupt};

/// `recover`: the journal must be replayed first.
const RECOVER: u32 = 0x4;
const META_GROUPS: u32 = 0x10;
const WIDE: u32 = 0x80;
/// The incompatible features under which this reader finds its way, with
/// their names: filetype, recover, meta_bg, extent, 64bit, mmp, flex_bg,
/// ea_inode, metadata_csum_seed, large_dir, inline_data, encrypt, casefold.
/// Those that change single inodes are refused where they are met.
const KNOWN: u32 = 0x2
    | RECOVER
    | META_GROUPS
    | 0x40
    | WIDE
    | 0x100
    | 0x200
    | 0x400
    | 0x2000
    | 0x4000
    | 0x8000
    | 0x1_0000
    | 0x2_0000;

/// A file system that is being read.
pub(crate) struct Source<T> {
    pub(super) window: Window<T>,
    pub(super) block_size: u64,
    pub(super) blocks: u64,
    inode_size: u64,
    inodes: u32,
    inodes_per_group: u32,
    blocks_per_group: u32,
    first_block: u64,
    descriptor_size: u64,
    /// The block of descriptors from which on each lies in its own groups.
    first_meta_group: u64,
    pub(crate) uuid: [u8; 16],
    pub(crate) label: [u8; 16],
}

impl<T: Read + Seek> Source<T> {
    /// Says whether the superblock's magic number is there.
    pub(crate) fn is_at(window: &mut Window<T>) -> bool {
        window.bytes(POSITION + 0x38, 2).is_ok_and(|magic| u16_at(&magic, 0) == MAGIC)
    }

    /// Reads the superblock of what begins with `window`.
    pub(crate) fn open(mut window: Window<T>) -> Result<Self, OpenError> {
        let format = Format::Ext4;
        let raw = window
            .bytes(POSITION, LENGTH as u64)
            .map_err(|source| OpenError::Records { format, source })?;
        let incompatible = u32_at(&raw, 0x60);
        if incompatible & !KNOWN != 0 {
            return Err(OpenError::Feature { format, bits: (incompatible & !KNOWN).into() });
        }
        if incompatible & RECOVER != 0 {
            let mend = "its journal must be replayed by e2fsck";
            return Err(OpenError::NotClean { format, mend });
        }
        Self::parse(window, &raw, incompatible)
    }

    fn parse(window: Window<T>, raw: &[u8], features: u32) -> Result<Self, OpenError> {
        let corrupt = |what| Err(OpenError::Corrupt { format: Format::Ext4, what });
        let wide = features & WIDE != 0;
        let high = |at| if wide { u64::from(u32_at(raw, at)) << 32 } else { 0 };
        let log_block_size = u32_at(raw, 0x18);
        if log_block_size > 6 {
            return corrupt("the size of blocks");
        }
        let block_size = 1024 << log_block_size;
        let dynamic = u32_at(raw, 0x4c) > 0;
        let inode_size = if dynamic { u64::from(u16_at(raw, 0x58)) } else { 128 };
        if !(128..=block_size).contains(&inode_size) || !inode_size.is_power_of_two() {
            return corrupt("the size of inodes");
        }
        let descriptor_size = if wide { u64::from(u16_at(raw, 0xfe)) } else { 32 };
        let least = if wide { 64 } else { 32 };
        if !(least..=block_size).contains(&descriptor_size) || !descriptor_size.is_power_of_two() {
            return corrupt("the size of group descriptors");
        }
        let inodes_per_group = u32_at(raw, 0x28);
        let blocks_per_group = u32_at(raw, 0x20);
        if inodes_per_group == 0 || blocks_per_group == 0 {
            return corrupt("the size of groups");
        }
        let meta_groups = features & META_GROUPS != 0;
        let blocks = u64::from(u32_at(raw, 0x4)) | high(0x150);
        let size = blocks.saturating_mul(block_size);
        let truncated = OpenError::Truncated { format: Format::Ext4, size };
        Ok(Self {
            window: window.bounded(size).ok_or(truncated)?,
            block_size,
            blocks,
            inode_size,
            inodes: u32_at(raw, 0),
            inodes_per_group,
            blocks_per_group,
            first_block: u64::from(u32_at(raw, 0x14)),
            descriptor_size,
            first_meta_group: if meta_groups { u32_at(raw, 0x104).into() } else { u64::MAX },
            uuid: array_at(raw, 0x68),
            label: array_at(raw, 0x78),
        })
    }

    /// Returns the content of `block`.
    pub(super) fn block(&mut self, block: u64) -> Result<Vec<u8>, ReadErrorKind> {
        self.window.bytes(block.saturating_mul(self.block_size), self.block_size)
    }

    /// Returns the bytes of inode `number`, at least 128.
    pub(super) fn inode(&mut self, number: u32) -> Result<Vec<u8>, ReadErrorKind> {
        if number == 0 || number > self.inodes {
            return Err(corrupt("there is no such inode"));
        }
        let group = u64::from((number - 1) / self.inodes_per_group);
        let index = u64::from((number - 1) % self.inodes_per_group);
        let position = self.descriptor_position(group);
        let descriptor = self.window.bytes(position, self.descriptor_size)?;
        let mut table = u64::from(u32_at(&descriptor, 0x8));
        if self.descriptor_size >= 64 {
            table |= u64::from(u32_at(&descriptor, 0x28)) << 32;
        }
        let start = table.saturating_mul(self.block_size);
        self.window.bytes(start.saturating_add(index * self.inode_size), self.inode_size)
    }

    /// Returns the block of the first superblock.
    fn superblock(&self) -> u64 {
        POSITION / self.block_size
    }

    /// Returns where the descriptor of `group` lies ("Meta Block Groups").
    fn descriptor_position(&self, group: u64) -> u64 {
        let per_block = self.block_size / self.descriptor_size;
        let (number, index) = (group / per_block, group % per_block);
        let block = if number < self.first_meta_group {
            self.superblock() + 1 + number
        } else {
            let first = number * per_block;
            let mut skipped = u64::from(has_superblock(first as u32));
            if number == 0 && self.first_block < self.superblock() {
                skipped += 1;
            }
            let start = first.saturating_mul(self.blocks_per_group.into());
            start.saturating_add(self.first_block + skipped)
        };
        block.saturating_mul(self.block_size).saturating_add(index * self.descriptor_size)
    }
}
