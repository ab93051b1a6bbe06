//! `MoveFolder`: moves folders with all that is in them, by name or by pattern.

use schemars::JsonSchema;
use serde::Deserialize;

/// One move that `MoveFolder` makes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveFolder {
    /// The folder to move; `*` may stand in its last segment.
    #[schemars(length(min = 1), extend("format" = "last-segment-glob"))]
    pub source: String,
    /// Its new path; the folder to move into if it ends in `/`. Parents are
    /// created.
    #[schemars(length(min = 1))]
    pub destination: String,
    /// Whether a folder that exists is added to, its files replaced by those
    /// of the same name; if not, it fails the step.
    #[serde(default = "super::yes")]
    pub overwrite: bool,
}
