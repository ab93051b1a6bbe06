//! What requests to all of AWS's services have in common: whose they are, where
//! they go, how they are signed, and when they are sent again.
//!
//! What is asked for is for the client of each service to say.

mod endpoint;
#[cfg(test)]
pub(crate) mod received;
mod retry;
mod settings;
mod sign;

pub use settings::{Credentials, Service, Settings};

pub(crate) use endpoint::{Endpoint, EndpointError};
pub(crate) use retry::{Passing, Retry, is_passing_failure, is_passing_status};
pub(crate) use sign::{EMPTY, Request, Slash, encode, query, sign};

#[cfg(test)]
use sign::authorization;
