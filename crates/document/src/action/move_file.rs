//! `MoveFile`: moves files, by name or by pattern.

use schemars::JsonSchema;
use serde::Deserialize;

/// One move that `MoveFile` makes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveFile {
    /// The file to move; `*` may stand in its last segment.
    #[schemars(length(min = 1), extend("format" = "last-segment-glob"))]
    pub source: String,
    /// Where it goes; a folder if it ends in `/`.
    #[schemars(length(min = 1))]
    pub destination: String,
    /// Whether an existing file is replaced; if not, it fails the step.
    #[serde(default = "super::yes")]
    pub overwrite: bool,
}
