//! `DeleteFile`: deletes files, by name or by pattern.

use schemars::JsonSchema;
use serde::Deserialize;

/// One file or pattern that `DeleteFile` deletes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteFile {
    /// The file to delete; `*` may stand in its last segment.
    #[schemars(length(min = 1), extend("format" = "last-segment-glob"))]
    pub path: String,
}
