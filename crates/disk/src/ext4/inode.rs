//! Inodes, written ("Index Nodes").

use super::crc32c::crc32c;
use super::geometry::INODE_SIZE;
use super::superblock::Seed;
use crate::bytes::{
    high_u16, high_u32, low_u16, low_u32, put, put_split_u32, put_u16, put_u32, u16_at,
};
use crate::entry::Time;

/// The root directory.
pub(super) const ROOT: u32 = 2;
/// Holds the blocks reserved for group descriptors.
pub(super) const RESIZE: u32 = 7;
/// The journal.
pub(super) const JOURNAL: u32 = 8;
/// lost+found, the first that is not reserved.
pub(super) const LOST_AND_FOUND: u32 = super::geometry::FIRST_INODE;

/// `EXTENTS_FL`: the block field holds an extent tree.
pub(super) const USES_EXTENTS: u32 = 0x8_0000;

/// The type bits of a mode.
pub(super) const TYPE_MASK: u16 = 0xf000;
/// The type bits of a named pipe.
pub(super) const FIFO: u16 = 0x1000;
/// The type bits of a character device.
pub(super) const CHAR_DEVICE: u16 = 0x2000;
/// The type bits of a directory.
pub(super) const DIRECTORY: u16 = 0x4000;
/// The type bits of a block device.
pub(super) const BLOCK_DEVICE: u16 = 0x6000;
/// The type bits of a regular file.
pub(super) const REGULAR: u16 = 0x8000;
/// The type bits of a symbolic link.
pub(super) const SYMLINK: u16 = 0xa000;
/// The type bits of a socket.
pub(super) const SOCKET: u16 = 0xc000;

/// The length of an inode, in bytes.
pub(super) const LENGTH: usize = INODE_SIZE as usize;
/// Where an inode's own attributes begin: after the classic fields and the
/// extra ones.
pub(super) const ATTRIBUTES_AT: usize = 128 + EXTRA_SIZE as usize;
/// The extra fields that are used, in bytes.
pub(super) const EXTRA_SIZE: u16 = 32;

const LINKS_AT: usize = 0x1a;
const CHECKSUM_LOW_AT: usize = 0x7c;
const CHECKSUM_HIGH_AT: usize = 0x82;

/// What an inode says.
#[derive(Debug, Clone)]
pub(super) struct Inode {
    /// Type and permission bits.
    pub(super) mode: u16,
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// In bytes.
    pub(super) size: u64,
    pub(super) links: u16,
    pub(super) time: Time,
    pub(super) flags: u32,
    /// All blocks that belong to the inode, those of its maps included.
    pub(super) blocks: u64,
    /// An extent tree's root, a short link's target or a device's number.
    pub(super) field: [u8; 60],
    /// The block of further attributes, or zero.
    pub(super) attribute_block: u64,
    /// The attributes in the inode, from [`ATTRIBUTES_AT`] on.
    pub(super) attributes: Vec<u8>,
}

impl Inode {
    /// Returns the inode as number `number` of the file system of `seed`.
    pub(super) fn encode(&self, seed: Seed, number: u32) -> [u8; LENGTH] {
        let mut raw = [0; LENGTH];
        let (time, time_extra) = self.time.encode();
        put_u16(&mut raw, 0x0, self.mode);
        put_split_u32(&mut raw, 0x2, 0x78, self.uid);
        put_u32(&mut raw, 0x4, low_u32(self.size));
        for at in [0x8, 0xc, 0x10, 0x90] {
            put_u32(&mut raw, at, time);
        }
        put_split_u32(&mut raw, 0x18, 0x7a, self.gid);
        put_u16(&mut raw, LINKS_AT, self.links);
        // Counted in sectors, whatever the size of a block.
        let sectors = self.blocks * 8;
        put_u32(&mut raw, 0x1c, low_u32(sectors));
        put_u16(&mut raw, 0x74, low_u16(high_u32(sectors)));
        put_u32(&mut raw, 0x20, self.flags);
        put(&mut raw, 0x28, &self.field);
        put_u32(&mut raw, 0x68, low_u32(self.attribute_block));
        put_u16(&mut raw, 0x76, low_u16(high_u32(self.attribute_block)));
        put_u32(&mut raw, 0x6c, high_u32(self.size));
        put_u16(&mut raw, 0x80, EXTRA_SIZE);
        for at in [0x84, 0x88, 0x8c, 0x94] {
            put_u32(&mut raw, at, time_extra);
        }
        put(&mut raw, ATTRIBUTES_AT, &self.attributes);
        seal(&mut raw, seed, number);
        raw
    }
}

/// Adds `links` names to an encoded inode, or returns `None` if those are
/// more than it can count.
pub(super) fn add_links(raw: &mut [u8; LENGTH], seed: Seed, number: u32, links: u16) -> Option<()> {
    let links = u16_at(raw, LINKS_AT).checked_add(links)?;
    put_u16(raw, LINKS_AT, links);
    seal(raw, seed, number);
    Some(())
}

/// Returns the block field of a device ("The Contents of inode.i_block"): the
/// old encoding where it is wide enough, the new one otherwise.
pub(super) fn device_field(major: u32, minor: u32) -> [u8; 60] {
    let mut field = [0; 60];
    if major < 256 && minor < 256 {
        put_u32(&mut field, 0, major << 8 | minor);
    } else {
        put_u32(&mut field, 4, minor & 0xff | major << 8 | (minor & !0xff) << 12);
    }
    field
}

/// Returns major and minor number of a device's block field.
pub(super) fn device_numbers(old: u32, new: u32) -> (u32, u32) {
    if old != 0 {
        return (old >> 8 & 0xff, old & 0xff);
    }
    (new >> 8 & 0xfff, new & 0xff | new >> 12 & 0xf_ff00)
}

/// Puts the checksum in its two places, which count as zero in it.
fn seal(raw: &mut [u8; LENGTH], seed: Seed, number: u32) {
    put_u16(raw, CHECKSUM_LOW_AT, 0);
    put_u16(raw, CHECKSUM_HIGH_AT, 0);
    let checksum = crc32c(seed.of_inode(number), &raw[..]);
    put_u16(raw, CHECKSUM_LOW_AT, low_u16(checksum));
    put_u16(raw, CHECKSUM_HIGH_AT, high_u16(checksum));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_round_trip() {
        for (major, minor) in [(1, 3), (255, 255), (8, 256), (256, 0), (4095, 0xf_ffff), (259, 7)] {
            let field = device_field(major, minor);
            let number = |at| crate::bytes::u32_at(&field, at);
            assert_eq!(device_numbers(number(0), number(4)), (major, minor));
        }
        assert_eq!(device_field(1, 3)[..4], [3, 1, 0, 0]);
        assert_eq!(device_field(8, 256)[..8], [0, 0, 0, 0, 0, 8, 0x10, 0]);
    }

    #[test]
    fn links_are_counted_to_the_end() {
        let mut raw = [0; LENGTH];
        let seed = Seed::of(&[0; 16]);
        assert_eq!(add_links(&mut raw, seed, 12, 65_535), Some(()));
        assert_eq!(add_links(&mut raw, seed, 12, 1), None);
    }
}
