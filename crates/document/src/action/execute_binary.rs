//! `ExecuteBinary`: runs one program without a shell.

use schemars::JsonSchema;
use serde::Deserialize;

/// What `ExecuteBinary` runs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExecuteBinary {
    /// The program's path, or its name if it is on the search path.
    #[schemars(length(min = 1))]
    pub path: String,
    /// The arguments after the program's name.
    #[serde(default)]
    pub arguments: Vec<String>,
}
