//! Executes a component document on the machine it is on.
//!
//! Synchronous: one step at a time, its output told as it comes. What a
//! document says is known by `document`; how the factory hears of it, by
//! `channel`.

mod account;
mod action;
pub mod aws;
mod cause;
mod clock;
mod digest;
mod dns;
mod excerpt;
mod files;
mod folder;
mod history;
mod http;
mod limit;
mod lines;
pub mod logs;
mod machine;
mod mask;
mod part;
mod paths;
mod probe;
mod process;
mod processes;
mod record;
mod references;
mod resume;
mod retry;
mod run;
pub mod s3;
mod scope;
mod socket;
mod step;
mod tail;
mod tree;

pub use cause::chain;
pub use folder::{LogFolder, LogFolderError};
pub use machine::Machine;
pub use processes::reap;
pub use record::{Ended, Record, Summary};
pub use references::{ReferenceUse, references};
pub use run::{Outcome, RunError, run};
