//! The protocols AWS clients speak: types, routes, validation, errors and signatures.
//!
//! Knows no socket, no store and no clock; what a request means is the caller's.

mod word;

mod problem;
mod query;
mod rest_json;
mod route;
mod shape;
mod timestamp;
mod validate;

pub mod imagebuilder;
pub mod sigv4;

pub use problem::{Problem, Problems};
pub use rest_json::{ERROR_TYPE, ReadError, Refusal};
pub use route::Action;
pub use shape::{Bounds, Kind, Location, Member, Pattern, Shape};
pub use timestamp::{Timestamp, TimestampError};
pub use validate::{check_input, check_output};
