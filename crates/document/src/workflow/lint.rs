//! Rules for workflow documents that no schema can say.

use std::collections::HashSet;

use super::action::{self, Action};
use super::path::Scope;
use super::{WorkflowStage, condition};
use crate::damage::Damage;
use crate::schema::nearest;
use crate::yaml::{Node, Value};
use crate::{Problem, Problems, Span};

/// The actions that distribute AMIs, which no workflow of containers uses.
const OF_AMIS: [&str; 3] = ["ApplyImageConfigurations", "DistributeImage", "ModifyImageAttributes"];

/// Returns what is wrong with the parts of a document whose form is right.
pub(super) fn lint(tree: &Node, stage: WorkflowStage, damage: &Damage) -> Problems {
    let mut problems = Problems::default();
    let list = |name: &str| tree.member(name).map_or(&[][..], Node::items);
    for (code, what, nodes) in [
        ("duplicate-parameter", "parameter", list("parameters")),
        ("duplicate-step", "step", list("steps")),
        ("duplicate-output", "output", list("outputs")),
    ] {
        unique(code, what, nodes, &mut problems);
    }
    let is_sound = |node: &&Node| damage.spares(node.span);
    let mut scope = Scope::of(list("parameters").iter().map(|node| text(node, "name")));
    scope.is_whole &= tree
        .member("parameters")
        .is_none_or(|it| matches!(it.value, Value::Sequence(_) | Value::Null));
    list("parameters").iter().filter(is_sound).for_each(|it| default(it, &mut problems));
    for step in list("steps") {
        let action = text(step, "action").and_then(action::find);
        if let Some(action) = action.filter(|_| is_sound(&step)) {
            judge(step, action, stage, &scope, &mut problems);
        }
        scope.add(text(step, "name"), action);
    }
    for output in list("outputs").iter().filter(is_sound).filter_map(|it| it.member("value")) {
        if let Some(path) = output.text() {
            scope.check(path, output.span, &mut problems);
        }
    }
    apart(list("steps"), &mut problems);
    problems
}

fn unique(code: &'static str, what: &str, nodes: &[Node], problems: &mut Problems) {
    let mut seen = HashSet::new();
    for name in nodes.iter().filter_map(|node| node.member("name")) {
        let Some(text) = name.text() else { continue };
        if !seen.insert(text) {
            let message = format!("{what} `{text}` is there twice");
            problems.push(Problem::error(code, name.span, message));
        }
    }
}

/// Reports a default that is not of its parameter's type.
fn default(parameter: &Node, problems: &mut Problems) {
    let Some(node) = parameter.member("default").filter(|node| node.value != Value::Null) else {
        return;
    };
    let fits = match (text(parameter, "type"), node.text()) {
        (Some("stringList"), None) => {
            matches!(node.value, Value::Sequence(_)) && node.items().iter().all(is_scalar)
        }
        (Some("integer"), Some(text)) => text.parse::<i64>().is_ok(),
        (Some("boolean"), Some(text)) => ["true", "false"].contains(&text),
        (Some("string"), Some(_)) => true,
        (_, _) => false,
    };
    if !fits {
        let kind = text(parameter, "type").unwrap_or_default();
        let message = format!("the default is not of type `{kind}`");
        problems.push(Problem::error("parameter-value", node.span, message));
    }
}

fn is_scalar(node: &Node) -> bool {
    node.text().is_some()
}

/// Reports what is wrong with a step, given what is before it.
fn judge(
    step: &Node,
    action: &'static Action,
    stage: WorkflowStage,
    scope: &Scope<'_>,
    problems: &mut Problems,
) {
    let place = |member: &str| step.member(member).map_or(step.span, |node| node.span);
    if !action.is_for(stage) {
        let message = format!("`{}` is not for {} workflows", action.name, stage.as_str());
        problems.push(Problem::error("wrong-stage", place("action"), message));
    }
    let timeout = text(step, "timeoutSeconds").and_then(|text| text.parse::<u32>().ok());
    if let Some(timeout) = timeout.filter(|timeout| *timeout > action.longest) {
        let message = format!(
            "{timeout} seconds are too long: `{}` may take {}",
            action.name, action.longest
        );
        problems.push(Problem::error("timeout", place("timeoutSeconds"), message));
    }
    if let Some(guard) = step.member("if").filter(|node| node.value != Value::Null) {
        condition::check(guard, scope, problems);
    }
    let inputs = step.member("inputs").map_or(&[][..], Node::members);
    for (key, node) in inputs {
        let name = key.value.strip_suffix(".$").unwrap_or(&key.value);
        if !action.inputs().any(|known| known == name) {
            unknown_input(action, name, key.span, problems);
        }
        paths(&key.value, node, scope, problems);
    }
    for required in action.required {
        let is_it = |key: &str| key.strip_suffix(".$").unwrap_or(key) == *required;
        if !inputs.iter().any(|(key, _)| is_it(&key.value)) {
            let message = format!("`{}` needs the input `{required}`", action.name);
            problems.push(Problem::error("missing-input", place("action"), message));
        }
    }
}

fn unknown_input(action: &Action, name: &str, span: Span, problems: &mut Problems) {
    let help = match nearest(name, action.inputs()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("it takes {}", action.inputs().collect::<Vec<_>>().join(", ")),
    };
    let message = format!("`{}` has no input `{name}`", action.name);
    problems.push(Problem::error("unknown-input", span, message).help(help));
}

/// Reports what is wrong with the paths in an input, which `.$` at the end of its name announces.
fn paths(key: &str, node: &Node, scope: &Scope<'_>, problems: &mut Problems) {
    if let Some(text) = node.text() {
        match (key.ends_with(".$"), text.starts_with("$.")) {
            (_, true) => scope.check(text, node.span, problems),
            (true, false) => {
                let message = format!("`{key}` takes a path, as in $.parameters.name");
                problems.push(Problem::error("unknown-path", node.span, message));
            }
            (false, false) => scope.check_embedded(text, node.span, problems),
        }
    }
    node.items().iter().for_each(|item| paths("", item, scope, problems));
    node.members().iter().for_each(|(key, node)| paths(&key.value, node, scope, problems));
}

/// Reports a workflow that distributes both AMIs and containers.
fn apart(steps: &[Node], problems: &mut Problems) {
    let actions = || steps.iter().filter_map(|step| step.member("action"));
    let of_containers = actions().find(|node| node.text() == Some("DistributeContainerImage"));
    let of_amis = actions().find(|node| node.text().is_some_and(|text| OF_AMIS.contains(&text)));
    if let (Some(node), Some(other)) = (of_containers, of_amis) {
        let other = other.text().unwrap_or_default();
        let message = format!("containers cannot be distributed beside `{other}`");
        problems.push(Problem::error("wrong-stage", node.span, message));
    }
}

fn text<'a>(node: &'a Node, member: &str) -> Option<&'a str> {
    node.member(member).and_then(Node::text)
}
