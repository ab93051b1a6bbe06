//! `Reboot`: restarts the machine and goes on with the next step.

use schemars::JsonSchema;
use serde::Deserialize;

/// How `Reboot` restarts the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reboot {
    /// How many seconds to wait before restarting.
    #[serde(default)]
    pub delay_seconds: u32,
}
