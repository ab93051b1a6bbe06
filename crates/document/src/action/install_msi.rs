//! `InstallMSI` and `UninstallMSI`: run the Windows installer on a package.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// The package that `InstallMSI` installs or `UninstallMSI` removes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Msi {
    /// The package: a path, an `s3://` or an `https://` address.
    #[schemars(length(min = 1), extend("format" = "msi-address"))]
    pub path: String,
    /// When the machine restarts.
    #[serde(default)]
    pub reboot: MsiReboot,
    /// What the installer logs, in the letters of its option `/L`.
    #[serde(default = "everything")]
    #[schemars(extend("format" = "msi-log-options"))]
    pub log_options: String,
    /// The log; one in the temporary folder when absent.
    #[schemars(length(min = 1))]
    pub log_file: Option<String>,
    /// Properties for the installer, except those that `reboot` and the
    /// module itself set.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "format": "msi-property" }))]
    pub properties: BTreeMap<String, String>,
    /// Whether a bad signature is taken.
    #[serde(default)]
    pub ignore_authenticode_signature_errors: bool,
    /// Whether a package without a signature is taken.
    #[serde(default)]
    pub allow_unsigned_installer: bool,
}

/// When a machine restarts after the Windows installer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum MsiReboot {
    /// When the installer asks for it.
    #[default]
    Allow,
    /// After every success.
    Force,
    /// Never.
    Skip,
}

fn everything() -> String {
    "*VX".to_owned()
}
