//! Where a document is damaged, so that rules look at the rest of it.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;

use crate::decode::decode;
use crate::yaml::Node;
use crate::{Problems, Severity, Span};

/// Where the errors of a document begin.
#[derive(Debug)]
pub(crate) struct Damage(BTreeSet<usize>);

impl Damage {
    /// Takes the places of the errors among `problems`.
    pub(crate) fn of(problems: &Problems) -> Self {
        let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
        Self(errors.map(|problem| problem.span.start).collect())
    }

    /// Returns whether no error is known between the ends of `span`.
    pub(crate) fn spares(&self, span: Span) -> bool {
        self.0.range(span.start..span.end.max(span.start + 1)).next().is_none()
    }

    /// Reads a `T` from `node`, if that is sound.
    pub(crate) fn read<T: DeserializeOwned>(&self, node: &Node) -> Option<T> {
        self.spares(node.span).then(|| decode(node).ok())?
    }
}
