//! `SetRegistry`: sets values in the Windows registry.

use schemars::JsonSchema;
use serde::Deserialize;

/// One value that `SetRegistry` sets.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("allOf" = [
    one_text("SZ"), one_text("EXPAND_SZ"), one_text("DWORD"), one_text("QWORD")
]))]
pub struct SetRegistry {
    /// The key, as in `HKLM:\SOFTWARE\Example`; made when absent.
    #[schemars(extend("format" = "registry-key"))]
    pub path: String,
    /// The value's name.
    #[schemars(length(min = 1))]
    pub name: String,
    /// The value.
    pub value: RegistryValue,
    /// The value's type.
    #[serde(rename = "type")]
    pub kind: RegistryType,
}

/// What a value in the registry is set to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RegistryValue {
    /// A text or number, as it is written.
    One(String),
    /// Several of them.
    Several(Vec<String>),
}

/// The type of a value in the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RegistryType {
    /// Bytes.
    Binary,
    /// A number of 32 bits.
    Dword,
    /// A number of 64 bits.
    Qword,
    /// A text.
    Sz,
    /// A text with variables in it.
    ExpandSz,
    /// Several texts.
    MultiSz,
}

/// Returns the case that values of type `kind` are no lists.
fn one_text(kind: &str) -> serde_json::Value {
    serde_json::json!({
        "if": { "properties": { "type": { "const": kind } }, "required": ["type"] },
        "then": { "properties": { "value": { "type": ["string", "number"] } } },
    })
}
