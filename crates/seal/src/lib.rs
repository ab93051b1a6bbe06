//! Small secrets, encrypted and authenticated: what is kept of them, and how they are compared.
//!
//! Where keys lie and how randomness is drawn is left to callers.

mod compare;
mod hex;
mod key;
mod secret;

pub use compare::equal;
pub use key::{Key, KeyId, OpenError};
pub use secret::Secret;
