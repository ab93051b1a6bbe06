//! Partition tables, FAT, ext4 and what others use in its place: the bytes of
//! a disk image.
//!
//! Everything works on a `Read`, `Write` and `Seek` that the caller opened;
//! nothing here knows a path on the host, a clock or a process.

mod btrfs;
mod bytes;
mod entry;
mod read;
mod reader;
mod xfs;

pub mod ext4;
pub mod fat;
pub mod gpt;
pub mod layout;
pub mod sparse;
pub mod system;

pub use entry::{Entry, Kind, Time};
pub use read::{Format, OpenError, ReadError, ReadErrorKind};
pub use reader::{Mount, Reader, Subvolume};
