//! A document as far as it can be read, for rules to look at.
//!
//! Damage in one place, which the schema reports, must not hide what is wrong
//! in another: so nothing is required here, and rules ask what is sound.

use std::time::Duration;

use serde::de::DeserializeOwned;

use super::written::SCHEMA;
use super::{OnFailure, TIMEOUT};
use crate::damage::Damage;
use crate::decode::decode;
use crate::yaml::{Node, Value};
use crate::{Problems, Span, Spanned, Templated};

/// A document of which parts may be missing or wrong.
pub(super) struct Outline<'a> {
    pub(super) tree: &'a Node,
    pub(super) parameters: Declarations<'a>,
    pub(super) constants: Declarations<'a>,
    pub(super) phases: Vec<Phase<'a>>,
    damage: Damage,
}

/// Parameters or constants.
pub(super) struct Declarations<'a> {
    pub(super) list: Vec<(&'a Spanned<String>, &'a Node)>,
    /// Whether there can be no others.
    pub(super) is_whole: bool,
}

pub(super) struct Phase<'a> {
    /// Empty if it has none.
    pub(super) name: Spanned<&'a str>,
    pub(super) steps: Vec<Step<'a>>,
    is_list: bool,
}

pub(super) struct Step<'a> {
    /// Empty if it has none.
    pub(super) name: Spanned<&'a str>,
    /// The action module; empty if it has none.
    pub(super) module: Spanned<&'a str>,
    pub(super) tree: &'a Node,
}

impl<'a> Outline<'a> {
    /// Reads what can be read of `tree`, of which `problems` are known.
    pub(super) fn of(tree: &'a Node, problems: &Problems) -> Self {
        Self {
            tree,
            parameters: Declarations::of(tree.member("parameters")),
            constants: Declarations::of(tree.member("constants")),
            phases: tree
                .member("phases")
                .map_or(&[][..], Node::items)
                .iter()
                .map(Phase::of)
                .collect(),
            damage: Damage::of(problems),
        }
    }

    /// Returns whether no error is known between the ends of `span`.
    pub(super) fn is_sound(&self, span: Span) -> bool {
        self.damage.spares(span)
    }

    /// Returns the names of parameters and constants.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        let names = self.parameters.list.iter().chain(&self.constants.list);
        names.map(|(name, _)| name.value.as_str())
    }

    /// Returns the step's member `name` as what it stands for in the schema;
    /// `None` if it is absent or not sound.
    pub(super) fn part<T: DeserializeOwned>(
        &self,
        step: &Step<'_>,
        name: &str,
    ) -> Option<Templated<T>> {
        let tree = step.part(name).filter(|tree| self.is_sound(tree.span))?;
        let definition = SCHEMA.definition("Step");
        let shape = match name {
            "inputs" => definition.case(&step.module, name)?,
            name => definition.property(name)?,
        };
        Some(Templated::new(tree.clone(), &SCHEMA, shape))
    }
}

impl<'a> Declarations<'a> {
    fn of(tree: Option<&'a Node>) -> Self {
        let items = tree.map_or(&[][..], Node::items);
        let is_list =
            tree.is_none_or(|tree| matches!(tree.value, Value::Sequence(_) | Value::Null));
        Self {
            list: items.iter().flat_map(Node::members).map(|(name, node)| (name, node)).collect(),
            is_whole: is_list && items.iter().all(|item| !item.members().is_empty()),
        }
    }
}

impl<'a> Phase<'a> {
    fn of(tree: &'a Node) -> Self {
        let (name, steps) = (text(tree, "name"), tree.member("steps"));
        let is_list = steps.is_some_and(|steps| matches!(steps.value, Value::Sequence(_)));
        let steps = steps.map_or(&[][..], Node::items).iter().map(Step::of).collect();
        Self { name, steps, is_list }
    }

    /// Returns whether every step that was meant can be told by its name.
    pub(super) fn has_all_names(&self) -> bool {
        self.is_list && self.steps.iter().all(|step| !step.name.is_empty())
    }
}

impl<'a> Step<'a> {
    fn of(tree: &'a Node) -> Self {
        Self { name: text(tree, "name"), module: text(tree, "action"), tree }
    }

    /// Returns the member `name` unless it is absent or empty.
    pub(super) fn part(&self, name: &str) -> Option<&'a Node> {
        self.tree.member(name).filter(|node| node.value != Value::Null)
    }

    /// Returns where the member `name` is written.
    pub(super) fn key(&self, name: &str) -> Option<Span> {
        key(self.tree, name)
    }

    /// Returns how long an attempt may take; `None` if there is no limit, or
    /// none that can be read.
    pub(super) fn timeout(&self) -> Option<Duration> {
        match self.part("timeoutSeconds") {
            Some(node) => node.integer()?.parse().ok().map(Duration::from_secs),
            None if self.module.value == "ExecuteDocument" => None,
            None => Some(TIMEOUT),
        }
    }

    /// Returns how often it is tried.
    pub(super) fn attempts(&self) -> u32 {
        let written = self.part("maxAttempts").and_then(Node::integer);
        written.and_then(|text| text.parse().ok()).unwrap_or(1)
    }

    /// Returns whether nothing more runs once it has failed.
    pub(super) fn aborts(&self) -> bool {
        let written = self.part("onFailure").map(decode::<OnFailure>);
        written.is_none_or(|written| written == Ok(OnFailure::Abort))
    }
}

/// Returns where the member `name` of `tree` is written.
pub(super) fn key(tree: &Node, name: &str) -> Option<Span> {
    tree.members().iter().find(|(key, _)| key.value == name).map(|(key, _)| key.span)
}

fn text<'a>(tree: &'a Node, name: &str) -> Spanned<&'a str> {
    match tree.member(name) {
        Some(node) => Spanned::new(node.text().unwrap_or_default(), node.span),
        None => Spanned::new("", Span::at(tree.span.start)),
    }
}
