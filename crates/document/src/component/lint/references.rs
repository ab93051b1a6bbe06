//! Rules for `{{ … }}`: what is named must be there, and be there in time.

use std::collections::HashSet;

use crate::action::outputs;
use crate::reference::braces;
use crate::schema::nearest;
use crate::yaml::Node;
use crate::{Component, Phase, Problem, Problems, Reference, Span, Step, StepValue};

/// Reports references to what does not exist, and names never referred to.
pub(super) fn lint(component: &Component, source: &str, problems: &mut Problems) {
    let mut used = HashSet::new();
    for (phase_index, phase) in component.phases.iter().enumerate() {
        for (step_index, step) in phase.steps.iter().enumerate() {
            let place = Place { component, phase_index, phase, step_index, step };
            let guard = step.guard.as_ref().map(|guard| guard.tree());
            let repeat = step.repeat.as_ref().map(|repeat| repeat.tree());
            for tree in [Some(step.action.tree()), guard, repeat].into_iter().flatten() {
                tree.visit_texts(&mut |text, span| {
                    for (inner, span) in spanned_braces(text, span, source) {
                        match inner.parse() {
                            Ok(Reference::Name(name)) => {
                                problems.extend(place.check_name(&name, span));
                                used.insert(name);
                            }
                            Ok(reference) => problems.extend(place.check(&reference, span)),
                            Err(_) => problems.extend(check_braces(inner, span)),
                        }
                    }
                });
            }
        }
    }
    let parameters = component.parameters.iter().map(|it| ("parameter", &it.name, it.span));
    let constants = component.constants.iter().map(|it| ("constant", &it.name, it.span));
    for (what, name, span) in parameters.chain(constants).filter(|it| !used.contains(it.1)) {
        let message = format!("{what} `{name}` is never used");
        problems.push(Problem::warning("unused", span, message));
    }
}

/// Returns what stands between braces, and where in `source`.
///
/// Escapes and folded lines make places in a text and in the source differ,
/// so the n-th equal braces are looked up; where that fails, as in texts that
/// come by alias, the whole text is meant.
fn spanned_braces<'a>(
    text: &'a str,
    span: Span,
    source: &str,
) -> impl Iterator<Item = (&'a str, Span)> {
    let written = source.get(span.start..span.end).unwrap_or_default();
    braces(text).map(move |(range, inner)| {
        let whole = &text[range.clone()];
        let before = text[..range.start].matches(whole).count();
        let found = written.match_indices(whole).nth(before).map(|(at, _)| {
            let start = span.start + at;
            Span::new(start, start + whole.len())
        });
        (inner, found.unwrap_or(span))
    })
}

/// Warns of braces that nearly refer to a step.
///
/// Others are left alone: many tools have templates in braces.
fn check_braces(inner: &str, span: Span) -> Problems {
    let parts: Vec<&str> = inner.split('.').collect();
    let nearly = parts.len() >= 3
        && !inner.starts_with('.')
        && parts.iter().any(|part| {
            let list = part.split('[').next().unwrap_or_default();
            nearest(list, ["inputs", "outputs"]).is_some()
        });
    if !nearly {
        return Problems::default();
    }
    let message = format!("`{inner}` is not a reference and stays as it is");
    let help = "references to steps are `phase.step.outputs.name` and `phase.step.inputs[0].name`";
    Problem::warning("not-a-reference", span, message).help(help).into()
}

/// The step a reference stands in.
struct Place<'a> {
    component: &'a Component,
    phase_index: usize,
    phase: &'a Phase,
    step_index: usize,
    step: &'a Step,
}

impl Place<'_> {
    fn check_name(&self, name: &str, span: Span) -> Problems {
        let parameters = self.component.parameters.iter().map(|it| it.name.as_str());
        let constants = self.component.constants.iter().map(|it| it.name.as_str());
        let known: Vec<&str> = parameters.chain(constants).collect();
        if known.contains(&name) {
            return Problems::default();
        }
        let help = match nearest(name, known) {
            Some(known) => format!("did you mean `{known}`?"),
            None => "declare it under `parameters` or `constants`".to_owned(),
        };
        let message = format!("`{name}` is neither a parameter nor a constant");
        Problem::error("undeclared", span, message).help(help).into()
    }

    fn check(&self, reference: &Reference, span: Span) -> Problems {
        match reference {
            Reference::Name(name) => self.check_name(name, span),
            Reference::Input(value) => self.check_step(value, reference, span),
            Reference::Output(value) => self.check_step(value, reference, span),
            Reference::Loop { name, .. } => self.check_loop(name.as_deref(), span),
            Reference::Stored(_) | Reference::StoredUnder(_) => {
                let message = format!("`{reference}` is not supported yet: no parameter store");
                Problem::error("unsupported", span, message).into()
            }
        }
    }

    fn check_loop(&self, name: Option<&str>, span: Span) -> Problems {
        let Some(repeat) = &self.step.repeat else {
            let message = "the step has no loop: this stays as it is";
            return Problem::warning("outside-loop", span, message).into();
        };
        let own = repeat.tree().member("name").and_then(Node::text);
        match name {
            Some(name) if own != Some(name) => {
                let message = format!("the step's loop is not called `{name}`");
                let help = match own {
                    Some(own) => format!("it is called `{own}`"),
                    None => "it has no name; write `loop`".to_owned(),
                };
                Problem::error("unknown-loop", span, message).help(help).into()
            }
            Some(_) | None => Problems::default(),
        }
    }

    fn check_step(&self, value: &StepValue, reference: &Reference, span: Span) -> Problems {
        let StepValue { phase: phase_name, step: step_name, name, .. } = value;
        let phases = &self.component.phases;
        let Some(phase_index) = phases.iter().position(|phase| phase.name == *phase_name) else {
            let message = format!("there is no phase `{phase_name}`");
            let known = phases.iter().map(|phase| phase.name.as_str());
            return unknown("unknown-step", message, phase_name, known, span);
        };
        let phase = &phases[phase_index];
        let Some(step_index) = phase.steps.iter().position(|step| step.name == *step_name) else {
            let message = format!("phase `{phase_name}` has no step `{step_name}`");
            let known = phase.steps.iter().map(|step| step.name.as_str());
            return unknown("unknown-step", message, step_name, known, span);
        };
        if (phase_index, step_index) >= (self.phase_index, self.step_index) {
            let message = format!("step `{step_name}` has not run when this one does");
            return Problem::error("later-step", span, message).into();
        }
        let mut problems = Problems::default();
        if self.phase.name == "test" && phase_name != "test" {
            let message = format!(
                "when images are built, phase `{phase_name}` ran on another instance than `test`"
            );
            problems.push(Problem::warning("other-stage", span, message));
        }
        let step = &phase.steps[step_index];
        let first = name.split(['.', '[']).next().unwrap_or_default();
        match reference {
            Reference::Output(_) if !outputs(&step.module).contains(&first) => {
                let message = format!("{} has no output `{first}`", step.module);
                let known = outputs(&step.module).iter().copied();
                problems.extend(unknown("unknown-output", message, first, known, span));
            }
            Reference::Input(_) => problems.extend(check_input(step, value, first, span)),
            Reference::Output(_)
            | Reference::Name(_)
            | Reference::Loop { .. }
            | Reference::Stored(_)
            | Reference::StoredUnder(_) => {}
        }
        problems
    }
}

fn check_input(step: &Step, value: &StepValue, name: &str, span: Span) -> Problems {
    let tree = step.action.tree();
    let entries = tree.items();
    let entry = match value.index {
        _ if entries.is_empty() => Some(tree),
        Some(index) => entries.get(index),
        None if entries.len() == 1 => entries.first(),
        None => {
            let message = format!("step `{}` has {} inputs; say which", step.name, entries.len());
            let help = format!("write `inputs[0].{name}` for the first");
            return Problem::error("unknown-input", span, message).help(help).into();
        }
    };
    let Some(entry) = entry else {
        let message = format!("step `{}` has {} inputs, from 0", step.name, entries.len());
        return Problem::error("unknown-input", span, message).into();
    };
    if entry.member(name).is_some() {
        return Problems::default();
    }
    let message = format!("step `{}` has no input `{name}`", step.name);
    let known = entry.members().iter().map(|(key, _)| key.value.as_str());
    unknown("unknown-input", message, name, known, span)
}

fn unknown<'a>(
    code: &'static str,
    message: String,
    given: &str,
    known: impl Iterator<Item = &'a str>,
    span: Span,
) -> Problems {
    let help = nearest(given, known).map(|name| format!("did you mean `{name}`?"));
    Problem { help, ..Problem::error(code, span, message) }.into()
}
