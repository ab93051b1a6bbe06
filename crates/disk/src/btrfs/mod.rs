//! Btrfs on one device, read.
//!
//! The numbers come from the kernel's include/uapi/linux/btrfs_tree.h and the
//! "On-disk Format" page of the documentation. Everything that is looked for
//! is an item of a tree, found by its key; free space and references from
//! extents are not looked at.

mod chunk;
mod content;
mod decompress;
mod item;
mod lzo;
mod source;
mod tree;
mod volume;

pub(crate) use source::{Id, Source};
