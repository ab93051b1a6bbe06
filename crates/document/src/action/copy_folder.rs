//! `CopyFolder`: copies folders with all that is in them, by name or by pattern.

use schemars::JsonSchema;
use serde::Deserialize;

/// One copy that `CopyFolder` makes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CopyFolder {
    /// The folder to copy; `*` may stand in its last segment.
    #[schemars(length(min = 1), extend("format" = "last-segment-glob"))]
    pub source: String,
    /// The copy's path; the folder to copy into if it ends in `/`. Parents
    /// are created.
    #[schemars(length(min = 1))]
    pub destination: String,
    /// Whether a folder that exists is added to, its files replaced by those
    /// of the same name; if not, it fails the step.
    #[serde(default = "super::yes")]
    pub overwrite: bool,
}
