//! What requests to all of AWS's services have in common: whose they are, where
//! they go, and how they are signed.
//!
//! What is asked for is for the client of each service to say.

mod endpoint;
#[cfg(test)]
pub(crate) mod received;
mod settings;
mod sign;

pub use settings::{Credentials, Service, Settings};

pub(crate) use endpoint::{Endpoint, EndpointError};
pub(crate) use sign::{EMPTY, Request, Slash, encode, query, sign};

#[cfg(test)]
use sign::authorization;
