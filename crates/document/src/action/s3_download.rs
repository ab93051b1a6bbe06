//! `S3Download`: fetches objects from S3.

use schemars::JsonSchema;
use serde::Deserialize;

/// One object, or all below a prefix, that `S3Download` fetches.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct S3Download {
    /// The object, as in `s3://bucket/key`, or all below a prefix, as in
    /// `s3://bucket/prefix/*`.
    #[schemars(extend("format" = "s3-source"))]
    pub source: String,
    /// The file to write, or for a prefix the folder; its folders must exist.
    #[schemars(length(min = 1))]
    pub destination: String,
    /// The account that must own the bucket.
    #[schemars(extend("format" = "account"))]
    pub expected_bucket_owner: Option<String>,
    /// Whether an existing file is replaced; if not, it fails the step.
    #[serde(default = "super::yes")]
    pub overwrite: bool,
}
