//! Executes a document: its phases and steps in order, and what a failure or a
//! restart means for the rest.
//!
//! How one step is carried out is in `step`, what it does in `action`.

use std::time::Duration;

use channel::{Event, Execute, Resume, Status};
use document::{Component, MissingParameter, OnFailure, Phase, RESTART_LIMIT, Step};
use serde_json::Value;

use crate::Machine;
use crate::action::DETAILED_OUTPUT;
use crate::excerpt::excerpt;
use crate::mask::Mask;
use crate::resume::{Counts, Progress, SIZE_LIMIT, State};
use crate::scope::{Values, Wanted};
use crate::step::{self, Ending, Failure, Place, sentence};

/// How an execution ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The requested phases are done, or a failure put an end to them.
    Ended {
        /// `Failed` if a step failed whose failure counts, else `Success`.
        status: Status,
        /// Names the first such step and its reason; empty on success.
        message: String,
    },
    /// The machine has to be restarted, then the execution goes on.
    Reboot {
        /// Where, for [`Execute::resume`].
        resume: Resume,
        /// How long to wait before restarting.
        delay: Duration,
    },
}

impl From<Outcome> for Event {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Ended { status, message } => Self::Ended { status, message },
            Outcome::Reboot { resume, delay } => {
                Self::Reboot { resume, delay_seconds: delay.as_secs() }
            }
        }
    }
}

/// A document could not be executed at all.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A parameter has no value.
    #[error("the component cannot run")]
    Parameter(#[from] MissingParameter),
    /// What the factory sent to go on with is not from a run of this document.
    #[error("the state to resume from does not fit the document")]
    Resume(#[source] Option<serde_json::Error>),
}

/// Executes the phases that `request` names, in the order of `document`.
///
/// Phases that the document does not have are passed over. Everything that
/// happens is told to `report` except the end, which is returned.
pub fn run(
    document: &Component,
    request: &Execute,
    machine: &Machine,
    report: &mut dyn FnMut(Event),
) -> Result<Outcome, RunError> {
    let mask = Mask::of(&request.stored);
    let state = match &request.resume {
        Some(resume) => {
            State::parse(resume, &mask).map_err(|error| RunError::Resume(Some(error)))?
        }
        None => State::default(),
    };
    Ok(match run_within(document, request, state, machine, &[], report)? {
        End::Done { status, message, .. } => Outcome::Ended { status, message },
        End::Restart { state, delay } => {
            Outcome::Reboot { resume: state.into_resume(&mask), delay }
        }
    })
}

/// How the execution of one document ended.
pub(crate) enum End {
    /// As [`Outcome::Ended`].
    Done { status: Status, message: String, counts: Counts },
    /// It goes on from `state` after a restart.
    Restart { state: State, delay: Duration },
}

/// Executes a document, from where `state` says, that a step of the last of
/// `outer` executes.
pub(crate) fn run_within(
    document: &Component,
    request: &Execute,
    state: State,
    machine: &Machine,
    outer: &[&Execute],
    report: &mut dyn FnMut(Event),
) -> Result<End, RunError> {
    let fits = state.phase < document.phases.len() || state == State::default();
    if !fits {
        return Err(RunError::Resume(None));
    }
    let values = Values::of(document.values(&request.parameters)?, &request.stored);
    let mask = values.mask.clone();
    let wanted = Wanted::by(document);
    let requests = [outer, &[request]].concat();
    let report = &mut |mut event: Event| {
        mask.event(&mut event);
        // A value that is cut in two would not be recognised.
        if let Event::StepEnded { inputs, outputs, .. } = &mut event {
            (*inputs, *outputs) = (excerpt(inputs.take()), excerpt(outputs.take()));
        }
        report(event);
    };
    let mut execution = Execution { document, requests, values, wanted, machine, state, report };
    let delay = execution.go_on(&request.phases);
    let state = execution.state;
    Ok(match (delay, &state.failure) {
        (Some(delay), _) => End::Restart { state, delay },
        (None, failure) => {
            let status = if failure.is_some() { Status::Failed } else { Status::Success };
            let mut message = failure.clone().unwrap_or_default();
            mask.text(&mut message);
            End::Done { status, message, counts: state.counts }
        }
    })
}

struct Execution<'a> {
    document: &'a Component,
    /// What is being executed: the document, after those around it.
    requests: Vec<&'a Execute>,
    values: Values,
    wanted: Wanted,
    machine: &'a Machine,
    state: State,
    report: &'a mut dyn FnMut(Event),
}

impl Execution<'_> {
    /// Carries out steps until the end or until the machine has to be
    /// restarted, after the time that is returned then.
    fn go_on(&mut self, phases: &[String]) -> Option<Duration> {
        let document = self.document;
        while let Some(phase) = document.phases.get(self.state.phase) {
            let is_asked_for = phases.contains(&phase.name);
            while let Some(step) = phase.steps.get(self.state.step).filter(|_| is_asked_for) {
                if self.machine.is_stopped() {
                    self.state.failure.get_or_insert_with(|| "it was cancelled".to_owned());
                    return None;
                }
                match self.step(phase, step) {
                    Next::Step => self.state.step += 1,
                    Next::Restart(delay) => return Some(delay),
                    Next::Stop => return None,
                }
            }
            self.state.phase += 1;
            self.state.step = 0;
        }
        None
    }

    /// Carries out one step and says what follows.
    fn step(&mut self, phase: &Phase, step: &Step) -> Next {
        let place = Place {
            phase: &phase.name,
            step,
            values: &self.values,
            history: &self.state.history,
            machine: self.machine,
            requests: &self.requests,
        };
        let progress = self.state.progress.take();
        let (ending, millis) = step::run(&place, progress, self.report);
        match self.count_restart(ending) {
            Ending::Success { exit_code, outputs, inputs, restart } => {
                let told =
                    Told { exit_code, message: "", millis, inputs: &inputs, outputs: &outputs };
                self.report_end(phase, step, Status::Success, &told);
                self.record(phase, step, outputs, inputs);
                let Some(delay) = restart else { return Next::Step };
                // Even after the last step: the document asked for it.
                self.state.step += 1;
                Next::Restart(delay)
            }
            Ending::Skipped { reason } => {
                let told = Told { millis, ..Told::because(reason) };
                self.report_end(phase, step, Status::Skipped, &told);
                Next::Step
            }
            Ending::Restart { delay, progress } => {
                self.state.progress = Some(Progress { millis, ..progress });
                Next::Restart(delay)
            }
            Ending::Failed(Failure { exit_code, reason, inputs, outputs }) => {
                let status = match step.on_failure {
                    OnFailure::Abort | OnFailure::Continue => Status::Failed,
                    OnFailure::Ignore => Status::IgnoredFailure,
                };
                let message = &reason;
                let told = Told { exit_code, message, millis, inputs: &inputs, outputs: &outputs };
                self.report_end(phase, step, status, &told);
                self.record(phase, step, outputs, inputs);
                self.fail(phase, step, &sentence(exit_code, &reason))
            }
        }
    }

    /// Counts a restart, or turns it into a failure if it cannot be.
    fn count_restart(&mut self, ending: Ending) -> Ending {
        let (inputs, is_too_long) = match &ending {
            Ending::Success { restart: Some(_), inputs, .. } => (inputs.clone(), false),
            Ending::Restart { progress, .. } => (Value::Null, progress.is_too_long()),
            Ending::Success { restart: None, .. } | Ending::Skipped { .. } | Ending::Failed(_) => {
                return ending;
            }
        };
        let reason = if self.state.restarts >= RESTART_LIMIT {
            format!(
                "it asked for restart {}, but a document may restart the machine {} times",
                RESTART_LIMIT + 1,
                RESTART_LIMIT
            )
        } else if is_too_long {
            format!(
                "it asked for a restart, but with the documents it executes, what is to be kept \
                 is longer than {SIZE_LIMIT} bytes"
            )
        } else {
            self.state.restarts += 1;
            return ending;
        };
        Ending::Failed(Failure { exit_code: None, reason, inputs, outputs: Vec::new() })
    }

    fn fail(&mut self, phase: &Phase, step: &Step, sentence: &str) -> Next {
        let message =
            || format!("phase {}: step {} ({}) {sentence}", phase.name, step.name, step.module);
        if self.machine.is_stopped() {
            self.state.failure.get_or_insert_with(message);
            return Next::Stop;
        }
        match step.on_failure {
            OnFailure::Ignore => Next::Step,
            OnFailure::Continue => {
                self.state.failure.get_or_insert_with(message);
                Next::Step
            }
            OnFailure::Abort => {
                self.state.failure.get_or_insert_with(message);
                Next::Stop
            }
        }
    }

    fn record(
        &mut self,
        phase: &Phase,
        step: &Step,
        outputs: Vec<(String, String)>,
        inputs: Value,
    ) {
        if self.wanted.contains(&phase.name, &step.name) {
            self.state.history.record(&phase.name, &step.name, outputs, inputs);
        }
    }

    fn report_end(&mut self, phase: &Phase, step: &Step, status: Status, told: &Told<'_>) {
        let counts = &mut self.state.counts;
        counts.executed += u32::from(status != Status::Skipped);
        counts.failed += u32::from(status == Status::Failed);
        counts.ignored += u32::from(status == Status::IgnoredFailure);
        let outputs = told.outputs.iter().map(|(name, text)| {
            let nested = (name == DETAILED_OUTPUT).then(|| records(text)).flatten();
            (name.clone(), nested.unwrap_or_else(|| text.clone().into()))
        });
        (self.report)(Event::StepEnded {
            phase: phase.name.clone(),
            step: step.name.clone(),
            status,
            exit_code: told.exit_code,
            message: told.message.to_owned(),
            millis: told.millis,
            inputs: told.inputs.clone(),
            outputs: Value::Object(outputs.collect()),
        });
    }
}

/// Returns the records of nested documents: a list, or one a line from a loop.
fn records(text: &str) -> Option<Value> {
    let lists = text.lines().map(serde_json::from_str::<Vec<Value>>);
    Some(lists.collect::<Result<Vec<_>, _>>().ok()?.concat().into())
}

/// What is told of a step that ended.
#[derive(Clone, Copy)]
struct Told<'a> {
    exit_code: Option<i32>,
    message: &'a str,
    millis: u64,
    inputs: &'a Value,
    outputs: &'a [(String, String)],
}

impl<'a> Told<'a> {
    fn because(message: &'a str) -> Self {
        Self { exit_code: None, message, millis: 0, inputs: &Value::Null, outputs: &[] }
    }
}

/// What follows a step.
enum Next {
    Step,
    Restart(Duration),
    Stop,
}
