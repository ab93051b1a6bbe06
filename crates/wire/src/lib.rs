//! The protocols AWS clients speak: types, routes, validation, errors and signatures.
//!
//! Knows no socket, no store and no clock; what a request means is the caller's.

pub mod sigv4;
