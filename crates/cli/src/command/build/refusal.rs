//! A build that did not begin, as programs that wait for its results read it.

use factory::Found;
use serde::Serialize;

use crate::error::CliError;

/// Why there is no report.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Refusal<'a> {
    /// Where a report has the image's state. The factory may also break down
    /// in the middle, and then there is no report either.
    state: &'static str,
    message: String,
    /// What to do about it, if that is known.
    hint: Option<String>,
    /// What is wrong with the project and its documents.
    problems: &'a [Found],
}

impl<'a> Refusal<'a> {
    /// Returns what `error` comes to.
    pub(super) fn of(error: &'a CliError) -> Self {
        Self {
            state: if matches!(error, CliError::Build(_)) { "FAILED" } else { "REFUSED" },
            message: error.sentence(),
            hint: error.hint(),
            problems: error.found(),
        }
    }
}
