//! Checked parts of a document whose references are not resolved yet.
//!
//! The part is kept as a tree. Values go into its texts, the tree is checked
//! again, and only then it becomes typed: so each type is written once, with
//! concrete members.

use std::fmt;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::decode::{decode, decode_variant};
use crate::reference::references;
use crate::schema::{Scalars, Schema, Shape, check};
use crate::yaml::{Node, Value};
use crate::{Environment, Reference, ResolveError, Severity, Span};

/// A part of a document that becomes a `T` once its references have values.
#[derive(Clone)]
pub struct Templated<T> {
    tree: Node,
    /// The enum variant that the tree is the content of, if it is one.
    variant: Option<String>,
    schema: &'static Schema,
    shape: &'static Shape,
    target: PhantomData<fn() -> T>,
}

impl<T> fmt::Debug for Templated<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Templated").field(&self.variant).field(&to_json(&self.tree)).finish()
    }
}

impl<T: DeserializeOwned> Templated<T> {
    /// Returns a part that `shape` of `schema` has accepted.
    pub(crate) fn new(tree: Node, schema: &'static Schema, shape: &'static Shape) -> Self {
        Self { tree, variant: None, schema, shape, target: PhantomData }
    }

    /// Returns the part as the content of the variant `name` of an enum.
    pub(crate) fn of_variant(self, name: &str) -> Self {
        Self { variant: Some(name.to_owned()), ..self }
    }

    /// Puts in the values that `environment` has for the references.
    ///
    /// Fails if one has none, or if the values make the part invalid.
    pub fn resolve(&self, environment: &impl Environment) -> Result<T, ResolveError> {
        let tree = fill(&self.tree, environment)?;
        let problems = check(self.schema, self.shape, &tree, Scalars::Lenient);
        let mut errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
        if let Some(problem) = errors.next() {
            let (message, span) = (problem.message.clone(), problem.span);
            return Err(ResolveError::Invalid { message, span });
        }
        let value = match &self.variant {
            Some(name) => decode_variant(name, &tree),
            None => decode(&tree),
        };
        value.map_err(|error| ResolveError::Invalid {
            message: error.to_string(),
            span: self.tree.span,
        })
    }

    /// Puts in the values and returns the part as JSON.
    pub fn resolve_json(&self, environment: &impl Environment) -> Result<Json, ResolveError> {
        fill_json(&self.tree, environment)
    }

    /// Returns the references in the order in which they stand.
    pub fn references(&self) -> Vec<Reference> {
        let mut found = Vec::new();
        self.tree.visit_texts(&mut |text, _| found.extend(references(text).map(|(_, it)| it)));
        found
    }

    pub(crate) fn tree(&self) -> &Node {
        &self.tree
    }

    /// Returns where the part stands in the document.
    pub fn span(&self) -> Span {
        self.tree.span
    }
}

/// Puts values into `node` and returns it as JSON.
pub(crate) fn fill_json(node: &Node, environment: &impl Environment) -> Result<Json, ResolveError> {
    fill(node, environment).map(|tree| to_json(&tree))
}

fn fill(node: &Node, environment: &impl Environment) -> Result<Node, ResolveError> {
    let value = match &node.value {
        Value::String(text) => Value::String(fill_text(text, node.span, environment)?),
        Value::Sequence(items) => {
            let items = items.iter().map(|item| fill(item, environment));
            Value::Sequence(items.collect::<Result<_, _>>()?)
        }
        Value::Mapping(members) => {
            let members =
                members.iter().map(|(key, node)| Ok((key.clone(), fill(node, environment)?)));
            Value::Mapping(members.collect::<Result<_, _>>()?)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => node.value.clone(),
    };
    Ok(Node { span: node.span, value })
}

fn fill_text(
    text: &str,
    span: Span,
    environment: &impl Environment,
) -> Result<String, ResolveError> {
    let (mut filled, mut done) = (String::new(), 0);
    for (range, reference) in references(text) {
        let value = match environment.value(&reference) {
            Some(value) => value,
            // Without a loop its references stay as they are (reference §2.2).
            None if matches!(reference, Reference::Loop { .. }) => continue,
            None => return Err(ResolveError::NoValue { reference, span }),
        };
        filled.push_str(&text[done..range.start]);
        filled.push_str(&value);
        done = range.end;
    }
    filled.push_str(&text[done..]);
    Ok(filled)
}

fn to_json(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        // Numbers that JSON writes otherwise, as `0644`, stay what was written.
        Value::Number(text) => match serde_json::from_str(text) {
            Ok(Json::Number(number)) => Json::Number(number),
            Ok(_) | Err(_) => Json::String(text.clone()),
        },
        Value::String(text) => Json::String(text.clone()),
        Value::Sequence(items) => items.iter().map(to_json).collect(),
        Value::Mapping(members) => {
            members.iter().map(|(key, node)| (key.value.clone(), to_json(node))).collect()
        }
    }
}
