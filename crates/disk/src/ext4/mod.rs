//! ext4: written in one pass from a list of entries, and read back as one.
//!
//! The numbers come from the kernel's Documentation/filesystems/ext4; each
//! file cites the section it implements. Journals are created empty and never
//! replayed; hash-tree directories are read but not made.

mod acl;
mod allocate;
mod content;
mod crc32c;
mod directory;
mod entry;
mod error;
mod extent;
mod finish;
mod geometry;
mod group;
mod inode;
mod journal;
mod map;
mod output;
mod reader;
mod resize;
mod source;
mod superblock;
mod table;
mod tree;
mod walk;
mod writer;
mod xattr;

pub use entry::{Entry, Kind, Time};
pub use error::{AddError, AddErrorKind, FinishError, NewError};
pub use geometry::{MAXIMUM_SIZE, MINIMUM_SIZE, SizeError, minimum_size};
pub use reader::{OpenError, ReadError, ReadErrorKind, Reader};
pub use writer::{Options, Summary, Writer};
