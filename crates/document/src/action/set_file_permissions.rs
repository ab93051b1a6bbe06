//! `SetFilePermissions`: changes the mode of files.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::Mode;

/// One file whose mode `SetFilePermissions` changes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetFilePermissions {
    /// The file, which must exist.
    #[schemars(length(min = 1))]
    pub path: String,
    /// Its new permissions.
    pub permissions: Mode,
}
