//! `CreateFile`: writes files, with their parents.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{Encoding, Mode};

/// One file that `CreateFile` writes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateFile {
    /// The file to write; missing parent folders are created.
    #[schemars(length(min = 1))]
    pub path: String,
    /// The text of the file.
    #[serde(default)]
    pub content: String,
    /// How the text is encoded in the file.
    #[serde(default)]
    pub encoding: Encoding,
    /// The owning user, by name or number; the runner's when absent.
    pub owner: Option<String>,
    /// The owning group, by name or number; the runner's when absent.
    pub group: Option<String>,
    /// The permissions; 0666 less the umask when absent.
    pub permissions: Option<Mode>,
    /// Whether an existing file is replaced; if not, it fails the step.
    #[serde(default = "super::yes")]
    pub overwrite: bool,
}
