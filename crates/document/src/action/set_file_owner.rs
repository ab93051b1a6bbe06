//! `SetFileOwner`: changes who owns files.

use schemars::JsonSchema;
use serde::Deserialize;

/// One file whose owner `SetFileOwner` changes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetFileOwner {
    /// The file, which must exist; links are followed.
    #[schemars(length(min = 1))]
    pub path: String,
    /// The owning user, by name or number.
    #[schemars(length(min = 1))]
    pub owner: String,
    /// The owning group, by name or number; the owner's own when absent.
    pub group: Option<String>,
}
