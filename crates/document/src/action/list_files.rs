//! `ListFiles`: tells which files are in folders.

use schemars::JsonSchema;
use serde::Deserialize;

/// One folder whose files `ListFiles` tells.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListFiles {
    /// The folder, which must exist.
    #[schemars(length(min = 1))]
    pub path: String,
    /// What the files' names must match, with `*` for any text.
    #[serde(default = "any")]
    #[schemars(extend("format" = "file-name-glob"))]
    pub file_name_pattern: String,
    /// Whether folders in the folder are looked into.
    #[serde(default)]
    pub recursive: bool,
}

fn any() -> String {
    "*".to_owned()
}
