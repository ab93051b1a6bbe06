//! What the superblock says ("Superblocks"), and where inodes and blocks lie.

use std::io::{Read, Seek};

use super::log;
use crate::bytes::{array_at, be_u16_at, be_u32_at, be_u64_at};
use crate::read::{Format, OpenError, ReadErrorKind, Window, corrupt};

const MAGIC: [u8; 4] = *b"XFSB";
const LENGTH: u64 = 264;

/// `ftype`: directories say what kind their entries are.
const FILE_TYPES: u32 = 0x1;
/// `needsrepair`.
const NEEDS_REPAIR: u32 = 0x10;
/// The incompatible features under which this reader finds its way, with
/// their names: ftype, spinodes, meta_uuid, bigtime, needsrepair, nrext64,
/// exchrange, parent.
const KNOWN: u32 = FILE_TYPES | 0x2 | 0x4 | 0x8 | NEEDS_REPAIR | 0x20 | 0x40 | 0x80;

const REPAIR: &str = "xfs_repair must mend it, or a mount replay its log";

/// A file system that is being read.
pub(crate) struct Source<T> {
    pub(super) window: Window<T>,
    pub(super) block_size: u64,
    /// A directory's block in bytes.
    pub(super) directory_block: u64,
    pub(super) file_types: bool,
    pub(super) root: u64,
    blocks: u64,
    group_blocks: u64,
    group_bits: u32,
    inode_size: u64,
    inode_bits: u32,
    pub(crate) uuid: [u8; 16],
    pub(crate) label: [u8; 12],
}

impl<T: Read + Seek> Source<T> {
    /// Says whether the superblock's magic number is there.
    pub(crate) fn is_at(window: &mut Window<T>) -> bool {
        window.bytes(0, 4).is_ok_and(|magic| magic == MAGIC)
    }

    /// Reads the superblock of what begins with `window`, and says whether the
    /// log would have to be replayed.
    pub(crate) fn open(mut window: Window<T>) -> Result<Self, OpenError> {
        let format = Format::Xfs;
        let records = |source| OpenError::Records { format, source };
        let raw = window.bytes(0, LENGTH).map_err(records)?;
        if be_u16_at(&raw, 100) & 0xf != 5 {
            return Err(OpenError::Unsupported { format, what: "is not of version 5" });
        }
        let incompatible = be_u32_at(&raw, 216);
        if incompatible & !KNOWN != 0 {
            return Err(OpenError::Feature { format, bits: (incompatible & !KNOWN).into() });
        }
        if incompatible & NEEDS_REPAIR != 0 {
            return Err(OpenError::NotClean { format, mend: REPAIR });
        }
        let (log_start, log_blocks) = (be_u64_at(&raw, 48), u64::from(be_u32_at(&raw, 96)));
        if log_start == 0 {
            return Err(OpenError::Unsupported { format, what: "has its log on another device" });
        }
        let mut source = Self::parse(window, &raw, incompatible)?;
        let place = source.block_position(log_start, log_blocks).map_err(records)?;
        let clean = log::is_clean(&mut source.window, place, log_blocks * source.block_size);
        if !clean.map_err(records)? {
            return Err(OpenError::NotClean { format, mend: REPAIR });
        }
        Ok(source)
    }

    fn parse(window: Window<T>, raw: &[u8], features: u32) -> Result<Self, OpenError> {
        let corrupt = |what| OpenError::Corrupt { format: Format::Xfs, what };
        let block_size = u64::from(be_u32_at(raw, 4));
        let [block_bits, _, size_bits, inode_bits, group_bits] = array_at(raw, 120).map(u32::from);
        let inode_size = u64::from(be_u16_at(raw, 104));
        if !(9..=16).contains(&block_bits) || block_size != 1 << block_bits {
            return Err(corrupt("the size of blocks"));
        }
        if !(9..=11).contains(&size_bits)
            || inode_size != 1 << size_bits
            || inode_bits != block_bits.saturating_sub(size_bits)
            || inode_size > block_size
        {
            return Err(corrupt("the size of inodes"));
        }
        let group_blocks = u64::from(be_u32_at(raw, 84));
        let groups = u64::from(be_u32_at(raw, 88));
        let blocks = be_u64_at(raw, 8);
        if group_bits > 31
            || group_blocks == 0
            || group_blocks > 1 << group_bits
            || blocks > groups * group_blocks
        {
            return Err(corrupt("the size of groups"));
        }
        let directory_block = u32::from(raw[192]) + block_bits;
        if directory_block > 16 {
            return Err(corrupt("the size of directory blocks"));
        }
        let size = blocks.checked_mul(block_size).ok_or_else(|| corrupt("the size"))?;
        let truncated = OpenError::Truncated { format: Format::Xfs, size };
        Ok(Self {
            window: window.bounded(size).ok_or(truncated)?,
            block_size,
            directory_block: 1 << directory_block,
            file_types: features & FILE_TYPES != 0,
            root: be_u64_at(raw, 56),
            blocks,
            group_blocks,
            group_bits,
            inode_size,
            inode_bits,
            uuid: array_at(raw, 32),
            label: array_at(raw, 108),
        })
    }

    /// Returns the number, counted from the file system's start, of block
    /// `block`, which is numbered by group, and of which `length` follow.
    pub(super) fn linear(&self, block: u64, length: u64) -> Result<u64, ReadErrorKind> {
        let outside = || corrupt("a block lies outside the file system");
        let (group, within) = (block >> self.group_bits, block & ((1 << self.group_bits) - 1));
        let end = within.checked_add(length).ok_or_else(outside)?;
        let linear = group.checked_mul(self.group_blocks).ok_or_else(outside)? + within;
        if end > self.group_blocks || length > self.blocks || linear > self.blocks - length {
            return Err(outside());
        }
        Ok(linear)
    }

    /// Returns the position of a block in bytes, as [`linear`](Self::linear).
    fn block_position(&self, block: u64, length: u64) -> Result<u64, ReadErrorKind> {
        Ok(self.linear(block, length)? * self.block_size)
    }

    /// Returns the content of a block that is numbered by group.
    pub(super) fn block(&mut self, block: u64) -> Result<Vec<u8>, ReadErrorKind> {
        let position = self.block_position(block, 1)?;
        self.window.bytes(position, self.block_size)
    }

    /// Returns the bytes of inode `number` ("Inode Numbers").
    pub(super) fn inode_bytes(&mut self, number: u64) -> Result<Vec<u8>, ReadErrorKind> {
        let position = self.block_position(number >> self.inode_bits, 1)?;
        let index = number & ((1 << self.inode_bits) - 1);
        self.window.bytes(position + index * self.inode_size, self.inode_size)
    }
}
