//! Rules for component documents that no schema can say.
//!
//! Each rule is a function of the typed document; all of them run on every
//! document whose form is right.

mod references;

use std::collections::HashSet;

use crate::schema::nearest;
use crate::yaml::Node;
use crate::{Component, Phase, Problem, Problems, Span};

/// The phases that Image Builder runs, and on what.
const BUILD_PHASES: [&str; 4] = ["build", "validate", "test", "container-host-test"];

/// Returns what is wrong or odd about a document of the right form.
pub(super) fn lint(component: &Component, tree: &Node, source: &str) -> Problems {
    let mut problems = Problems::default();
    unique_names(component, &mut problems);
    known_phases(component, tree, &mut problems);
    for phase in &component.phases {
        loops(phase, &mut problems);
    }
    timeouts(component, tree, &mut problems);
    references::lint(component, source, &mut problems);
    problems
}

fn unique_names(component: &Component, problems: &mut Problems) {
    let parameters = component.parameters.iter().map(|it| (it.name.as_str(), it.span));
    let constants = component.constants.iter().map(|it| (it.name.as_str(), it.span));
    unique("duplicate-parameter", "parameter or constant", parameters.chain(constants), problems);
    let phases = component.phases.iter().map(|phase| (phase.name.as_str(), phase.span));
    unique("duplicate-phase", "phase", phases, problems);
    for phase in &component.phases {
        let steps = phase.steps.iter().map(|step| (step.name.as_str(), step.span));
        unique("duplicate-step", "step", steps, problems);
    }
}

fn unique<'a>(
    code: &'static str,
    what: &str,
    names: impl Iterator<Item = (&'a str, Span)>,
    problems: &mut Problems,
) {
    let mut seen = HashSet::new();
    for (name, span) in names {
        if !seen.insert(name) {
            let message = format!("{what} `{name}` is there twice");
            problems.push(Problem::error(code, span, message));
        }
    }
}

fn known_phases(component: &Component, tree: &Node, problems: &mut Problems) {
    let runs = |phase: &Phase| BUILD_PHASES.contains(&phase.name.as_str());
    if !component.phases.iter().any(runs) {
        let key = tree.members().iter().find(|(key, _)| key.value == "phases");
        let span = key.map_or(tree.span, |(key, _)| key.span);
        let message = "none of the phases is build, validate or test";
        problems.push(Problem::error("no-known-phase", span, message));
    }
    for phase in component.phases.iter().filter(|phase| !runs(phase)) {
        let message = format!("phase `{}` does not run when images are built", phase.name);
        let help = match nearest(&phase.name, BUILD_PHASES) {
            Some(name) => format!("did you mean `{name}`?"),
            None => "images run build, validate and test".to_owned(),
        };
        problems.push(Problem::warning("unknown-phase", phase.span, message).help(help));
    }
}

fn loops(phase: &Phase, problems: &mut Problems) {
    let mut seen = HashSet::new();
    for repeat in phase.steps.iter().filter_map(|step| step.repeat.as_ref()) {
        let tree = repeat.tree();
        if let Some(name) = tree.member("name").filter(|name| !seen.insert(name.text())) {
            let name_text = name.text().unwrap_or_default();
            let message = format!("loop `{name_text}` is there twice in phase `{}`", phase.name);
            problems.push(Problem::error("duplicate-loop", name.span, message));
        }
        let Some(count) = tree.member("for") else { continue };
        let number = |name: &str| count.member(name)?.text()?.parse::<i64>().ok();
        let (Some(start), Some(end), Some(stride), Some(node)) =
            (number("start"), number("end"), number("updateBy"), count.member("updateBy"))
        else {
            continue;
        };
        if stride == 0 || (stride > 0 && start > end) || (stride < 0 && start < end) {
            let message = format!("counting from {start} by {stride} never comes to {end}");
            problems.push(Problem::error("endless-loop", node.span, message));
        }
    }
}

/// Reports timeouts on steps that cannot have one.
fn timeouts(component: &Component, tree: &Node, problems: &mut Problems) {
    let phases = tree.member("phases").into_iter().flat_map(Node::items);
    let written = phases.filter_map(|phase| phase.member("steps")).flat_map(Node::items);
    let steps = component.phases.iter().flat_map(|phase| &phase.steps);
    for (_, node) in steps.zip(written).filter(|(step, _)| step.module == "Reboot") {
        let timeout = node.members().iter().find(|(key, _)| key.value == "timeoutSeconds");
        if let Some((key, _)) = timeout {
            let message = "`timeoutSeconds` has no effect on `Reboot`";
            problems.push(Problem::warning("no-effect", key.span, message));
        }
    }
}
