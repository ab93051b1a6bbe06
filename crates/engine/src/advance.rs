//! A run, what can happen to it and what that leads to.

use model::ImageState;
use plan::{Action, Plan, Step, Workflow};

/// One execution of a plan.
#[derive(Debug, Clone)]
pub struct Run {
    /// Where the image stands while a step runs, by its place in the plan.
    states: Vec<ImageState>,
    state: ImageState,
    /// The step that runs, or the number of steps once all have.
    at: usize,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The run begins.
    Begun,
    /// A step ended, by its place in the plan.
    Settled {
        /// The step.
        step: usize,
        /// Its failure in one sentence.
        result: Result<(), String>,
    },
    /// Somebody wants the run to stop.
    CancelAsked,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Record the image's new state.
    Enter(ImageState),
    /// Carry a step out, by its place in the plan.
    Perform(usize),
    /// Clean up and record the end.
    Finish(End),
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// `Available`, `Failed` or `Cancelled`.
    pub state: ImageState,
    /// Why, unless it is available.
    pub reason: String,
}

impl Run {
    /// Returns a run of `plan` that has not begun.
    pub fn new(plan: &Plan) -> Self {
        let states = plan.steps().iter().map(state_during).collect();
        Self { states, state: ImageState::Pending, at: 0 }
    }

    /// Moves the run forward by one event.
    ///
    /// Reports of steps that do not run (a late one after a cancellation, a
    /// second one of the same step) change nothing.
    pub fn advance(&mut self, event: Event) -> Vec<Command> {
        if !self.state.is_in_progress() {
            return Vec::new();
        }
        match event {
            Event::Begun if self.state == ImageState::Pending => self.perform(),
            Event::Begun => Vec::new(),
            Event::Settled { step, result } if step == self.at && self.has_begun() => {
                match result {
                    Ok(()) => {
                        self.at += 1;
                        self.perform()
                    }
                    Err(reason) => self.finish(ImageState::Failed, reason),
                }
            }
            Event::Settled { .. } => Vec::new(),
            Event::CancelAsked => self.finish(ImageState::Cancelled, "cancelled".to_owned()),
        }
    }

    fn has_begun(&self) -> bool {
        self.state != ImageState::Pending
    }

    fn perform(&mut self) -> Vec<Command> {
        let Some(&state) = self.states.get(self.at) else {
            return self.finish(ImageState::Available, String::new());
        };
        let mut commands = Vec::new();
        if self.state != state {
            self.state = state;
            commands.push(Command::Enter(state));
        }
        commands.push(Command::Perform(self.at));
        commands
    }

    fn finish(&mut self, state: ImageState, reason: String) -> Vec<Command> {
        self.state = state;
        vec![Command::Finish(End { state, reason })]
    }
}

fn state_during(step: &Step) -> ImageState {
    match (step.workflow, &step.action) {
        (Workflow::Build, Action::PrepareBase) => ImageState::Creating,
        (Workflow::Build, _) => ImageState::Building,
        (Workflow::Test, _) => ImageState::Testing,
        (Workflow::Distribution, _) => ImageState::Distributing,
    }
}

#[cfg(test)]
mod tests {
    use plan::{Component, Outline};
    use proptest::prelude::{Strategy, any, prop_oneof, proptest};
    use proptest::{collection, prop_assert, prop_assert_eq};

    use super::*;

    fn plan(components: usize, tests: bool) -> Plan {
        let component = |n| Component { name: format!("c{n}"), builds: true, tests };
        Plan::new(&Outline {
            base: "base".to_owned(),
            components: (0..components).map(component).collect(),
            tests,
            regions: vec!["local-1".parse().expect("is a region")],
        })
    }

    fn events() -> impl Strategy<Value = Event> {
        let result = prop_oneof![9 => proptest::strategy::Just(Ok(())),
            1 => proptest::strategy::Just(Err("broken".to_owned()))];
        prop_oneof![
            1 => proptest::strategy::Just(Event::Begun),
            20 => (0..12_usize, result).prop_map(|(step, result)| Event::Settled { step, result }),
            1 => proptest::strategy::Just(Event::CancelAsked),
        ]
    }

    #[test]
    fn a_run_without_trouble_performs_every_step_once() {
        let plan = plan(2, true);
        let mut run = Run::new(&plan);
        let mut commands = run.advance(Event::Begun);
        for step in 0..plan.steps().len() {
            assert_eq!(commands.last(), Some(&Command::Perform(step)));
            commands = run.advance(Event::Settled { step, result: Ok(()) });
        }
        // What publishes is last and ends the run: the catalogue records it as one.
        assert_eq!(plan.steps().last().map(|step| &step.action), Some(&Action::Distribute));
        let end = End { state: ImageState::Available, reason: String::new() };
        assert_eq!(commands, [Command::Finish(end)]);
    }

    proptest! {
        /// Promise 1: whatever is reported, in whatever order, nothing is
        /// published before every earlier step has succeeded, every step is
        /// performed at most once, and the run ends at most once.
        #[test]
        fn nothing_untested_is_published(
            components in 0..4_usize,
            tests in any::<bool>(),
            events in collection::vec(events(), 0..60),
        ) {
            let plan = plan(components, tests);
            let mut run = Run::new(&plan);
            let (mut performed, mut succeeded, mut ends) = (Vec::new(), Vec::new(), 0);
            for event in std::iter::once(Event::Begun).chain(events) {
                if let Event::Settled { step, result: Ok(()) } = &event {
                    succeeded.push(*step);
                }
                for command in run.advance(event) {
                    match command {
                        Command::Perform(step) => {
                            prop_assert_eq!(ends, 0);
                            if plan.steps()[step].action == Action::Distribute {
                                prop_assert!((0..step).all(|n| succeeded.contains(&n)));
                            }
                            performed.push(step);
                        }
                        Command::Finish(end) => {
                            ends += 1;
                            prop_assert!(
                                end.state != ImageState::Available
                                    || performed.len() == plan.steps().len()
                            );
                        }
                        Command::Enter(_) => prop_assert_eq!(ends, 0),
                    }
                }
            }
            prop_assert!(ends <= 1);
            prop_assert_eq!(performed, (0..run.at.min(plan.steps().len() - 1) + 1).collect::<Vec<_>>());
        }
    }
}
