//! `SetFileEncoding`: converts files from UTF-8 to another encoding.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::Encoding;

/// One file that `SetFileEncoding` converts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetFileEncoding {
    /// The file, which must exist and be UTF-8.
    #[schemars(length(min = 1))]
    pub path: String,
    /// The encoding it gets.
    #[serde(default)]
    pub encoding: Encoding,
}
