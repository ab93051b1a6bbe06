//! Reads a file system that somebody else made.
//!
//! Any bytes may come in: there is an error for each contradiction that
//! matters to a reader, and no input makes it loop or run out of memory. A
//! journal is not replayed; checksums are not compared.

use std::io::{self, Read, Seek};

use super::entry::Entry;
use super::source::Source;
use super::walk::Walk;

/// A file system cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no superblock.
    #[error("there is no ext4 file system")]
    NotExt4,
    /// It uses a feature that is not known here.
    #[error("the ext4 file system uses unknown incompatible features {bits:#x}")]
    Feature {
        /// The bits of `s_feature_incompat`.
        bits: u32,
    },
    /// Its journal has to be replayed.
    #[error("the ext4 file system was not unmounted: its journal must be replayed by e2fsck")]
    NotClean,
    /// The superblock contradicts itself.
    #[error("the ext4 superblock is corrupt: {what}")]
    Corrupt {
        /// What is wrong.
        what: &'static str,
    },
    /// The input ends before the file system does.
    #[error("the ext4 file system of {blocks} blocks is cut short")]
    Truncated {
        /// Its number of blocks.
        blocks: u64,
    },
    /// The input failed.
    #[error("failed to read the ext4 superblock")]
    Read(#[source] io::Error),
}

/// An entry cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("failed to read `/{path}` from the ext4 file system")]
pub struct ReadError {
    /// The entry's path; bytes that are not UTF-8 are replaced.
    pub path: String,
    /// What is wrong with it.
    #[source]
    pub kind: ReadErrorKind,
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
    /// The input failed.
    #[error("failed to read the input")]
    Read(#[source] io::Error),
}

/// A file system that is read.
pub struct Reader<T> {
    source: Source<T>,
}

impl<T: Read + Seek> Reader<T> {
    /// Opens the file system at byte `offset` of `input`.
    pub fn open(input: T, offset: u64) -> Result<Self, OpenError> {
        Ok(Self { source: Source::open(input, offset)? })
    }

    /// Returns the volume's name, empty for none.
    pub fn label(&self) -> String {
        let label = self.source.label.split(|byte| *byte == 0).next().unwrap_or_default();
        String::from_utf8_lossy(label).into_owned()
    }

    /// Returns what identifies the file system.
    pub fn uuid(&self) -> [u8; 16] {
        self.source.uuid
    }

    /// Visits all entries with their content, the root first, a directory
    /// before what is in it, siblings in the order of their names' bytes.
    ///
    /// The first visited name of an inode stands for it; further names are
    /// hard links to that. A file is [`dense`](super::Kind::File) if it has no
    /// hole. An empty `lost+found` is left out. Content that is not read is
    /// skipped.
    pub fn walk<E: From<ReadError>>(
        &mut self,
        visit: impl FnMut(&Entry, &mut dyn Read) -> Result<(), E>,
    ) -> Result<(), E> {
        Walk::new(&mut self.source).run(visit)
    }
}
