//! `DeleteFolder`: deletes folders.

use schemars::JsonSchema;
use serde::Deserialize;

/// One folder that `DeleteFolder` deletes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteFolder {
    /// The folder to delete.
    #[schemars(length(min = 1))]
    pub path: String,
    /// Whether what is in it is deleted, too; if not, a folder that is not
    /// empty fails the step.
    #[serde(default)]
    pub force: bool,
}
