//! Content-addressed bytes in a folder.
//!
//! Knows nothing of what the bytes mean or who refers to them: a catalogue
//! elsewhere says what is reachable, and a [`Sweeper`] removes the rest.

mod error;
mod store;
mod sweeper;
mod writer;

pub use error::{BlobError, BlobErrorKind};
pub use store::{Opened, Store};
pub use sweeper::{Sweeper, Swept};
pub use writer::{Stored, Writer};
