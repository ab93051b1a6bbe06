//! Workflow documents as they are written: the types behind their schema.

use std::sync::LazyLock;

use schemars::{JsonSchema, schema_for};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value as Json, json};

use super::action::ACTIONS;
use crate::schema::Schema;

/// A workflow document: how an image is built, tested or distributed, in steps.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "Goldsmith workflow document")]
pub(super) struct Document {
    /// The document's name.
    #[serde(rename = "name")]
    _name: Option<String>,
    /// What the document is for.
    #[schemars(length(max = 1024))]
    pub(super) description: Option<String>,
    /// The version of this language: 1.0.
    #[serde(rename = "schemaVersion")]
    #[schemars(
        with = "String",
        extend("type" = ["number", "string"], "format" = "schema-version")
    )]
    _schema_version: IgnoredAny,
    /// What steps may be given from outside.
    #[serde(default)]
    pub(super) parameters: Vec<Parameter>,
    /// The steps, in order.
    #[schemars(length(min = 1, max = 15))]
    pub(super) steps: Vec<Step>,
    /// What later workflows may use.
    #[serde(default, rename = "outputs")]
    _outputs: Vec<Output>,
}

/// A parameter.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Parameter {
    /// Its name.
    #[schemars(length(min = 1, max = 128))]
    pub(super) name: String,
    /// The type of its values.
    #[serde(rename = "type")]
    pub(super) kind: Kind,
    /// Its value when none is given.
    #[serde(default, rename = "default")]
    #[schemars(with = "Json")]
    _default: Option<IgnoredAny>,
    /// What it is for.
    #[schemars(length(max = 1024))]
    pub(super) description: Option<String>,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum Kind {
    String,
    Integer,
    Boolean,
    StringList,
}

/// A step.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Step {
    /// The step's name, unique in the document.
    #[schemars(regex(pattern = r"^[A-Za-z][A-Za-z0-9_-]{1,99}$"))]
    pub(super) name: String,
    /// The step action.
    pub(super) action: String,
    /// What the step is for.
    #[schemars(length(min = 1, max = 1024))]
    pub(super) description: Option<String>,
    /// Whether the step runs at all.
    #[serde(rename = "if")]
    #[schemars(with = "Option<std::collections::BTreeMap<String, Json>>")]
    _guard: Option<IgnoredAny>,
    /// What a failure means for the steps that follow.
    #[serde(default, rename = "onFailure")]
    #[schemars(with = "Option<OnFailure>")]
    _on_failure: Option<IgnoredAny>,
    /// Whether what it did is undone when the workflow fails.
    #[serde(default, rename = "rollbackEnabled")]
    #[schemars(with = "Option<bool>", extend("type" = ["boolean", "string", "null"]))]
    _rollback_enabled: Option<IgnoredAny>,
    /// After how many seconds the step is given up.
    #[schemars(range(min = 1, max = 604_800))]
    pub(super) timeout_seconds: Option<u32>,
    /// What the action is given.
    #[serde(default, rename = "inputs")]
    #[schemars(with = "Option<std::collections::BTreeMap<String, Json>>")]
    _inputs: Option<IgnoredAny>,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
enum OnFailure {
    Abort,
    Continue,
}

/// Something that later workflows may use.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Output {
    /// Its name.
    #[serde(rename = "name")]
    #[schemars(length(min = 1, max = 128))]
    _name: String,
    /// Where its value is.
    #[serde(rename = "value")]
    _value: String,
}

impl Kind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::StringList => "stringList",
        }
    }
}

/// Returns the JSON Schema of workflow documents, for editors.
pub fn workflow_schema() -> Json {
    let mut schema = schema_for!(Document).to_value();
    let names: Vec<&str> = ACTIONS.iter().map(|action| action.name).collect();
    schema["$defs"]["Step"]["properties"]["action"]["enum"] = json!(names);
    schema
}

/// The schema of workflow documents, compiled.
pub(super) static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::compile(&workflow_schema()));
