//! `UpdateOS`: brings the installed packages up to date.

use schemars::JsonSchema;
use serde::Deserialize;

/// Which packages `UpdateOS` updates: all, or `include` without `exclude`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateOs {
    /// The packages to update; all when empty.
    #[serde(default)]
    pub include: Vec<String>,
    /// The packages to leave as they are.
    #[serde(default)]
    pub exclude: Vec<String>,
}
