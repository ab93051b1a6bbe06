//! `chaining.json`: which references the documents of a run hold (reference
//! §2.9).

use serde::Serialize;
use toe::{ReferenceUse, references};

use super::document::Document;

/// What `chaining.json` holds.
#[derive(Serialize)]
pub(super) struct Chaining<'a> {
    documents: Vec<ChainedDocument<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ChainedDocument<'a> {
    file_path: &'a str,
    references: Vec<ReferenceUse>,
}

impl<'a> Chaining<'a> {
    /// Returns what is to be said of `documents`.
    pub(super) fn of(documents: &'a [Document]) -> Self {
        let documents = documents.iter();
        Self {
            documents: documents
                .map(|document| ChainedDocument {
                    file_path: &document.path,
                    references: references(&document.component),
                })
                .collect(),
        }
    }
}
