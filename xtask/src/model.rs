//! A public service model as botocore spells it, without its prose.
//!
//! Traits the generator does not know are refused, so that none is dropped in silence.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::IgnoredAny;

/// A service: its operations and the shapes they use.
#[derive(Debug, Deserialize)]
pub(crate) struct Service {
    pub(crate) operations: BTreeMap<String, Operation>,
    pub(crate) shapes: BTreeMap<String, Shape>,
}

/// An operation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Operation {
    pub(crate) name: String,
    pub(crate) http: Http,
    pub(crate) input: Reference,
    pub(crate) output: Reference,
    pub(crate) errors: Vec<Reference>,
    #[serde(rename = "documentation")]
    _prose: Option<IgnoredAny>,
}

/// How an operation is requested.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Http {
    pub(crate) method: String,
    pub(crate) request_uri: String,
}

/// A use of a shape, with what only this use says.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Reference {
    pub(crate) shape: String,
    pub(crate) location: Option<String>,
    pub(crate) location_name: Option<String>,
    #[serde(rename = "idempotencyToken")]
    _idempotency_token: Option<bool>,
    #[serde(rename = "box")]
    _boxed: Option<bool>,
    #[serde(rename = "documentation")]
    _prose: Option<IgnoredAny>,
}

/// A shape.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Shape {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) members: BTreeMap<String, Reference>,
    #[serde(default)]
    pub(crate) required: BTreeSet<String>,
    #[serde(rename = "enum")]
    pub(crate) words: Option<Vec<String>>,
    pub(crate) min: Option<i64>,
    pub(crate) max: Option<i64>,
    pub(crate) pattern: Option<String>,
    pub(crate) member: Option<Reference>,
    pub(crate) key: Option<Reference>,
    pub(crate) value: Option<Reference>,
    pub(crate) error: Option<Fault>,
    #[serde(default)]
    pub(crate) exception: bool,
    #[serde(rename = "documentation")]
    _prose: Option<IgnoredAny>,
}

/// What makes a shape an error.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Fault {
    pub(crate) http_status_code: u16,
}

/// Returns the model in `text`.
///
/// # Errors
/// Fails on traits the generator does not know.
pub(crate) fn parse(text: &[u8]) -> Result<Service, serde_json::Error> {
    serde_json::from_slice(text)
}
