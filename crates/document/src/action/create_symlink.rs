//! `CreateSymlink`: makes symbolic links, with their parents.

use schemars::JsonSchema;
use serde::Deserialize;

/// One link that `CreateSymlink` makes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateSymlink {
    /// The link; missing parent folders are created.
    #[schemars(length(min = 1))]
    pub path: String,
    /// What it leads to, which must exist; relative to the link's folder.
    #[schemars(length(min = 1))]
    pub target: String,
    /// Whether an existing link is replaced; if not, it fails the step.
    #[serde(default)]
    pub force: bool,
}
