//! What can go wrong when a file system of somebody else is read.

use std::fmt;
use std::io;

/// A kind of file system that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// ext2, ext3 or ext4.
    Ext4,
    /// XFS, version 5.
    Xfs,
    /// Btrfs on one device.
    Btrfs,
}

impl Format {
    /// Returns its name as in fstab(5).
    pub fn name(self) -> &'static str {
        match self {
            Self::Ext4 => "ext4",
            Self::Xfs => "xfs",
            Self::Btrfs => "btrfs",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A file system cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no superblock of a known kind.
    #[error("there is no ext4, xfs or btrfs file system")]
    Unknown,
    /// It uses a feature that is not known here.
    #[error("the {format} file system uses unknown incompatible features {bits:#x}")]
    Feature {
        /// Its kind.
        format: Format,
        /// The bits of the superblock's field.
        bits: u64,
    },
    /// It is of a make that is not read.
    #[error("the {format} file system {what}, which cannot be read")]
    Unsupported {
        /// Its kind.
        format: Format,
        /// What it is or has.
        what: &'static str,
    },
    /// Its journal has to be replayed.
    #[error("the {format} file system was not unmounted: {mend}")]
    NotClean {
        /// Its kind.
        format: Format,
        /// How it can be made clean.
        mend: &'static str,
    },
    /// The superblock contradicts itself.
    #[error("the {format} superblock is corrupt: {what}")]
    Corrupt {
        /// Its kind.
        format: Format,
        /// What is wrong.
        what: &'static str,
    },
    /// The input ends before the file system does.
    #[error("the {format} file system of {size} bytes is cut short")]
    Truncated {
        /// Its kind.
        format: Format,
        /// The size it should have.
        size: u64,
    },
    /// What leads to its files could not be read.
    #[error("failed to read the {format} file system's own records")]
    Records {
        /// Its kind.
        format: Format,
        /// Why.
        #[source]
        source: ReadErrorKind,
    },
    /// The input failed.
    #[error("failed to read the superblock")]
    Read(#[source] io::Error),
}

/// An entry cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("failed to read `/{path}` from the file system")]
pub struct ReadError {
    /// The entry's path; bytes that are not UTF-8 are replaced.
    pub path: String,
    /// What is wrong with it.
    #[source]
    pub kind: ReadErrorKind,
}

impl ReadError {
    pub(crate) fn new(path: &[u8], kind: ReadErrorKind) -> Self {
        Self { path: String::from_utf8_lossy(path).into_owned(), kind }
    }
}

/// Why an entry cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// The disk contradicts itself.
    #[error("the file system is corrupt: {what}")]
    Corrupt {
        /// What is wrong.
        what: &'static str,
    },
    /// The format allows it, this reader does not.
    #[error("{what} cannot be read")]
    Unsupported {
        /// What is used.
        what: &'static str,
    },
    /// There is no folder above what is mounted there.
    #[error(
        "the folder it is mounted in is missing: make that, or take the line out of the disk's `/etc/fstab`"
    )]
    NoMountPoint,
    /// The input failed.
    #[error("failed to read the input")]
    Read(#[source] io::Error),
}

/// Returns the error for a contradiction.
pub(crate) fn corrupt(what: &'static str) -> ReadErrorKind {
    ReadErrorKind::Corrupt { what }
}
