//! What the tasks are made of; `main` runs them and the tests judge what they wrote.

mod codegen;
mod coverage;
mod model;
mod pattern;
mod wheel;

pub use codegen::{GenerateError, Generated, imagebuilder, pinned_model};
pub use coverage::{CoverageError, coverage};
pub use pattern::PatternError;
pub use wheel::WheelError;
