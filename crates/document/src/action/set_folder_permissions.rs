//! `SetFolderPermissions`: changes the mode of folders and of what is in them.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::Mode;

/// One folder whose mode `SetFolderPermissions` changes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetFolderPermissions {
    /// The folder, which must exist.
    #[schemars(length(min = 1))]
    pub path: String,
    /// Its new permissions.
    pub permissions: Mode,
    /// Whether all that is in the folder is changed, too, except links.
    #[serde(default = "super::yes")]
    pub recursive: bool,
}
