//! Component documents as they are written: the types behind their schema.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::LazyLock;

use schemars::{JsonSchema, schema_for};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value as Json, json};

use super::{OnFailure, ParameterType};
use crate::schema::Schema;
use crate::{Guard, ResolvedAction, Spanned, repeat};

/// A component document: what to do on a machine, in phases of steps.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "Goldsmith component document")]
pub(super) struct Document {
    /// The document's name.
    pub(super) name: Option<String>,
    /// What the document is for.
    pub(super) description: Option<String>,
    /// The version of this language: 1.0.
    #[serde(rename = "schemaVersion")]
    #[schemars(
        with = "String",
        extend("type" = ["number", "string"], "format" = "schema-version")
    )]
    _schema_version: IgnoredAny,
    /// Parameters, each a mapping of its name.
    #[schemars(extend("items" = named("Parameter")))]
    pub(super) parameters: Option<Vec<BTreeMap<String, Parameter>>>,
    /// Constants, each a mapping of its name.
    #[schemars(extend("items" = named("Constant")))]
    pub(super) constants: Option<Vec<BTreeMap<String, Constant>>>,
    /// The phases, in the order in which they run.
    #[schemars(length(min = 1))]
    pub(super) phases: Vec<Phase>,
}

/// A parameter.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameter {
    /// The type of its values.
    #[serde(rename = "type")]
    pub(super) kind: ParameterType,
    /// Its value when none is given.
    pub(super) default: Option<String>,
    /// What it is for.
    pub(super) description: Option<String>,
}

/// A named fixed value.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Constant {
    /// The type of its value.
    #[serde(rename = "type")]
    pub(super) _kind: ParameterType,
    /// Its value.
    pub(super) value: String,
}

/// Steps that run together.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Phase {
    /// The phase's name, unique in the document.
    #[schemars(length(min = 1))]
    pub(super) name: Spanned<String>,
    /// The steps, in order.
    #[schemars(length(min = 1))]
    pub(super) steps: Vec<Step>,
}

/// One action.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Step {
    /// The step's name, unique in its phase.
    #[schemars(length(min = 1))]
    pub(super) name: Spanned<String>,
    /// The action module.
    pub(super) action: Spanned<String>,
    /// How many seconds one attempt may take; -1 for no limit.
    #[serde(default)]
    #[schemars(with = "i64", extend("format" = "timeout", "default" = 7200))]
    pub(super) timeout_seconds: Option<i64>,
    /// What a failure means for the steps that follow.
    #[serde(default)]
    pub(super) on_failure: OnFailure,
    /// How often the step is tried.
    #[serde(default = "once")]
    pub(super) max_attempts: NonZeroU32,
    /// Whether the step runs at all.
    #[serde(rename = "if")]
    #[schemars(with = "Option<Guard>", extend("x-references" = true))]
    _guard: Option<IgnoredAny>,
    /// What the step is repeated over.
    #[serde(rename = "loop")]
    #[schemars(with = "Option<repeat::Written>", extend("x-references" = true))]
    _repeat: Option<IgnoredAny>,
    /// What the action module is given.
    #[schemars(with = "Option<ResolvedAction>")]
    #[serde(rename = "inputs")]
    _inputs: Option<IgnoredAny>,
}

fn once() -> NonZeroU32 {
    NonZeroU32::MIN
}

/// Returns the schema of a mapping of one name to a `$defs` entry.
fn named(definition: &str) -> Json {
    json!({
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "propertyNames": { "format": "parameter-name" },
        "additionalProperties": { "$ref": format!("#/$defs/{definition}") },
    })
}

/// Returns the JSON Schema of component documents, for editors.
pub fn component_schema() -> Json {
    let mut schema = schema_for!(Document).to_value();
    let actions = schema["$defs"]
        .as_object_mut()
        .and_then(|definitions| definitions.remove("ResolvedAction"))
        .expect("the actions are a definition because steps refer to them");
    let step = &mut schema["$defs"]["Step"];
    let modules: Vec<&Json> = actions["oneOf"].as_array().into_iter().flatten().collect();
    let names: Vec<&Json> = modules.iter().map(|module| &module["required"][0]).collect();

    let action = &mut step["properties"]["action"];
    action["enum"] = json!(names);
    let inputs = &mut step["properties"]["inputs"];
    *inputs = json!({ "description": inputs["description"] });
    step["allOf"] = modules.iter().map(|module| case(module)).collect();
    schema
}

/// Returns what a step must be when its action is `module`.
///
/// Modules that need nothing may be written without inputs.
fn case(module: &Json) -> Json {
    let name = &module["required"][0];
    let mut inputs = module["properties"][name.as_str().unwrap_or_default()].clone();
    let mut required: &[&str] = &["inputs"];
    if let Some("UpdateOS" | "Reboot") = name.as_str() {
        inputs = json!({ "anyOf": [inputs, { "type": "null" }] });
        required = &[];
    }
    inputs["description"] = module["description"].clone();
    inputs["x-references"] = json!(true);
    json!({
        "if": { "properties": { "action": { "const": name } }, "required": ["action"] },
        "then": { "properties": { "inputs": inputs }, "required": required },
    })
}

/// The schema of component documents, compiled.
pub(super) static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::compile(&component_schema()));
