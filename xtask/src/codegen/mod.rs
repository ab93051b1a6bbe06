//! `crates/wire/src/imagebuilder/generated`, made from the public model.

mod data;
mod names;
mod operations;
mod service;
mod shapes;
mod write;

pub(crate) use write::imagebuilder_model;
pub use write::{GenerateError, Generated, imagebuilder, pinned_model};
