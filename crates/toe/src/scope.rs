//! What references stand for at one moment of an execution.

use std::collections::{BTreeMap, BTreeSet};

use channel::Stored;
use document::{Component, Environment, LoopPart, Reference, Step, StepValue, Turn};

use crate::action::output_name;
use crate::history::History;
use crate::mask::Mask;

/// The values that are known before the first step.
pub(crate) struct Values {
    /// Of parameters and constants.
    named: BTreeMap<String, String>,
    /// Of stored parameters.
    stored: BTreeMap<String, String>,
    /// Hides the secure ones among the stored.
    pub(crate) mask: Mask,
}

impl Values {
    /// Takes the values of parameters and constants, and of what is `stored`.
    pub(crate) fn of(named: BTreeMap<String, String>, stored: &[Stored]) -> Self {
        let mask = Mask::of(stored);
        let stored = stored.iter().map(|stored| (stored.name.clone(), stored.value.clone()));
        Self { named, stored: stored.collect(), mask }
    }
}

/// The values that a step's references can see.
pub(crate) struct Scope<'a> {
    pub(crate) values: &'a Values,
    pub(crate) history: &'a History,
    /// The turn of the step's loop, with the loop's name if it has one.
    pub(crate) turn: Option<(Option<&'a str>, &'a Turn)>,
}

impl Environment for Scope<'_> {
    fn value(&self, reference: &Reference) -> Option<String> {
        match reference {
            Reference::Name(name) => self.values.named.get(name).cloned(),
            Reference::Input(wanted) => self.history.input(wanted),
            Reference::Output(wanted) => {
                let StepValue { phase, step, index, name } = wanted;
                let name = output_name(name, index.unwrap_or(0));
                self.history.output(phase, step, &name).map(str::to_owned)
            }
            Reference::Loop { name, part } => {
                let (own, turn) = self.turn?;
                if name.as_deref().is_some_and(|name| Some(name) != own) {
                    return None;
                }
                Some(match part {
                    LoopPart::Index => turn.index.to_string(),
                    LoopPart::Value => turn.value.clone(),
                })
            }
            Reference::Stored(_) | Reference::StoredUnder(_) => {
                self.values.stored.get(&reference.stored_name(self)?).cloned()
            }
        }
    }
}

/// The steps of a document whose inputs or outputs are referred to, by phase and name.
///
/// Only theirs are kept: a step may write a megabyte that nobody asks for.
pub(crate) struct Wanted(BTreeSet<(String, String)>);

impl Wanted {
    /// Collects what the steps of `document` refer to.
    pub(crate) fn by(document: &Component) -> Self {
        let steps = document.phases.iter().flat_map(|phase| &phase.steps);
        let references = steps.flat_map(Step::references);
        Self(
            references
                .filter_map(|reference| match reference {
                    Reference::Input(value) | Reference::Output(value) => {
                        Some((value.phase, value.step))
                    }
                    Reference::Name(_)
                    | Reference::Loop { .. }
                    | Reference::Stored(_)
                    | Reference::StoredUnder(_) => None,
                })
                .collect(),
        )
    }

    pub(crate) fn contains(&self, phase: &str, step: &str) -> bool {
        self.0.contains(&(phase.to_owned(), step.to_owned()))
    }
}
