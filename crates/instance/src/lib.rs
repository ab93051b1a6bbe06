//! Launches, executes in, snapshots and terminates instances.
//!
//! A provider makes instances of one kind: [`sandbox`] on layers of files,
//! [`vm`] on a disk. What runs in them is told by the factory; what they
//! report is not trusted.

mod conversation;
pub mod sandbox;
pub mod vm;

pub use conversation::{ExecuteError, Outcome, Watch};
