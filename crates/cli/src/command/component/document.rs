//! Documents as they are named on the command line: read, parsed and checked,
//! with every problem of all of them.

use std::fs;
use std::io;
use std::path::Path;

use document::{Component, Problems};
use factory::{Found, ManagedComponent};

use super::object::{ObjectError, Objects};
use super::platform::Platform;

/// A document that has no problems.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    /// How it was named: a path, an address in S3 or an ARN.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
    /// What the text says.
    pub(crate) component: Component,
}

/// A document is not to be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DocumentError {
    #[error("failed to read {path}")]
    Read {
        path: String,
        #[source]
        source: io::Error,
    },
    #[error("there is no component `{0}`")]
    None(String),
    #[error("failed to fetch {address}")]
    Fetch {
        address: String,
        #[source]
        source: ObjectError,
    },
}

/// What is wrong with documents, or odd about them.
#[derive(Debug, Default)]
pub(crate) struct DocumentProblems {
    /// For people.
    pub(crate) rendered: String,
    /// For programs.
    pub(crate) found: Vec<Found>,
    /// The documents that cannot be used.
    pub(crate) refused: Vec<String>,
}

/// Returns the documents called `names` that can be used, and what there is to
/// say about any of them. Modules are to work on `platform`.
pub(crate) fn load(
    names: &[String],
    platform: Platform,
    objects: &Objects,
) -> (Vec<Document>, DocumentProblems) {
    let mut documents = Vec::new();
    let mut problems = DocumentProblems::default();
    for name in names {
        match read(name, objects) {
            Ok(text) => documents.extend(check(name, text, platform, &mut problems)),
            Err(error) => problems.add_unreadable(name, &error),
        }
    }
    (documents, problems)
}

fn check(
    name: &str,
    text: String,
    platform: Platform,
    problems: &mut DocumentProblems,
) -> Option<Document> {
    match Component::parse(&text) {
        Ok(parsed) => {
            let mut all = parsed.warnings;
            all.extend(parsed.value.problems_on(platform.into()));
            problems.add(name, &text, &all);
            let path = name.to_owned();
            (!all.refuse()).then_some(Document { path, text, component: parsed.value })
        }
        Err(all) => {
            problems.add(name, &text, &all);
            None
        }
    }
}

/// Returns the text of the document called `name`.
fn read(name: &str, objects: &Objects) -> Result<String, DocumentError> {
    if Objects::is_address(name) {
        let fetched = objects.read(name);
        return fetched.map_err(|source| DocumentError::Fetch { address: name.to_owned(), source });
    }
    if name.starts_with("arn:") {
        let managed = name.parse().ok().and_then(|arn| ManagedComponent::find(&arn));
        let text = managed.map(|managed| managed.text.to_owned());
        return text.ok_or_else(|| DocumentError::None(name.to_owned()));
    }
    fs::read_to_string(Path::new(name))
        .map_err(|source| DocumentError::Read { path: name.to_owned(), source })
}

impl DocumentProblems {
    fn add(&mut self, name: &str, text: &str, problems: &Problems) {
        if problems.is_empty() {
            return;
        }
        self.separate();
        self.rendered.push_str(&problems.render(name, text));
        self.found.extend(Found::of(name, text, problems));
        if problems.refuse() {
            self.refused.push(name.to_owned());
        }
    }

    fn add_unreadable(&mut self, name: &str, error: &DocumentError) {
        self.separate();
        let message = toe::chain(error);
        self.rendered.push_str(&format!("error[no-such-document]: {message}\n"));
        self.refused.push(name.to_owned());
        self.found.push(Found {
            document: name.to_owned(),
            line: None,
            column: None,
            severity: "error",
            code: "no-such-document",
            message,
            help: None,
        });
    }

    /// Returns what is said of one document, a line for each problem.
    pub(crate) fn said_of(&self, name: &str) -> impl Iterator<Item = String> {
        let found = self.found.iter().filter(move |found| found.document == name);
        found.map(|found| match (found.line, found.column) {
            (Some(line), Some(column)) => format!("{line}:{column}: {}", found.message),
            (_, _) => found.message.clone(),
        })
    }

    fn separate(&mut self) {
        if !self.rendered.is_empty() {
            self.rendered.push('\n');
        }
    }
}
