//! ext4: written in one pass from a list of entries, and read back as one.
//!
//! The numbers come from the kernel's Documentation/filesystems/ext4; each
//! file cites the section it implements. Journals are created empty and never
//! replayed; hash-tree directories are read but not made.

mod acl;
mod allocate;
mod crc32c;
mod directory;
mod error;
mod extent;
mod finish;
mod geometry;
mod group;
mod inode;
mod journal;
mod map;
mod output;
mod resize;
mod source;
mod superblock;
mod table;
mod tree;
mod volume;
mod writer;
mod xattr;

pub use error::{AddError, AddErrorKind, FinishError, NewError};
pub use geometry::{MAXIMUM_SIZE, MINIMUM_SIZE, SizeError, minimum_size, sparse_blocks};
pub use writer::{Options, Summary, Writer};

pub(crate) use source::Source;
