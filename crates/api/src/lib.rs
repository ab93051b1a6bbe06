//! What the operations of the APIs do: requests become facts in the store and work for the factory.
//!
//! Who calls is decided before, how requests and answers are written is
//! `wire`'s; a service has a module, a resource a file.

mod api;
mod builder;
mod imagebuilder;
mod schedule;

pub use api::{Api, Clock};
pub use builder::{Builder, Starting};
