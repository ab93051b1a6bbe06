//! The Linux system on a disk: which of its file systems it mounts where, and
//! its files as they have to be once all of those are ext4.

mod adapt;
mod find;
mod fstab;
mod kernel;
mod walk;

pub use find::{FindError, System, Volume};
pub use walk::{WalkError, Walked};
