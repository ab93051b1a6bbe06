//! What the tasks are made of; `main` runs them and the tests judge what they wrote.

mod codegen;
mod model;
mod pattern;
mod wheel;

pub use codegen::{GenerateError, Generated, imagebuilder};
