//! What can go wrong when a file system is written.

use std::io;

use super::geometry::SizeError;
use super::tree::PathProblem;
use super::writer::{LONGEST_LABEL, LONGEST_TARGET, MOST_LINKS};
use super::xattr::Refused;
use crate::entry::LARGEST_FILE;

/// A file system cannot be begun.
#[derive(Debug, thiserror::Error)]
pub enum NewError {
    /// The size is not possible.
    #[error("failed to lay out an ext4 file system")]
    Size(#[source] SizeError),
    /// The label is longer than 16 bytes.
    #[error("the label `{label}` is longer than {LONGEST_LABEL} bytes")]
    Label {
        /// The label asked for.
        label: String,
    },
    /// What every file system has could not be written.
    #[error("failed to begin an ext4 file system")]
    Begin(#[source] AddErrorKind),
}

/// An entry cannot be added. The file system is not usable after that.
#[derive(Debug, thiserror::Error)]
#[error("failed to add `/{path}` to the ext4 file system")]
pub struct AddError {
    /// The entry's path; bytes that are not UTF-8 are replaced.
    pub path: String,
    /// What is wrong with it.
    #[source]
    pub kind: AddErrorKind,
}

/// Why an entry cannot be added.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AddErrorKind {
    /// The path is not relative and normal, or a name is too long.
    #[error("the path has an empty, `.`, `..` or longer than 255 bytes component")]
    MalformedPath,
    /// The parent was not added before.
    #[error("its parent directory was not added before it")]
    NoParent,
    /// The parent is something else.
    #[error("its parent is not a directory")]
    ParentNotADirectory,
    /// There is such an entry already.
    #[error("there is such an entry already")]
    Exists,
    /// The root and lost+found can only be directories.
    #[error("it can only be a directory")]
    NotADirectory,
    /// A hard link's target was not added before.
    #[error("the target `/{target}` of the hard link was not added before it")]
    NoTarget {
        /// The target's path.
        target: String,
    },
    /// A hard link's target is a directory.
    #[error("the target `/{target}` of the hard link is a directory")]
    TargetIsADirectory {
        /// The target's path.
        target: String,
    },
    /// An inode would have too many names.
    #[error("its file has more than {MOST_LINKS} names")]
    TooManyLinks,
    /// A symbolic link's target is empty, too long or has a NUL.
    #[error("a link's target has 1 to {LONGEST_TARGET} bytes without NUL, not {length}")]
    LinkTarget {
        /// The target's length, in bytes.
        length: usize,
    },
    /// A device's number is too large.
    #[error("there is no device {major}:{minor}")]
    DeviceNumber {
        /// The driver.
        major: u32,
        /// The device.
        minor: u32,
    },
    /// The file is too large for the format.
    #[error("a file has at most {LARGEST_FILE} bytes, not {size}")]
    FileTooLarge {
        /// The file's size, in bytes.
        size: u64,
    },
    /// The content ended early.
    #[error("its content ended after {found} of {size} bytes")]
    ContentEnded {
        /// The size in the entry, in bytes.
        size: u64,
        /// What there was, in bytes.
        found: u64,
    },
    /// ext4 cannot store an attribute of this name.
    #[error("ext4 has no attributes named `{name}`")]
    AttributeName {
        /// The attribute's full name.
        name: String,
    },
    /// An attribute's value is no access control list.
    #[error("the value of `{name}` is not an access control list")]
    AttributeList {
        /// The attribute's full name.
        name: String,
    },
    /// The attributes are too large.
    #[error("its extended attributes do not fit into one block")]
    AttributesTooLarge,
    /// No blocks are left.
    #[error("no space is left in {size} bytes")]
    OutOfSpace {
        /// The file system's size, in bytes.
        size: u64,
    },
    /// No inodes are left.
    #[error("all {inodes} inodes are in use")]
    OutOfInodes {
        /// The file system's inodes.
        inodes: u32,
    },
    /// The content failed.
    #[error("failed to read its content")]
    Read(#[source] io::Error),
    /// The output failed.
    #[error("failed to write")]
    Write(#[source] io::Error),
}

/// The output failed when the file system was completed.
#[derive(Debug, thiserror::Error)]
#[error("failed to complete the ext4 file system")]
pub struct FinishError(#[source] pub(super) io::Error);

impl From<PathProblem> for AddErrorKind {
    fn from(problem: PathProblem) -> Self {
        match problem {
            PathProblem::Malformed => Self::MalformedPath,
            PathProblem::NoParent => Self::NoParent,
            PathProblem::ParentNotADirectory => Self::ParentNotADirectory,
        }
    }
}

impl From<Refused> for AddErrorKind {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Name(name) => Self::AttributeName { name: lossy(&name) },
            Refused::List(name) => Self::AttributeList { name: lossy(&name) },
            Refused::TooLarge => Self::AttributesTooLarge,
        }
    }
}

/// Returns a path as messages show it.
pub(super) fn lossy(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}
