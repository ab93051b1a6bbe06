//! What a file system is made of, one entry at a time.

use std::collections::BTreeMap;

/// The largest file that ext4 holds, in bytes: as many blocks as extents can
/// number.
pub(crate) const LARGEST_FILE: u64 = (u32::MAX as u64) * 4096;

/// One file, directory or other object, without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Relative to the root, without a leading slash; empty for the root.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: Kind,
    /// The permission bits, `0o7777` at most.
    pub mode: u16,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// When the content last changed; ext4's other times are set to it too.
    pub mtime: Time,
    /// Extended attributes by full name, with values as `getxattr` gives them.
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// What an [`Entry`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A regular file.
    File {
        /// In bytes.
        size: u64,
        /// Whether zero blocks have space of their own rather than being
        /// holes, as a swap file's must. The image stays sparse either way.
        dense: bool,
    },
    /// A symbolic link and its target.
    Symlink(Vec<u8>),
    /// One more name for the earlier entry of this path.
    ///
    /// Owner, mode, time and attributes are that entry's.
    HardLink(Vec<u8>),
    /// A character device.
    CharDevice {
        /// The driver.
        major: u32,
        /// The device.
        minor: u32,
    },
    /// A block device.
    BlockDevice {
        /// The driver.
        major: u32,
        /// The device.
        minor: u32,
    },
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
}

/// A time as inodes hold it.
///
/// ext4 holds 1901-12-13 to 2446-05-10; the writer moves other times to the
/// nearer end, as Linux does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Time {
    /// Seconds since 1970.
    pub seconds: i64,
    /// Nanoseconds into the second, below 10⁹.
    pub nanos: u32,
}

impl Time {
    const FIRST: i64 = i32::MIN as i64;
    const LAST: i64 = Self::FIRST + (1 << 34) - 1;
    const LAST_NANO: u32 = 999_999_999;

    /// Returns the classic and the extra field of an inode ("Inode
    /// Timestamps"): the extra one holds two bits of epoch and the nanoseconds.
    pub(crate) fn encode(self) -> (u32, u32) {
        let seconds = self.seconds.clamp(Self::FIRST, Self::LAST);
        let nanos = if seconds == self.seconds { self.nanos.min(Self::LAST_NANO) } else { 0 };
        let classic = seconds as i32;
        let epoch = ((seconds - i64::from(classic)) >> 32) as u32 & 3;
        (classic as u32, nanos << 2 | epoch)
    }

    /// Returns the time that the two fields hold.
    pub(crate) fn decode(classic: u32, extra: u32) -> Self {
        let epoch = i64::from(extra & 3) << 32;
        Self {
            seconds: i64::from(classic as i32) + epoch,
            nanos: (extra >> 2).min(Self::LAST_NANO),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(seconds: i64, nanos: u32, fields: (u32, u32)) {
        let time = Time { seconds, nanos };
        assert_eq!(time.encode(), fields);
        assert_eq!(Time::decode(fields.0, fields.1), time);
    }

    /// The table of "Inode Timestamps".
    #[test]
    fn times_are_encoded_as_documented() {
        check(-0x8000_0000, 0, (0x8000_0000, 0));
        check(-1, 999_999_999, (0xffff_ffff, 999_999_999 << 2));
        check(0, 0, (0, 0));
        check(0x7fff_ffff, 1, (0x7fff_ffff, 4));
        check(0x8000_0000, 0, (0x8000_0000, 1));
        check(0x1_0000_0000, 0, (0, 1));
        check(0x1_8000_0000, 0, (0x8000_0000, 2));
        check(0x2_8000_0000, 0, (0x8000_0000, 3));
        check(0x3_7fff_ffff, 0, (0x7fff_ffff, 3));
    }

    #[test]
    fn other_times_move_to_the_nearer_end() {
        let early = Time { seconds: i64::MIN, nanos: 5 };
        assert_eq!(early.encode(), (0x8000_0000, 0));
        let late = Time { seconds: i64::MAX, nanos: 5 };
        assert_eq!(late.encode(), (0x7fff_ffff, 3));
    }
}
