//! Rules for component documents that no schema can say.
//!
//! All of them run on every document that has a tree, and pass over the parts
//! that the schema has found wrong.

mod conditions;
mod flow;
mod loops;
mod phases;
mod references;
mod time;

use std::collections::HashSet;

use super::ParameterType;
use super::outline::Outline;
use crate::yaml::Node;
use crate::{Problem, Problems, Span};

/// Returns what is wrong or odd about a document beside what its schema says.
pub(super) fn lint(outline: &Outline<'_>, source: &str) -> Problems {
    let mut problems = Problems::default();
    declarations(outline, &mut problems);
    phases::lint(outline, &mut problems);
    loops::lint(outline, &mut problems);
    conditions::lint(outline, &mut problems);
    flow::lint(outline, &mut problems);
    time::lint(outline, &mut problems);
    references::lint(outline, source, &mut problems);
    problems
}

/// Judges names and values of parameters and constants.
fn declarations(outline: &Outline<'_>, problems: &mut Problems) {
    let (parameters, constants) = (&outline.parameters.list, &outline.constants.list);
    let names =
        parameters.iter().chain(constants).map(|(name, _)| (name.value.as_str(), name.span));
    unique("duplicate-parameter", "parameter or constant", names, problems);
    let values = [(parameters, "default"), (constants, "value")];
    for (list, member) in values {
        for (name, node) in list {
            let kind = node.member("type").and_then(Node::text);
            let kind = kind.and_then(|text| text.parse::<ParameterType>().ok());
            let value = node.member(member);
            let text = value.and_then(Node::text);
            let (Some(kind), Some(node), Some(text)) = (kind, value, text) else { continue };
            if !kind.takes(text) {
                let message = format!("`{}` is {}, not `{text}`", name.value, kind.words());
                problems.push(Problem::error("parameter-value", node.span, message));
            }
        }
    }
}

/// Reports names that are there more than once; empty ones are no names.
fn unique<'a>(
    code: &'static str,
    what: &str,
    names: impl Iterator<Item = (&'a str, Span)>,
    problems: &mut Problems,
) {
    let mut seen = HashSet::new();
    for (name, span) in names.filter(|(name, _)| !name.is_empty()) {
        if !seen.insert(name) {
            let message = format!("{what} `{name}` is there twice");
            problems.push(Problem::error(code, span, message));
        }
    }
}
