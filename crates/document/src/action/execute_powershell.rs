//! `ExecutePowerShell`: runs commands or a script with PowerShell, on Windows.

use schemars::JsonSchema;
use serde::Deserialize;

/// What `ExecutePowerShell` runs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [{ "required": ["commands"] }, { "required": ["file"] }]))]
pub struct ExecutePowerShell {
    /// The script's parts, each one line or several; joined by line ends.
    #[schemars(length(min = 1))]
    pub commands: Option<Vec<String>>,
    /// The path of a script.
    #[schemars(length(min = 1), extend("format" = "powershell-script"))]
    pub file: Option<String>,
}
