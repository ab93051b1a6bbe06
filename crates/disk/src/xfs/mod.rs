//! XFS of version 5, read.
//!
//! The numbers come from the "XFS Algorithms & Data Structures" book; each
//! file cites the chapter it implements. Everything on the disk is big-endian.
//! Files are found from the root directory down, so neither free space nor the
//! indexes of inodes are looked at.

mod attribute;
mod directory;
mod inode;
mod log;
mod map;
mod source;
mod volume;

pub(crate) use source::Source;
