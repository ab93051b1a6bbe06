//! `goldsmith.yaml` as it is written: the types behind its schema.
//!
//! Members are spelled as in the Image Builder API, and all of the API's are
//! named here: what cannot be honoured is refused or warned about by the
//! schema, never passed over. What members mean together is not known here.

mod distribution;
mod infrastructure;
mod recipe;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use schemars::{JsonSchema, Schema as JsonSchemaOf, SchemaGenerator, json_schema, schema_for};
use serde::de::{Deserialize, Deserializer, IgnoredAny};
use serde_json::Value as Json;

use crate::Spanned;
use crate::schema::Schema;

pub(super) use distribution::{AmiDistribution, Distribution};
pub(super) use infrastructure::{Infrastructure, Tests};
pub(super) use recipe::{BlockDevice, Component, Parameter, Recipe};

/// A golden image: what it is made of, how it is tested and where it goes.
#[derive(serde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "Goldsmith project")]
#[expect(dead_code, reason = "members that are not read are named for the schema")]
pub(super) struct Document {
    /// Where editors find this schema.
    #[serde(rename = "$schema", default)]
    schema: Ignored,
    /// The recipe: what the image is made of.
    pub(super) recipe: Recipe,
    /// The machines that the image is built and tested on.
    #[serde(default)]
    pub(super) infrastructure_configuration: Infrastructure,
    /// How the image is tested.
    #[serde(default)]
    pub(super) image_tests_configuration: Tests,
    /// Where the image is published; region `local-1` when absent.
    #[schemars(length(min = 1))]
    pub(super) distributions: Option<Vec<Distribution>>,
    /// What the Image Builder API has no words for.
    #[serde(default)]
    pub(super) goldsmith: Goldsmith,
}

/// Settings of this factory alone.
#[derive(Default, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Goldsmith {
    /// The package archive that bases are made from: releases and their updates.
    #[schemars(with = "Option<String>", extend("format" = "web-address"))]
    pub(super) mirror: Option<Spanned<String>>,
    /// The archive of security fixes that belongs to `mirror`; bases get none without it.
    #[schemars(with = "Option<String>", extend("format" = "web-address"))]
    pub(super) security_mirror: Option<Spanned<String>>,
    /// The SHA-256 of the disk image that `parentImage` names.
    #[schemars(with = "Option<String>", extend("format" = "sha256"))]
    pub(super) parent_image_sha256: Option<Spanned<name::Digest>>,
    /// The time that files in the image are dated to, in seconds since 1970.
    pub(super) source_date_epoch: Option<u64>,
}

/// A member that is known and not read.
#[derive(Default)]
pub(super) struct Ignored;

impl<'de> Deserialize<'de> for Ignored {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(source).map(|_| Self)
    }
}

impl JsonSchema for Ignored {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Ignored".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> JsonSchemaOf {
        json_schema!({})
    }
}

/// Tags as they are written, by name.
pub(super) type Tags = BTreeMap<String, String>;

/// The schema of tags: at most 50, and each with a name that may be one.
fn tags(_: &mut SchemaGenerator) -> JsonSchemaOf {
    json_schema!({
        "type": ["object", "null"],
        "propertyNames": { "format": "tag-key" },
        "additionalProperties": { "type": "string", "maxLength": 256 },
        "minProperties": 1,
        "maxProperties": 50,
    })
}

/// The schema of tags whose values have variables.
fn tag_templates(generator: &mut SchemaGenerator) -> JsonSchemaOf {
    let mut schema = tags(generator);
    schema.insert(
        "additionalProperties".to_owned(),
        serde_json::json!({ "type": "string", "maxLength": 256, "format": "build-template" }),
    );
    schema
}

/// Returns the JSON Schema of `goldsmith.yaml`, for editors.
pub fn project_schema() -> Json {
    schema_for!(Document).to_value()
}

/// The schema of `goldsmith.yaml`, compiled.
pub(super) static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::compile(&project_schema()));
