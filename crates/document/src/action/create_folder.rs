//! `CreateFolder`: makes folders, with their parents.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::Mode;

/// One folder that `CreateFolder` makes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateFolder {
    /// The folder to make; missing parents are created.
    #[schemars(length(min = 1))]
    pub path: String,
    /// The owning user, by name or number; the runner's when absent.
    pub owner: Option<String>,
    /// The owning group, by name or number; the runner's when absent.
    pub group: Option<String>,
    /// The permissions; 0777 less the umask when absent.
    pub permissions: Option<Mode>,
    /// Whether an existing folder is fine; if not, it fails the step.
    #[serde(default = "super::yes")]
    pub overwrite: bool,
}
