//! Partition tables, FAT and ext4: the bytes of a disk image.
//!
//! Everything works on a `Read`, `Write` and `Seek` that the caller opened;
//! nothing here knows a path on the host, a clock or a process.

mod bytes;

pub mod ext4;
pub mod fat;
pub mod gpt;
pub mod layout;
pub mod sparse;
