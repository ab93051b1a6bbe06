//! A problem of a text, as programs read it: without the text at hand.

use document::{Problems, Severity, place};
use serde::Serialize;

/// What was found wrong with a text, or odd about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// The file, or what else the text is known by.
    pub document: String,
    /// From 1; absent where the text cannot be read.
    pub line: Option<usize>,
    /// From 1, in characters.
    pub column: Option<usize>,
    /// `error` or `warning`.
    pub severity: &'static str,
    /// The rule's name, as in `unknown-member`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
}

impl Found {
    /// Returns the `problems` of `text`, which is known as `document`.
    pub fn of<'a>(
        document: &'a str,
        text: &'a str,
        problems: &'a Problems,
    ) -> impl Iterator<Item = Self> + 'a {
        problems.iter().map(move |problem| {
            let (line, column) = place(text, problem.span.start);
            Self {
                document: document.to_owned(),
                line: Some(line),
                column: Some(column),
                severity: match problem.severity {
                    Severity::Error => "error",
                    Severity::Warning => "warning",
                },
                code: problem.code,
                message: problem.message.clone(),
                help: problem.help.clone(),
            }
        })
    }
}
