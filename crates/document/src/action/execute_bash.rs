//! `ExecuteBash`: runs commands as one bash script.

use schemars::JsonSchema;
use serde::Deserialize;

/// What `ExecuteBash` runs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExecuteBash {
    /// The script's parts, each one line or several; joined by line ends.
    #[schemars(length(min = 1))]
    pub commands: Vec<String>,
}
