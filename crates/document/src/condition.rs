//! Conditions: what `if` and `Assert` say, and whether it holds.
//!
//! Files and programs are looked at through a [`Probe`], so this stays pure.

mod decimal;
mod pattern;
mod read;

use std::cmp::Ordering;
use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::Algorithm;

pub(crate) use decimal::is_decimal;
pub(crate) use pattern::compile;
pub(crate) use read::{Beside, beside};

/// A condition (reference §2.4, §2.5) with its references resolved.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// All hold; later ones are not looked at once one does not.
    And(Vec<Condition>),
    /// One holds; later ones are not looked at.
    Or(Vec<Condition>),
    /// The other does not hold.
    Not(Box<Condition>),
    /// The text has no characters.
    StringIsEmpty(String),
    /// The text has characters, all of them white space.
    StringIsWhitespace(String),
    /// The value stands so to the operand, letters' case apart.
    Text(Comparison),
    /// The value stands so to the operand, as decimal numbers of any length.
    Number(Comparison),
    /// The value contains a match of the regular expression, case apart.
    PatternMatches {
        /// The regular expression.
        pattern: String,
        /// What is searched.
        value: String,
    },
    /// A program of this name is on the search path.
    BinaryExists(String),
    /// A regular file is there.
    FileExists(String),
    /// A folder is there.
    FolderExists(String),
    /// A file's digest is this one.
    FileDigest {
        /// How the digest is computed.
        algorithm: Algorithm,
        /// The digest in hex.
        digest: String,
        /// The file.
        path: String,
    },
}

/// Two values to compare: `value` stands in `order` to `operand`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// How they should stand to each other.
    pub order: Order,
    /// What the operator's own member says.
    pub operand: String,
    /// What `value` says.
    pub value: String,
}

/// How two values stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The value equals the operand.
    Equal,
    /// The value is less than the operand.
    Less,
    /// The value is at most the operand.
    LessOrEqual,
    /// The value is greater than the operand.
    Greater,
    /// The value is at least the operand.
    GreaterOrEqual,
}

/// A step's `if`.
#[derive(Debug, Clone, PartialEq)]
pub struct Guard {
    /// What is asked.
    pub condition: Condition,
    /// What follows when it holds.
    pub then: Verdict,
    /// What follows when it does not.
    pub otherwise: Verdict,
}

/// What a step does by its `if`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Verdict {
    /// The step runs.
    Execute,
    /// The step is passed over and counts as a success.
    Skip,
    /// The step fails.
    Abort,
}

/// Looks at the machine a condition asks about.
pub trait Probe {
    /// Returns whether a program of this name is on the search path.
    fn binary_exists(&self, name: &str) -> bool;
    /// Returns whether `path` is a regular file.
    fn file_exists(&self, path: &str) -> bool;
    /// Returns whether `path` is a folder.
    fn folder_exists(&self, path: &str) -> bool;
    /// Returns the hex digest of the file at `path`, `None` if it cannot be read.
    fn file_digest(&self, path: &str, algorithm: Algorithm) -> Option<String>;
}

/// A condition could not be evaluated.
#[derive(Debug, Clone, thiserror::Error)]
#[error("`{pattern}` is not a regular expression")]
pub struct EvaluateError {
    pattern: String,
    #[source]
    source: regex::Error,
}

impl Condition {
    /// Returns whether the condition holds on the machine behind `probe`.
    ///
    /// Values that should be numbers and are none make a comparison false.
    pub fn evaluate(&self, probe: &impl Probe) -> Result<bool, EvaluateError> {
        match self {
            Self::And(all) => {
                for condition in all {
                    if !condition.evaluate(probe)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Or(any) => {
                for condition in any {
                    if condition.evaluate(probe)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::Not(other) => Ok(!other.evaluate(probe)?),
            Self::StringIsEmpty(text) => Ok(text.is_empty()),
            Self::StringIsWhitespace(text) => Ok(!text.is_empty() && text.trim().is_empty()),
            Self::Text(Comparison { order, operand, value }) => {
                Ok(order.is(value.to_lowercase().cmp(&operand.to_lowercase())))
            }
            Self::Number(Comparison { order, operand, value }) => {
                Ok(decimal::compare(value, operand).is_some_and(|ordering| order.is(ordering)))
            }
            Self::PatternMatches { pattern, value } => {
                let regex = compile(pattern)
                    .map_err(|source| EvaluateError { pattern: pattern.clone(), source })?;
                Ok(regex.is_match(value))
            }
            Self::BinaryExists(name) => Ok(probe.binary_exists(name)),
            Self::FileExists(path) => Ok(probe.file_exists(path)),
            Self::FolderExists(path) => Ok(probe.folder_exists(path)),
            Self::FileDigest { algorithm, digest, path } => {
                let found = probe.file_digest(path, *algorithm);
                Ok(found.is_some_and(|found| found.eq_ignore_ascii_case(digest)))
            }
        }
    }
}

impl Condition {
    /// Returns whether the condition holds on every machine (`true`) or on
    /// none, as far as its operands alone decide it.
    pub(crate) fn constant(&self) -> Option<bool> {
        match self {
            Self::And(all) => decided(all, false),
            Self::Or(any) => decided(any, true),
            Self::Not(other) => other.constant().map(|holds| !holds),
            Self::StringIsEmpty(_)
            | Self::StringIsWhitespace(_)
            | Self::Text(_)
            | Self::Number(_)
            | Self::PatternMatches { .. } => self.evaluate(&NoMachine).ok(),
            Self::BinaryExists(_)
            | Self::FileExists(_)
            | Self::FolderExists(_)
            | Self::FileDigest { .. } => None,
        }
    }
}

/// Returns `decisive` if one condition is that, its contrary if none can be.
fn decided(conditions: &[Condition], decisive: bool) -> Option<bool> {
    let known: Vec<_> = conditions.iter().map(Condition::constant).collect();
    if known.contains(&Some(decisive)) {
        return Some(decisive);
    }
    known.iter().all(Option::is_some).then_some(!decisive)
}

/// Answers for no machine at all.
struct NoMachine;

impl Probe for NoMachine {
    fn binary_exists(&self, _: &str) -> bool {
        false
    }

    fn file_exists(&self, _: &str) -> bool {
        false
    }

    fn folder_exists(&self, _: &str) -> bool {
        false
    }

    fn file_digest(&self, _: &str, _: Algorithm) -> Option<String> {
        None
    }
}

impl Order {
    fn is(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let join = |conditions: &[Condition], word: &str| {
            let texts: Vec<String> = conditions.iter().map(|each| format!("({each})")).collect();
            texts.join(word)
        };
        match self {
            Self::And(all) => f.write_str(&join(all, " and ")),
            Self::Or(any) => f.write_str(&join(any, " or ")),
            Self::Not(other) => write!(f, "not ({other})"),
            Self::StringIsEmpty(text) => write!(f, "`{text}` is empty"),
            Self::StringIsWhitespace(text) => write!(f, "`{text}` is white space"),
            Self::Text(Comparison { order, operand, value })
            | Self::Number(Comparison { order, operand, value }) => {
                let word = match order {
                    Order::Equal => "equals",
                    Order::Less => "is less than",
                    Order::LessOrEqual => "is at most",
                    Order::Greater => "is greater than",
                    Order::GreaterOrEqual => "is at least",
                };
                write!(f, "`{value}` {word} `{operand}`")
            }
            Self::PatternMatches { pattern, value } => write!(f, "`{value}` matches `{pattern}`"),
            Self::BinaryExists(name) => write!(f, "program `{name}` exists"),
            Self::FileExists(path) => write!(f, "file `{path}` exists"),
            Self::FolderExists(path) => write!(f, "folder `{path}` exists"),
            Self::FileDigest { algorithm, digest, path } => {
                write!(f, "the {algorithm} of file `{path}` is {digest}")
            }
        }
    }
}

#[cfg(test)]
mod tests;
