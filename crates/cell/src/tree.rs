//! Trees of files, as seen by the ids that own them.

mod copy;
mod entry;
mod extract;
mod holes;
mod leave_out;
mod needed;
mod order;
mod read;
mod remove;
mod write;

pub use write::Written;

pub(crate) use extract::{extract, read_disk};
pub(crate) use read::read;
pub(crate) use remove::remove;
pub(crate) use write::write_disk;
