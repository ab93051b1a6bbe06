//! A small client of CloudWatch Logs: lines go to a stream while they are told.
//!
//! Which lines those are, and what follows when they cannot be kept, is for
//! whoever runs documents to say.

mod batch;
mod client;
#[cfg(test)]
mod server;
mod stream;

pub use stream::{LogStream, LogStreamError};
