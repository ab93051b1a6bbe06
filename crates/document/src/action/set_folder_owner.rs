//! `SetFolderOwner`: changes who owns folders and what is in them.

use schemars::JsonSchema;
use serde::Deserialize;

/// One folder whose owner `SetFolderOwner` changes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetFolderOwner {
    /// The folder, which must exist.
    #[schemars(length(min = 1))]
    pub path: String,
    /// The owning user, by name or number.
    #[schemars(length(min = 1))]
    pub owner: String,
    /// The owning group, by name or number; the owner's own when absent.
    pub group: Option<String>,
    /// Whether all that is in the folder is changed, too; links in it are
    /// changed themselves, not what they lead to.
    #[serde(default = "super::yes")]
    pub recursive: bool,
}
