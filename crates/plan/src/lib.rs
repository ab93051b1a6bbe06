//! From a recipe and its configuration to the steps of a run.
//!
//! A plan says what happens in which order; whether and when each step really
//! runs is `engine`'s to decide, how it runs is `factory`'s.

mod step;

pub use step::{Action, Component, Outline, Plan, Step, Workflow};
