//! Where everything fixed lies in a file system of a given size.
//!
//! Each block group carries its own bitmaps and inode table (no `flex_bg`),
//! and the space for group descriptors is the same whatever the size, up to
//! 2 TiB. So a block's place does not depend on how large the file system is,
//! and images of different sizes share their blocks too.

/// The size of a block, in bytes.
pub(super) const BLOCK_SIZE: u64 = 4096;
/// [`BLOCK_SIZE`] for lengths in memory.
pub(super) const BLOCK: usize = 4096;
/// What one bitmap block can describe ("Block Groups").
pub(super) const BLOCKS_PER_GROUP: u64 = 8 * BLOCK_SIZE;
/// One inode for 16 KiB, the ratio of mke2fs.conf.
pub(super) const INODES_PER_GROUP: u32 = 8192;
/// The size of an inode, in bytes.
pub(super) const INODE_SIZE: u64 = 256;
/// The size of a group descriptor with the `64bit` feature, in bytes.
pub(super) const DESCRIPTOR_SIZE: usize = 64;
/// The first inode that is not reserved: lost+found.
pub(super) const FIRST_INODE: u32 = 11;

const INODE_TABLE_BLOCKS: u64 = INODES_PER_GROUP as u64 * INODE_SIZE / BLOCK_SIZE;
/// Group descriptors and the room reserved for more of them, at least: enough
/// for 2 TiB, and what mke2fs reserves for 2 GiB.
const DESCRIPTOR_BLOCKS: u64 = 256;
/// Two bitmaps and the inode table.
const GROUP_METADATA: u64 = 2 + INODE_TABLE_BLOCKS;
/// A last group with fewer blocks than this beyond its metadata is left out,
/// as by mke2fs.
const LEAST_LAST_GROUP: u64 = 50;
/// The resize inode's map, the root directory, lost+found and a node of the
/// journal's extent tree.
const FIXED_BLOCKS: u64 = 1 + 1 + 4 + 1;

/// The smallest file system that is made, in bytes.
pub const MINIMUM_SIZE: u64 = 16 << 20;
/// The largest file system that is made, in bytes: the largest volume of EBS.
pub const MAXIMUM_SIZE: u64 = 16_000 << 30;

/// A file system of this size cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SizeError {
    /// It is not a whole number of blocks.
    #[error("{size} bytes are not a multiple of {BLOCK_SIZE}")]
    NotAMultiple {
        /// The size asked for, in bytes.
        size: u64,
    },
    /// There is no room for the metadata.
    #[error("{size} bytes are fewer than {MINIMUM_SIZE}")]
    TooSmall {
        /// The size asked for, in bytes.
        size: u64,
    },
    /// It is larger than any volume.
    #[error("{size} bytes are more than {MAXIMUM_SIZE}")]
    TooLarge {
        /// The size asked for, in bytes.
        size: u64,
    },
}

/// The numbers that follow from a file system's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Geometry {
    blocks: u64,
    groups: u32,
    /// The blocks for group descriptors after each superblock.
    room: u64,
}

impl Geometry {
    /// Divides `size` bytes into groups.
    pub(super) fn new(size: u64) -> Result<Self, SizeError> {
        if !size.is_multiple_of(BLOCK_SIZE) {
            return Err(SizeError::NotAMultiple { size });
        }
        if size < MINIMUM_SIZE {
            return Err(SizeError::TooSmall { size });
        }
        if size > MAXIMUM_SIZE {
            return Err(SizeError::TooLarge { size });
        }
        let mut blocks = size / BLOCK_SIZE;
        let last = (blocks / BLOCKS_PER_GROUP) as u32;
        let rest = blocks % BLOCKS_PER_GROUP;
        if rest < metadata_blocks(last, room(last + 1)) + LEAST_LAST_GROUP {
            blocks -= rest;
        }
        let groups = blocks.div_ceil(BLOCKS_PER_GROUP) as u32;
        Ok(Self { blocks, groups, room: room(groups) })
    }

    /// Returns the number of blocks.
    pub(super) fn blocks(&self) -> u64 {
        self.blocks
    }

    /// Returns the number of groups.
    pub(super) fn groups(&self) -> u32 {
        self.groups
    }

    /// Returns the number of inodes.
    pub(super) fn inodes(&self) -> u32 {
        self.groups * INODES_PER_GROUP
    }

    /// Returns the number of blocks that hold group descriptors now.
    pub(super) fn descriptor_blocks(&self) -> u64 {
        descriptor_blocks(self.groups)
    }

    /// Returns the number of blocks that wait for more group descriptors.
    pub(super) fn reserved_descriptor_blocks(&self) -> u64 {
        self.room - self.descriptor_blocks()
    }

    /// Returns the groups other than the first that have a superblock and
    /// group descriptors.
    pub(super) fn backups(&self) -> impl Iterator<Item = u32> {
        (1..self.groups).filter(|group| has_superblock(*group))
    }

    /// Returns the first block of `group`.
    pub(super) fn start(&self, group: u32) -> u64 {
        u64::from(group) * BLOCKS_PER_GROUP
    }

    /// Returns the number of blocks in `group`.
    pub(super) fn length(&self, group: u32) -> u64 {
        BLOCKS_PER_GROUP.min(self.blocks - self.start(group))
    }

    /// Returns the block of `group`'s block bitmap.
    pub(super) fn block_bitmap(&self, group: u32) -> u64 {
        self.data(group) - GROUP_METADATA
    }

    /// Returns the block of `group`'s inode bitmap.
    pub(super) fn inode_bitmap(&self, group: u32) -> u64 {
        self.block_bitmap(group) + 1
    }

    /// Returns the first block of `group`'s inode table.
    pub(super) fn inode_table(&self, group: u32) -> u64 {
        self.block_bitmap(group) + 2
    }

    /// Returns the first block of `group` after its metadata.
    pub(super) fn data(&self, group: u32) -> u64 {
        self.start(group) + metadata_blocks(group, self.room)
    }

    /// Returns the number of blocks outside all groups' metadata.
    pub(super) fn capacity(&self) -> u64 {
        let with_superblock = 1 + self.backups().count() as u64;
        self.blocks - u64::from(self.groups) * GROUP_METADATA - with_superblock * (1 + self.room)
    }

    /// Returns where inode `number` lies, in bytes ("Finding an Inode").
    pub(super) fn inode_position(&self, number: u32) -> u64 {
        let group = (number - 1) / INODES_PER_GROUP;
        let index = u64::from((number - 1) % INODES_PER_GROUP);
        self.inode_table(group) * BLOCK_SIZE + index * INODE_SIZE
    }

    /// Returns the length of the journal in blocks, as mke2fs chooses it.
    pub(super) fn journal_blocks(&self) -> u64 {
        const STEPS: [(u64, u64); 8] = [
            (32 << 10, 1 << 10),
            (256 << 10, 4 << 10),
            (512 << 10, 8 << 10),
            (4096 << 10, 16 << 10),
            (8192 << 10, 32 << 10),
            (16384 << 10, 64 << 10),
            (32768 << 10, 128 << 10),
            (u64::MAX, 256 << 10),
        ];
        let step = STEPS.iter().find(|(below, _)| self.blocks < *below);
        step.map_or(1 << 10, |(_, journal)| *journal)
    }
}

/// Returns the smallest size, in bytes, that surely holds what is counted.
///
/// `content_blocks` counts a file's blocks of 4096 bytes, of one with holes
/// [`sparse_blocks`], a long link's target, one block for each directory and
/// one for each entry whose attributes may need it; `entries` counts all
/// entries. Names are taken to be as long as they can be. `None`: more than
/// [`MAXIMUM_SIZE`].
pub fn minimum_size(content_blocks: u64, entries: u64) -> Option<u64> {
    // A directory block holds 15 names of 255 bytes, and 5 scattered blocks
    // need one more to list them. A file is scattered by zero blocks, which
    // were counted, or by being longer than three groups.
    let names = entries.div_ceil(15).div_ceil(5).checked_mul(6)?;
    let long = content_blocks / (3 * BLOCKS_PER_GROUP - 3 * metadata_blocks(1, DESCRIPTOR_BLOCKS));
    let fixed = FIXED_BLOCKS + super::allocate::POOL_BLOCKS;
    let needed = content_blocks.checked_add(names)?.checked_add(long)?.checked_add(fixed)?;
    let fits = |size: u64| {
        Geometry::new(size).is_ok_and(|geometry| {
            let room = geometry.capacity() - geometry.journal_blocks();
            let inodes = u64::from(geometry.inodes() - (FIRST_INODE - 1));
            room >= needed && inodes > entries
        })
    };
    let (mut low, mut high) = (MINIMUM_SIZE >> 20, MAXIMUM_SIZE >> 20);
    if !fits(high << 20) {
        return None;
    }
    while low < high {
        let middle = (low + high) / 2;
        if fits(middle << 20) { high = middle } else { low = middle + 1 }
    }
    Some(low << 20)
}

/// Returns the blocks that a file may take whose content lies in `stretches`
/// with holes between them, of `blocks` in all.
pub fn sparse_blocks(blocks: u64, stretches: u64) -> u64 {
    // A block lists 340 stretches, and one more block as many of those.
    blocks + if stretches > 1 { stretches.div_ceil(300) + 1 } else { 0 }
}

/// Returns the number of blocks that hold the descriptors of `groups`.
fn descriptor_blocks(groups: u32) -> u64 {
    (u64::from(groups) * DESCRIPTOR_SIZE as u64).div_ceil(BLOCK_SIZE)
}

/// Returns the blocks set aside for the descriptors of `groups`, and of more.
fn room(groups: u32) -> u64 {
    descriptor_blocks(groups).max(DESCRIPTOR_BLOCKS)
}

/// Returns the blocks at the start of `group` that hold no content, where
/// descriptors have `room`.
fn metadata_blocks(group: u32, room: u64) -> u64 {
    let superblock = if has_superblock(group) { 1 + room } else { 0 };
    superblock + GROUP_METADATA
}

/// Tells whether `group` has a superblock ("Super Block", `sparse_super`):
/// groups 0 and 1 and the powers of 3, 5 and 7 have.
pub(super) fn has_superblock(group: u32) -> bool {
    let is_power = |base: u32| {
        let mut power = base;
        while power < group {
            power = power.saturating_mul(base);
        }
        power == group
    };
    group <= 1 || is_power(3) || is_power(5) || is_power(7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn superblocks_are_sparse() {
        let groups: Vec<u32> = (0..400).filter(|group| has_superblock(*group)).collect();
        assert_eq!(groups, [0, 1, 3, 5, 7, 9, 25, 27, 49, 81, 125, 243, 343]);
    }

    /// The numbers that `mke2fs -t ext4 -O ^flex_bg` reports for 2 GiB.
    #[test]
    fn two_gibibytes_are_divided_as_by_mke2fs() {
        let geometry = Geometry::new(2 << 30).unwrap();
        assert_eq!(
            (geometry.blocks(), geometry.groups(), geometry.inodes()),
            (524_288, 16, 131_072)
        );
        assert_eq!(geometry.reserved_descriptor_blocks(), 255);
        assert_eq!(geometry.journal_blocks(), 16384);
        assert_eq!(geometry.data(0), 771);
        // The overhead it reports counts the journal.
        assert_eq!(geometry.blocks() - geometry.capacity() + 16384, 26150);
    }

    #[test]
    fn a_stub_of_a_group_is_left_out() {
        let stub = (128 << 20) + (771 + 49) * BLOCK_SIZE;
        assert_eq!(Geometry::new(stub).unwrap().blocks(), 32768);
        assert_eq!(Geometry::new(stub + BLOCK_SIZE).unwrap().groups(), 2);
    }

    #[test]
    fn sizes_are_checked() {
        let check = |size, error| assert_eq!(Geometry::new(size), Err(error));
        check(4097, SizeError::NotAMultiple { size: 4097 });
        check(4096, SizeError::TooSmall { size: 4096 });
        let large = MAXIMUM_SIZE + BLOCK_SIZE;
        check(large, SizeError::TooLarge { size: large });
        // What `volumeSize` may be.
        assert_eq!(MAXIMUM_SIZE, 16_000 << 30);
        assert_eq!(Geometry::new(MAXIMUM_SIZE).unwrap().descriptor_blocks(), 2000);
    }

    #[test]
    fn small_ones_lie_alike_and_large_ones_have_room() {
        let check = |size, data, reserved| {
            let geometry = Geometry::new(size).unwrap();
            assert_eq!(geometry.data(1) - geometry.start(1), data, "{size}");
            assert_eq!(geometry.reserved_descriptor_blocks(), reserved, "{size}");
        };
        check(1 << 30, 771, 255);
        check(2 << 40, 771, 0);
        check((2 << 40) + (1 << 30), 772, 0);
        check(3 << 40, 899, 0);
    }

    #[test]
    fn minimum_grows_with_blocks_and_entries() {
        assert_eq!(minimum_size(0, 0), Some(MINIMUM_SIZE));
        let gibibyte = minimum_size(1 << 18, 1000).unwrap();
        assert!(gibibyte > 1 << 30 && gibibyte < 1200 << 20, "{gibibyte}");
        let many = minimum_size(0, 100_000).unwrap();
        assert!(Geometry::new(many).unwrap().inodes() > 100_000);
        assert_eq!(minimum_size(u64::MAX, 1), None);
        assert_eq!(minimum_size(1 << 40, 1), None);
    }
}
