//! The components that a document executes, to be at hand before it runs.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::stored::Known;
use super::{Component, OnFailure, Step};
use crate::templated::fill_json;
use crate::yaml::Node;
use crate::{DocumentAddress, Environment};

/// A component that a step executes, as far as that is known beforehand.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Executed {
    /// Its ARN, as the step names it.
    pub arn: String,
    /// Its phases that are executed; `None` if that is all of them, or any.
    pub phases: Option<Vec<String>>,
    /// What its parameters are given; `None` for a value that is known only
    /// while the step runs.
    pub parameters: Vec<(String, Option<String>)>,
    /// Whether the document fails without it: nothing says that the step may
    /// be skipped, or that its failure does not count.
    pub is_required: bool,
}

impl Component {
    /// Returns the components that `ExecuteDocument` steps of `phases` name,
    /// in the order of the document.
    ///
    /// `given` are the values of parameters, in place of their defaults; `None`
    /// for one that is not known yet. A step that names its document by what
    /// is known only while it runs is left out.
    pub fn executed(&self, phases: &[&str], given: &[(String, Option<String>)]) -> Vec<Executed> {
        let values = self.known_values(given);
        let known = Known { values: &values, stored: &BTreeMap::new() };
        let phases = self.phases.iter().filter(|phase| phases.contains(&phase.name.as_str()));
        phases.flat_map(|phase| &phase.steps).filter_map(|step| executed(step, &known)).collect()
    }

    /// Returns the values of parameters and constants, without those that are
    /// not known.
    fn known_values(&self, given: &[(String, Option<String>)]) -> BTreeMap<String, String> {
        let parameters = self.parameters.iter().filter_map(|parameter| {
            let given = given.iter().rev().find(|(name, _)| *name == parameter.name);
            let value = given.map_or(&parameter.default, |(_, value)| value);
            Some((parameter.name.clone(), value.clone()?))
        });
        let constants = self.constants.iter();
        let constants = constants.map(|constant| (constant.name.clone(), constant.value.clone()));
        parameters.chain(constants).collect()
    }
}

fn executed(step: &Step, known: &impl Environment) -> Option<Executed> {
    if step.module != "ExecuteDocument" {
        return None;
    }
    let inputs = step.action.tree();
    // One by one: what is not known of one says nothing of the others.
    let text = |node: &Node, name: &str| Some(as_text(fill_json(node.member(name)?, known).ok()?));
    let DocumentAddress::Component(arn) = text(inputs, "document")?.parse().ok()? else {
        return None;
    };
    let phases = text(inputs, "phases").filter(|phases| !phases.trim().is_empty());
    let phases = phases.map(|it| it.split(',').map(|phase| phase.trim().to_owned()).collect());
    let parameters = inputs.member("parameters").map_or(&[][..], Node::items).iter();
    let parameters = parameters.filter_map(|it| Some((text(it, "name")?, text(it, "value"))));
    let is_required = step.guard.is_none() && step.on_failure != OnFailure::Ignore;
    Some(Executed { arn, phases, parameters: parameters.collect(), is_required })
}

/// Returns a value as it stands where a text is expected.
fn as_text(value: Json) -> String {
    match value {
        Json::String(text) => text,
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => {
            value.to_string()
        }
    }
}
