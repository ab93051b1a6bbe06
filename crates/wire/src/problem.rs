//! One thing wrong with a request, in the words Image Builder uses.

use std::fmt::{self, Display};

/// How many problems a message tells; the rest are counted.
const TOLD: usize = 20;

/// A value that breaks a constraint of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where the value is, as in `distributions[0].region`.
    pub path: String,
    /// What it breaks, as in `must not be null`.
    pub rule: String,
}

impl Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, rule } = self;
        write!(f, "The value supplied for parameter '{path}' is not valid. {path} {rule}")
    }
}

/// Returns one message that tells all of `problems`.
pub(crate) fn tell(problems: &[Problem]) -> String {
    let told = problems.iter().take(TOLD).map(Problem::to_string).collect::<Vec<_>>().join("; ");
    match problems.len().saturating_sub(TOLD) {
        0 => told,
        more => format!("{told}; and {more} more"),
    }
}
