//! Rules for `{{ … }}`: what is named must be there, and be there in time.

use std::collections::HashSet;

use crate::action::outputs;
use crate::component::outline::{Outline, Phase, Step};
use crate::reference::{STORED, braces, references};
use crate::schema::nearest;
use crate::yaml::Node;
use crate::{Problem, Problems, Reference, Span, StepValue};

/// Reports references to what does not exist, and names never referred to.
pub(super) fn lint(outline: &Outline<'_>, source: &str, problems: &mut Problems) {
    let known: Vec<&str> = outline.names().collect();
    for (phase_index, phase) in outline.phases.iter().enumerate() {
        for (step_index, step) in phase.steps.iter().enumerate() {
            let place = Place { outline, known: &known, phase_index, phase, step_index, step };
            for name in ["inputs", "if", "loop"] {
                let Some(tree) = step.part(name) else { continue };
                tree.visit_texts(&mut |text, span| {
                    if !outline.is_sound(span) {
                        return;
                    }
                    for (inner, span) in spanned_braces(text, span, source) {
                        match inner.parse() {
                            Ok(reference) => problems.extend(place.check(&reference, name, span)),
                            Err(_) => problems.extend(check_braces(inner, span)),
                        }
                    }
                });
            }
            for (key, node) in step.tree.members() {
                if !["inputs", "if", "loop"].contains(&key.value.as_str()) {
                    out_of_place(&key.value, node, &known, source, problems);
                }
            }
        }
    }
    for (list, member) in
        [(&outline.parameters.list, "default"), (&outline.constants.list, "value")]
    {
        for (_, node) in list {
            if let Some(node) = node.member(member) {
                out_of_place(member, node, &known, source, problems);
            }
        }
    }
    unused(outline, problems);
}

fn unused(outline: &Outline<'_>, problems: &mut Problems) {
    let mut used = HashSet::new();
    outline.tree.visit_texts(&mut |text, _| {
        used.extend(references(text).filter_map(|(_, reference)| match reference {
            Reference::Name(name) | Reference::StoredUnder(name) => Some(name),
            Reference::Input(_)
            | Reference::Output(_)
            | Reference::Loop { .. }
            | Reference::Stored(_) => None,
        }));
    });
    let parameters = outline.parameters.list.iter().map(|(name, _)| ("parameter", *name));
    let constants = outline.constants.list.iter().map(|(name, _)| ("constant", *name));
    for (what, name) in parameters.chain(constants).filter(|(_, name)| !used.contains(&name.value))
    {
        let message = format!("{what} `{}` is never used", name.value);
        problems.push(Problem::warning("unused", name.span, message));
    }
}

/// Warns of references where they stay as they are.
fn out_of_place(member: &str, node: &Node, known: &[&str], source: &str, problems: &mut Problems) {
    node.visit_texts(&mut |text, span| {
        for (inner, span) in spanned_braces(text, span, source) {
            let is_meant = match inner.parse() {
                Ok(Reference::Name(name)) => known.contains(&name.as_str()),
                Ok(_) => true,
                Err(_) => false,
            };
            if is_meant {
                let message =
                    format!("references have no value in `{member}`: this stays as it is");
                let help = "references stand in `inputs`, `if` and `loop`";
                problems.push(Problem::warning("reference-place", span, message).help(help));
            }
        }
    });
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
    outline: &'a Outline<'a>,
    /// The names of parameters and constants.
    known: &'a [&'a str],
    phase_index: usize,
    phase: &'a Phase<'a>,
    step_index: usize,
    step: &'a Step<'a>,
}

impl Place<'_> {
    /// Judges a reference in the step's member `member`.
    fn check(&self, reference: &Reference, member: &str, span: Span) -> Problems {
        match reference {
            Reference::Name(name) => self.check_name(name, span),
            Reference::Input(value) => self.check_step(value, reference, span),
            Reference::Output(value) => self.check_step(value, reference, span),
            Reference::Loop { name, .. } => self.check_loop(name.as_deref(), member, span),
            Reference::StoredUnder(name) if !name.starts_with(STORED) => {
                self.check_name(name, span)
            }
            Reference::Stored(_) | Reference::StoredUnder(_) => Problems::default(),
        }
    }

    fn check_name(&self, name: &str, span: Span) -> Problems {
        let is_whole = self.outline.parameters.is_whole && self.outline.constants.is_whole;
        if !is_whole || self.known.contains(&name) {
            return Problems::default();
        }
        let help = match nearest(name, self.known.iter().copied()) {
            Some(known) => format!("did you mean `{known}`?"),
            None => "declare it under `parameters` or `constants`".to_owned(),
        };
        let message = format!("`{name}` is neither a parameter nor a constant");
        Problem::error("undeclared", span, message).help(help).into()
    }

    fn check_loop(&self, name: Option<&str>, member: &str, span: Span) -> Problems {
        let Some(repeat) = self.step.part("loop") else {
            let message = "the step has no loop: this stays as it is";
            return Problem::warning("outside-loop", span, message).into();
        };
        if member != "inputs" {
            let message = format!("the loop has not begun in `{member}`: this stays as it is");
            return Problem::warning("outside-loop", span, message).into();
        }
        let own = repeat.member("name").and_then(Node::text);
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
        let StepValue { phase: phase_name, step: step_name, .. } = value;
        let phases = &self.outline.phases;
        let Some(phase_index) = phases.iter().position(|phase| phase.name.value == phase_name)
        else {
            if phases.iter().any(|phase| phase.name.is_empty()) {
                return Problems::default();
            }
            let message = format!("there is no phase `{phase_name}`");
            let known = phases.iter().map(|phase| phase.name.value);
            return unknown("unknown-step", message, phase_name, known, span);
        };
        let phase = &phases[phase_index];
        let Some(step_index) = phase.steps.iter().position(|step| step.name.value == step_name)
        else {
            if !phase.has_all_names() {
                return Problems::default();
            }
            let message = format!("phase `{phase_name}` has no step `{step_name}`");
            let known = phase.steps.iter().map(|step| step.name.value);
            return unknown("unknown-step", message, step_name, known, span);
        };
        if (phase_index, step_index) >= (self.phase_index, self.step_index) {
            let message = format!("step `{step_name}` has not run when this one does");
            return Problem::error("later-step", span, message).into();
        }
        let mut problems = Problems::default();
        if self.phase.name.value == "test" && phase_name != "test" {
            let message = format!(
                "when images are built, phase `{phase_name}` ran on another instance than `test`"
            );
            problems.push(Problem::warning("other-stage", span, message));
        }
        let step = &phase.steps[step_index];
        if self.outline.is_sound(step.tree.span) {
            problems.extend(check_value(step, value, reference, span));
        }
        problems
    }
}

/// Judges what is referred to of a step in order.
fn check_value(step: &Step<'_>, value: &StepValue, reference: &Reference, span: Span) -> Problems {
    let first = value.name.split(['.', '[']).next().unwrap_or_default();
    let module = step.module.value;
    match reference {
        Reference::Output(_) if !outputs(module).contains(&first) => {
            let message = format!("{module} has no output `{first}`");
            unknown("unknown-output", message, first, outputs(module).iter().copied(), span)
        }
        Reference::Input(_) => check_input(step, value, first, span),
        Reference::Output(_)
        | Reference::Name(_)
        | Reference::Loop { .. }
        | Reference::Stored(_)
        | Reference::StoredUnder(_) => Problems::default(),
    }
}

fn check_input(step: &Step<'_>, value: &StepValue, name: &str, span: Span) -> Problems {
    let step_name = step.name.value;
    let Some(tree) = step.part("inputs") else {
        let message = format!("step `{step_name}` has no inputs");
        return Problem::error("unknown-input", span, message).into();
    };
    let entries = tree.items();
    let entry = match value.index {
        None | Some(0) if entries.is_empty() => Some(tree),
        Some(index) => entries.get(index),
        None if entries.len() == 1 => entries.first(),
        None => {
            let message = format!("step `{step_name}` has {} inputs; say which", entries.len());
            let help = format!("write `inputs[0].{name}` for the first");
            return Problem::error("unknown-input", span, message).help(help).into();
        }
    };
    let Some(entry) = entry else {
        let count = entries.len().max(1);
        let inputs = if count == 1 { "input" } else { "inputs" };
        let message = format!("step `{step_name}` has {count} {inputs}, from 0");
        return Problem::error("unknown-input", span, message).into();
    };
    if entry.member(name).is_some() {
        return Problems::default();
    }
    let message = format!("step `{step_name}` has no input `{name}`");
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
