//! What is wrong with a request, in the words Image Builder uses.

use std::fmt::{self, Display};

/// A value that breaks a constraint of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where the value is, as in `distributions[0].region`.
    pub path: String,
    /// What it breaks, as in `must not be null`.
    pub rule: String,
}

/// All that is wrong with a value: the first problems are told, the rest are counted.
///
/// A client can send more problems than there is memory for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    told: Vec<Problem>,
    more: usize,
}

/// How many problems are told.
const TOLD: usize = 20;

impl Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, rule } = self;
        write!(f, "The value supplied for parameter '{path}' is not valid. {path} {rule}")
    }
}

impl Problems {
    /// Returns the problems that are told.
    pub fn told(&self) -> &[Problem] {
        &self.told
    }

    /// Returns whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// Adds a problem.
    pub(crate) fn push(&mut self, path: &str, rule: impl Display) {
        if self.told.len() == TOLD {
            self.more += 1;
        } else {
            self.told.push(Problem { path: path.to_owned(), rule: rule.to_string() });
        }
    }
}

impl Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = self.told.iter().map(Problem::to_string).collect::<Vec<_>>().join("; ");
        f.write_str(&told)?;
        match self.more {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}
