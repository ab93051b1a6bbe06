//! AWS Signature Version 4: who sent a request, and that nobody changed it.
//!
//! Pure: callers bring the time and the keys. SigV4a, session tokens and
//! signatures in chunks are refused by name.

mod canonical;
mod claim;
mod encoding;
mod given;
mod moment;
mod refusal;
mod scope;

pub use claim::{Caller, Claim, Credentials, Tolerance};
pub use moment::Moment;
pub use refusal::{Malformed, Refusal};
