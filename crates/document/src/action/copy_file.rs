//! `CopyFile`: copies files, by name or by pattern.

use schemars::JsonSchema;
use serde::Deserialize;

/// One copy that `CopyFile` makes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CopyFile {
    /// The file to copy; `*` may stand in its last segment.
    #[schemars(length(min = 1), extend("format" = "last-segment-glob"))]
    pub source: String,
    /// The copy's path; a folder if it ends in `/`.
    #[schemars(length(min = 1))]
    pub destination: String,
    /// Whether an existing file is replaced; if not, it fails the step.
    #[serde(default = "super::yes")]
    pub overwrite: bool,
}
