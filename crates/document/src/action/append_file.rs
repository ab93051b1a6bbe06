//! `AppendFile`: adds text at the end of files that exist.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::Encoding;

/// One file that `AppendFile` adds to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AppendFile {
    /// The file, which must exist.
    #[schemars(length(min = 1))]
    pub path: String,
    /// The text to add.
    #[serde(default)]
    pub content: String,
    /// How the text is encoded in the file.
    #[serde(default)]
    pub encoding: Encoding,
}
