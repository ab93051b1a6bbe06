//! `S3Upload`: stores files as objects in S3.

use schemars::JsonSchema;
use serde::Deserialize;

/// One file, pattern or folder that `S3Upload` stores.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct S3Upload {
    /// The file; `*` may stand in its last segment. A folder needs `recurse`.
    #[schemars(length(min = 1), extend("format" = "last-segment-glob"))]
    pub source: String,
    /// The object, as in `s3://bucket/key`; for a pattern or a folder, or if
    /// it ends in `/`, the prefix of the objects.
    #[schemars(extend("format" = "s3-address"))]
    pub destination: String,
    /// Whether folders are stored with all that is in them.
    #[serde(default)]
    pub recurse: bool,
    /// The account that must own the bucket.
    #[schemars(extend("format" = "account"))]
    pub expected_bucket_owner: Option<String>,
}
