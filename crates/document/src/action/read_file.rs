//! `ReadFile`: puts the text of files out for later steps.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::Encoding;

/// One file that `ReadFile` reads.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReadFile {
    /// The file, which must exist; links are followed.
    #[schemars(length(min = 1))]
    pub path: String,
    /// How the text is encoded in the file.
    #[serde(default)]
    pub encoding: Encoding,
    /// Whether the text is printed, too.
    #[serde(default)]
    pub print_file_content: bool,
}
