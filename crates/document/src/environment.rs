//! What references stand for while a document runs.

use crate::{Reference, Span};

/// Answers what a reference stands for; implemented by whoever runs steps.
pub trait Environment {
    /// Returns the value of `reference`, or `None` if it has none (yet).
    fn value(&self, reference: &Reference) -> Option<String>;
}

/// A step's inputs could not be made concrete.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// A reference has no value.
    #[error("`{{{{ {reference} }}}}` has no value")]
    NoValue {
        /// The reference.
        reference: Reference,
        /// Where it stands in the document.
        span: Span,
    },
    /// With the references' values in, the inputs are no longer valid.
    #[error("{message}")]
    Invalid {
        /// What is wrong.
        message: String,
        /// Where the input stands in the document.
        span: Span,
    },
}
