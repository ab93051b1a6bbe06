//! Rules for phases and steps as such: their names, and which phases run.

use super::unique;
use crate::component::outline::{Outline, Phase, key};
use crate::schema::nearest;
use crate::{Problem, Problems};

/// The phases that Image Builder runs, and on what.
const BUILD_PHASES: [&str; 4] = ["build", "validate", "test", "container-host-test"];

/// Reports names that are not unique, and phases that nobody runs.
pub(super) fn lint(outline: &Outline<'_>, problems: &mut Problems) {
    let names = outline.phases.iter().map(|phase| (phase.name.value, phase.name.span));
    unique("duplicate-phase", "phase", names, problems);
    for phase in &outline.phases {
        let names = phase.steps.iter().map(|step| (step.name.value, step.name.span));
        unique("duplicate-step", "step", names, problems);
    }
    known_phases(outline, problems);
}

fn known_phases(outline: &Outline<'_>, problems: &mut Problems) {
    let runs = |phase: &Phase<'_>| BUILD_PHASES.contains(&phase.name.value);
    let named = || outline.phases.iter().filter(|phase| !phase.name.is_empty());
    // A phase without a name may be the one that is missed.
    if !outline.phases.is_empty() && named().count() == outline.phases.len() && !named().any(runs) {
        let span = key(outline.tree, "phases").unwrap_or(outline.tree.span);
        let message = "none of the phases is build, validate or test";
        problems.push(Problem::error("no-known-phase", span, message));
    }
    for phase in named().filter(|phase| !runs(phase)) {
        let name = phase.name.value;
        let message = format!("phase `{name}` does not run when images are built");
        let help = match nearest(name, BUILD_PHASES) {
            Some(name) => format!("did you mean `{name}`?"),
            None => "images run build, validate and test".to_owned(),
        };
        problems.push(Problem::warning("unknown-phase", phase.name.span, message).help(help));
    }
}
