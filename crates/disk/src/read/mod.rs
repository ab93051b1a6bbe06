//! What the readers of file systems share: bounded reads, the bytes of files,
//! and the walk from the root down.
//!
//! How a format keeps inodes and names is its own module's business.

mod bounds;
mod content;
mod error;
mod walk;
mod window;

pub use error::{Format, OpenError, ReadError, ReadErrorKind};

pub(crate) use bounds::{Attributes, LARGEST_DIRECTORY, Names};
pub(crate) use content::{Mapped, Stretch, has_hole};
pub(crate) use error::corrupt;
pub(crate) use walk::{Grafts, Inode, Volume, walk, with_file};
pub(crate) use window::Window;
