//! JSON Schema as the law of documents: generated from the Rust types, shown
//! to editors, and compiled here into what trees are checked against.
//!
//! Beside the standard keywords three of our own say what JSON Schema cannot:
//! `x-unsupported` (refused, with the reason), `x-no-effect` (warned about,
//! with the reason) and `x-references` (whether `{{ … }}` means something
//! inside).

mod check;
mod format;
mod nearest;
mod words;

use std::collections::HashMap;

use regex::Regex;
use serde_json::Value as Json;

pub(crate) use check::{Scalars, check};
pub(crate) use nearest::nearest;

use format::Format;

/// A compiled JSON Schema.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(crate) root: Shape,
    definitions: HashMap<String, Shape>,
}

/// What one value may be.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    /// Which types; any when empty.
    types: Vec<Type>,
    /// The definition to look at besides.
    refers_to: Option<String>,
    /// Shapes of which one must fit.
    one_of: Vec<Shape>,
    /// Members of which exactly one must be there.
    exactly_one: Vec<String>,
    /// Shapes that also apply when a member has a value.
    cases: Vec<Case>,
    properties: Vec<(String, Shape)>,
    required: Vec<String>,
    /// Members that need others beside them.
    needs: Vec<(String, Vec<String>)>,
    others: Others,
    member_names: Option<Box<Shape>>,
    items: Option<Box<Shape>>,
    /// The texts allowed; all when empty.
    choices: Vec<String>,
    pattern: Option<Regex>,
    format: Option<Format>,
    range: Limits,
    length: Limits,
    item_count: Limits,
    member_count: Limits,
    unsupported: Option<String>,
    no_effect: Option<String>,
    references: Option<bool>,
}

/// A shape that applies when `member` is `value`.
#[derive(Debug)]
struct Case {
    member: String,
    value: String,
    then: Shape,
}

/// What members besides the named ones may be.
#[derive(Debug, Default)]
enum Others {
    #[default]
    Any,
    None,
    Of(Box<Shape>),
}

#[derive(Debug, Clone, Copy, Default)]
struct Limits {
    min: Option<f64>,
    max: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

impl Schema {
    /// Compiles a schema of ours.
    ///
    /// Panics on keywords that [`check`] does not know: they would be silently
    /// ignored, and the schemas are part of this program.
    pub(crate) fn compile(schema: &Json) -> Self {
        let definitions = schema["$defs"].as_object().into_iter().flatten();
        Self {
            root: Shape::compile(schema),
            definitions: definitions
                .map(|(name, schema)| (name.clone(), Shape::compile(schema)))
                .collect(),
        }
    }

    /// Returns the definition `name`.
    pub(crate) fn definition(&self, name: &str) -> &Shape {
        self.definitions.get(name).expect("a definition exists because the generator made the name")
    }
}

impl Shape {
    fn compile(schema: &Json) -> Self {
        let mut shape = Self::default();
        for (keyword, value) in schema.as_object().into_iter().flatten() {
            shape.add(keyword, value);
        }
        shape
    }

    fn add(&mut self, keyword: &str, value: &Json) {
        match keyword {
            "$schema" | "$id" | "$defs" | "title" | "description" | "default" | "examples" => {}
            "type" => self.types = texts(value).iter().map(|name| Type::named(name)).collect(),
            "$ref" => {
                self.refers_to = texts(value)[0].strip_prefix("#/$defs/").map(str::to_owned);
            }
            "anyOf" | "oneOf" => self.add_alternatives(value),
            "allOf" => self.cases = list(value).iter().map(Case::compile).collect(),
            "properties" => self.properties = members(value, Shape::compile),
            "required" => self.required = texts(value),
            "dependentRequired" => self.needs = members(value, texts),
            "additionalProperties" => self.others = Others::compile(value),
            "propertyNames" => self.member_names = Some(Box::new(Shape::compile(value))),
            "items" => self.items = Some(Box::new(Shape::compile(value))),
            "enum" | "const" => self.choices = texts(value),
            "pattern" => {
                let regex = Regex::new(&texts(value)[0]);
                self.pattern = Some(regex.expect("a pattern compiles because we wrote it"));
            }
            "format" => self.format = Some(Format::named(&texts(value)[0])),
            "minimum" => self.range.min = value.as_f64(),
            "maximum" => self.range.max = value.as_f64(),
            "minLength" => self.length.min = value.as_f64(),
            "maxLength" => self.length.max = value.as_f64(),
            "minItems" => self.item_count.min = value.as_f64(),
            "maxItems" => self.item_count.max = value.as_f64(),
            "minProperties" => self.member_count.min = value.as_f64(),
            "maxProperties" => self.member_count.max = value.as_f64(),
            "x-unsupported" => self.unsupported = value.as_str().map(str::to_owned),
            "x-no-effect" => self.no_effect = value.as_str().map(str::to_owned),
            "x-references" => self.references = value.as_bool(),
            unknown => panic!("schemas of ours do not use `{unknown}`"),
        }
    }

    /// Alternatives that only name a member, or only a text, are kept as
    /// such: "give one of these" explains more than "fits none of these".
    fn add_alternatives(&mut self, value: &Json) {
        let only = |keyword: &str, schema: &Json| {
            let known = [keyword, "type", "description"];
            schema.get(keyword).is_some()
                && schema
                    .as_object()
                    .is_some_and(|all| all.keys().all(|key| known.contains(&key.as_str())))
        };
        let alternatives = list(value);
        let collect = |keyword: &str| {
            alternatives.iter().flat_map(|schema| texts(&schema[keyword])).collect()
        };
        if alternatives.iter().all(|schema| only("const", schema)) {
            self.types = vec![Type::String];
            self.choices = collect("const");
        } else if alternatives.iter().all(|schema| only("required", schema)) {
            self.exactly_one = collect("required");
        } else {
            self.one_of = alternatives.iter().map(Shape::compile).collect();
        }
    }

    /// Returns the member `name`.
    pub(crate) fn property(&self, name: &str) -> Option<&Shape> {
        self.properties.iter().find(|(known, _)| known == name).map(|(_, shape)| shape)
    }

    /// Returns what `member` must be when the case `value` applies.
    pub(crate) fn case(&self, value: &str, member: &str) -> Option<&Shape> {
        self.cases.iter().find(|case| case.value == value)?.then.property(member)
    }
}

impl Case {
    /// Compiles `{ if: { properties: { member: { const: value } } }, then }`.
    fn compile(schema: &Json) -> Self {
        let properties = schema["if"]["properties"].as_object();
        let (member, value) = properties
            .and_then(|properties| properties.iter().next())
            .expect("`allOf` holds cases of one member because we wrote it");
        let value = texts(&value["const"]).remove(0);
        Self { member: member.clone(), value, then: Shape::compile(&schema["then"]) }
    }
}

impl Others {
    fn compile(schema: &Json) -> Self {
        match schema {
            Json::Bool(false) => Self::None,
            Json::Bool(true) => Self::Any,
            schema => Self::Of(Box::new(Shape::compile(schema))),
        }
    }
}

impl Type {
    fn named(name: &str) -> Self {
        match name {
            "null" => Self::Null,
            "boolean" => Self::Boolean,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "string" => Self::String,
            "array" => Self::Array,
            "object" => Self::Object,
            unknown => panic!("JSON Schema has no type `{unknown}`"),
        }
    }
}

fn list(value: &Json) -> &[Json] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Returns the texts of a list, or the one of a scalar; nulls are left out.
fn texts(value: &Json) -> Vec<String> {
    match value {
        Json::Array(items) => items.iter().flat_map(texts).collect(),
        Json::String(text) => vec![text.clone()],
        Json::Null | Json::Object(_) => Vec::new(),
        Json::Bool(_) | Json::Number(_) => vec![value.to_string()],
    }
}

fn members<T>(value: &Json, compile: impl Fn(&Json) -> T) -> Vec<(String, T)> {
    let members = value.as_object().into_iter().flatten();
    members.map(|(name, value)| (name.clone(), compile(value))).collect()
}
