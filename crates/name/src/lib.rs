//! The words that identify things: digests, versions, ARNs and ids.
//!
//! Nothing here knows what the named thing is or where it is kept.

mod digest;

pub use digest::{Builder, Digest, ParseDigestError};
