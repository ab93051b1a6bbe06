//! `ExecuteDocument`: executes another component document as a step.

use schemars::JsonSchema;
use serde::Deserialize;

/// What `ExecuteDocument` executes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExecuteDocument {
    /// The document: a path, an `s3://` address or a component's ARN.
    #[schemars(length(min = 1), extend("format" = "document-address"))]
    pub document: String,
    /// The account that must own the document's bucket.
    #[serde(rename = "document-s3-bucket-owner")]
    #[schemars(extend("format" = "account"))]
    pub bucket_owner: Option<String>,
    /// The phases to execute, separated by commas; all when absent.
    pub phases: Option<String>,
    /// Values for the document's parameters.
    #[serde(default)]
    pub parameters: Vec<Argument>,
}

/// A value for a parameter of a document.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Argument {
    /// The parameter's name.
    #[schemars(extend("format" = "parameter-name"))]
    pub name: String,
    /// Its value.
    pub value: String,
}
