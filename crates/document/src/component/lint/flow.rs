//! Rules for what runs: steps that are always skipped, and steps after one
//! that always fails.
//!
//! Only what constants decide is looked at; nothing is run.

use std::collections::BTreeMap;

use super::loops::turns;
use crate::component::RESTART_LIMIT;
use crate::component::outline::{Outline, Phase, Step};
use crate::yaml::Node;
use crate::{Condition, Environment, Guard, Problem, Problems, Reference, Verdict};

/// Reports steps that never run.
pub(super) fn lint(outline: &Outline<'_>, problems: &mut Problems) {
    let constants = Constants::of(outline);
    for phase in &outline.phases {
        let fates = phase.steps.iter().map(|step| fate(outline, step, &constants));
        let fates: Vec<Fate> = fates.collect();
        for (step, fate) in phase.steps.iter().zip(&fates) {
            if let Fate::Skipped = fate {
                let span = step.key("if").unwrap_or(step.name.span);
                let message =
                    format!("step `{}` never runs: its `if` always skips it", step.name.value);
                problems.push(Problem::warning("unreachable-step", span, message));
            }
        }
        after_failure(phase, &fates, problems);
    }
}

/// Reports the steps after the first one that always ends the document.
fn after_failure(phase: &Phase<'_>, fates: &[Fate], problems: &mut Problems) {
    let last = phase.steps.iter().zip(fates).position(|(step, fate)| match fate {
        Fate::Fails(_) => step.aborts(),
        Fate::Open | Fate::Skipped => false,
    });
    let Some(last) = last else { return };
    let Fate::Fails(reason) = fates[last] else { return };
    let failing = phase.steps[last].name.value;
    for step in &phase.steps[last + 1..] {
        let message = format!("step `{}` never runs: `{failing}` always fails", step.name.value);
        let problem = Problem::warning("unreachable-step", step.name.span, message);
        problems.push(problem.help(format!("{reason}, and `onFailure` is Abort")));
    }
}

/// What is known of a step before anything runs.
enum Fate {
    Open,
    Skipped,
    /// It fails, and why.
    Fails(&'static str),
}

fn fate(outline: &Outline<'_>, step: &Step<'_>, constants: &Constants<'_>) -> Fate {
    if step.part("if").is_some() {
        let guard = outline.part::<Guard>(step, "if");
        let guard = guard.and_then(|guard| guard.resolve(constants).ok());
        let verdict = guard.and_then(|guard| {
            let holds = guard.condition.constant()?;
            Some(if holds { guard.then } else { guard.otherwise })
        });
        match verdict {
            Some(Verdict::Execute) => {}
            Some(Verdict::Skip) => return Fate::Skipped,
            Some(Verdict::Abort) => return Fate::Fails("its `if` always says Abort"),
            None => return Fate::Open,
        }
    }
    match step.module.value {
        "Assert" if turns(step).is_some_and(|turns| turns > 0) => {
            let condition = outline.part::<Condition>(step, "inputs");
            let condition = condition.and_then(|condition| condition.resolve(constants).ok());
            match condition.and_then(|condition| condition.constant()) {
                Some(false) => Fate::Fails("its condition never holds"),
                Some(true) | None => Fate::Open,
            }
        }
        "Reboot" if turns(step).is_some_and(|turns| turns > RESTART_LIMIT.into()) => {
            Fate::Fails("it restarts the machine more often than a document may")
        }
        _ => Fate::Open,
    }
}

/// The values of constants, and of nothing else.
struct Constants<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Constants<'a> {
    fn of(outline: &Outline<'a>) -> Self {
        let constants = outline.constants.list.iter();
        let value = |node: &'a Node| node.member("value").and_then(Node::text);
        Self(
            constants
                .filter_map(|(name, node)| Some((name.value.as_str(), value(node)?)))
                .collect(),
        )
    }
}

impl Environment for Constants<'_> {
    fn value(&self, reference: &Reference) -> Option<String> {
        match reference {
            Reference::Name(name) => self.0.get(name.as_str()).map(|value| (*value).to_owned()),
            Reference::Input(_)
            | Reference::Output(_)
            | Reference::Loop { .. }
            | Reference::Stored(_)
            | Reference::StoredUnder(_) => None,
        }
    }
}
