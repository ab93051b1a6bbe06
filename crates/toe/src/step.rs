//! Carries out one step: its `if`, its attempts, its loop and its timeout.
//!
//! What a failure means for later steps is not decided here.

use std::time::Duration;

use channel::{Event, Execute, Stream};
use document::{Environment, ResolveError, Step, Turn, Verdict};
use serde_json::Value;

use crate::Machine;
use crate::action::{self, ActionError, Bench, Done, Restart, Told, within};
use crate::cause::chain;
use crate::clock::{Deadline, now};
use crate::history::History;
use crate::limit::Limit;
use crate::probe::Senses;
use crate::resume::{Nested, Progress, keep_end};
use crate::scope::{Scope, Values};
use crate::tail::OUTPUT_LIMIT;

/// A step and what surrounds it.
pub(crate) struct Place<'a> {
    pub(crate) phase: &'a str,
    pub(crate) step: &'a Step,
    pub(crate) values: &'a Values,
    pub(crate) history: &'a History,
    pub(crate) machine: &'a Machine,
    /// What is being executed: the document, after those around it.
    pub(crate) requests: &'a [&'a Execute],
}

/// How a step ended.
#[derive(Debug)]
pub(crate) enum Ending {
    Success {
        exit_code: Option<i32>,
        outputs: Vec<(String, String)>,
        /// The inputs as written, with references resolved.
        inputs: Value,
        /// How long to wait before a restart, if one is needed now.
        restart: Option<Duration>,
    },
    /// Its `if` said so.
    Skipped {
        reason: &'static str,
    },
    /// It goes on after a restart.
    Restart {
        delay: Duration,
        progress: Progress,
    },
    Failed(Failure),
}

/// Why a step failed, after its last attempt.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit_code: Option<i32>,
    /// Why, as in `exit code 100`.
    pub(crate) reason: String,
    pub(crate) inputs: Value,
    /// What it left all the same.
    pub(crate) outputs: Vec<(String, String)>,
}

/// Returns what follows a step's name in a sentence about its failure.
pub(crate) fn sentence(exit_code: Option<i32>, reason: &str) -> String {
    match exit_code {
        Some(_) => format!("failed with {reason}"),
        None => format!("failed: {reason}"),
    }
}

/// Runs a step, from where `progress` says; returns how it ended and how many
/// milliseconds it took, those of `progress` included.
pub(crate) fn run(
    place: &Place<'_>,
    progress: Option<Progress>,
    report: &mut dyn FnMut(Event),
) -> (Ending, u64) {
    let started = now();
    let earlier = progress.as_ref().map_or(0, |progress| progress.millis);
    let ending = match progress.map_or_else(|| place.verdict(), |going| Ok(Go::On(going))) {
        Ok(Go::On(progress)) => attempts(place, progress, report),
        Ok(Go::Skip) => Ending::Skipped { reason: "its `if` says Skip" },
        Ok(Go::Abort) => Ending::Failed(Failure {
            exit_code: None,
            reason: "its `if` says Abort".to_owned(),
            inputs: Value::Null,
            outputs: Vec::new(),
        }),
        Err(fault) => Ending::Failed(fault.into_failure(Value::Null)),
    };
    let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    (ending, earlier.saturating_add(millis))
}

/// What an `if` leads to.
enum Go {
    On(Progress),
    Skip,
    Abort,
}

/// Why one attempt failed.
struct Fault {
    exit_code: Option<i32>,
    reason: String,
    /// Whether another attempt can make a difference.
    is_final: bool,
    /// What the action, or the turns of the loop that did not fail, left.
    outputs: Vec<(String, String)>,
}

impl Fault {
    fn into_failure(self, inputs: Value) -> Failure {
        let Self { exit_code, reason, outputs, is_final: _ } = self;
        Failure { exit_code, reason, inputs, outputs }
    }

    fn of_inputs(error: &ResolveError) -> Self {
        Self { exit_code: None, reason: chain(error), is_final: true, outputs: Vec::new() }
    }

    fn of_time(timeout: Duration) -> Self {
        let reason = format!("it took longer than its timeout of {} s", timeout.as_secs());
        Self { exit_code: None, reason, is_final: false, outputs: Vec::new() }
    }

    fn of_action(error: ActionError, step: &Step, deadline: Deadline) -> Self {
        let exit_code = match (&error, step.timeout) {
            (_, Some(timeout)) if deadline.has_passed() => return Self::of_time(timeout),
            (ActionError::Exit(code), _) => Some(*code),
            (_, _) => None,
        };
        let reason = chain(&error);
        Self { exit_code, reason, is_final: false, outputs: error.into_outputs() }
    }
}

/// How an attempt that did not fail ended.
enum Attempt {
    Done(Done),
    Restart(Pause),
}

/// Where an attempt asked for a restart.
#[derive(Default)]
struct Pause {
    delay: Duration,
    turns: usize,
    outputs: Vec<(String, String)>,
    action: Option<Box<Nested>>,
}

fn attempts(place: &Place<'_>, mut progress: Progress, report: &mut dyn FnMut(Event)) -> Ending {
    let step = place.step;
    let inputs = step.resolve_inputs(&place.scope(None)).unwrap_or(Value::Null);
    loop {
        let number = progress.failed_attempts + 1;
        report(Event::StepStarted {
            phase: place.phase.to_owned(),
            step: step.name.clone(),
            action: step.module.clone(),
            attempt: number,
        });
        let mut tell = |told: Told<'_>| {
            report(match told {
                Told::Line(stream, line) => Event::Output {
                    phase: place.phase.to_owned(),
                    step: step.name.clone(),
                    stream,
                    line: line.to_owned(),
                },
                Told::Nested(event) => within(*event, place.phase, &step.name),
            });
        };
        match attempt(place, &progress, &mut tell) {
            Ok(Attempt::Done(done)) => {
                let Done { exit_code, outputs, restart } = done;
                let restart = restart.map(|restart| match restart {
                    Restart::Again => Duration::ZERO,
                    Restart::Next { delay } | Restart::Within { delay, .. } => delay,
                });
                return Ending::Success { exit_code, outputs, inputs, restart };
            }
            Ok(Attempt::Restart(Pause { delay, turns, outputs, action })) => {
                let progress = Progress { turns, outputs, action, ..progress };
                return Ending::Restart { delay, progress };
            }
            Err(fault)
                if fault.is_final
                    || place.machine.is_stopped()
                    || number >= step.max_attempts.get() =>
            {
                return Ending::Failed(fault.into_failure(inputs));
            }
            Err(fault) => {
                let sentence = sentence(fault.exit_code, &fault.reason);
                let line = format!("attempt {number} of {} {sentence}", step.max_attempts);
                tell(Told::Line(Stream::Stderr, &line));
                // A retry starts every turn from the beginning (reference §2.3).
                progress = Progress { failed_attempts: number, ..Progress::default() };
            }
        }
    }
}

fn attempt(
    place: &Place<'_>,
    progress: &Progress,
    tell: &mut dyn FnMut(Told<'_>),
) -> Result<Attempt, Fault> {
    let step = place.step;
    let Place { machine, requests, .. } = *place;
    let deadline = Deadline::after(step.timeout);
    let mask = &place.values.mask;
    let resume = progress.action.clone();
    let mut bench = Bench { machine, deadline, mask, tell, requests, resume };
    let Some(repeat) = &step.repeat else {
        let done = once(place, None, &mut bench)?;
        return Ok(match done.restart {
            Some(Restart::Again) => Attempt::Restart(Pause::default()),
            Some(Restart::Within { delay, resume }) => {
                Attempt::Restart(Pause { delay, action: Some(resume), ..Pause::default() })
            }
            Some(Restart::Next { .. }) | None => Attempt::Done(done),
        });
    };
    let repeat = repeat.resolve(&place.scope(None)).map_err(|error| Fault::of_inputs(&error))?;
    let mut outputs = progress.outputs.clone();
    for (turns, turn) in repeat.turns().enumerate().skip(progress.turns) {
        // Turns that are done at once would never see that they have to end.
        let done = match bench.limit().check() {
            Ok(()) => once(place, Some((repeat.name.as_deref(), &turn)), &mut bench),
            Err(error) => Err(Fault::of_action(error.into(), step, deadline)),
        };
        let done = match done {
            Ok(done) => done,
            Err(fault) => {
                let reason = format!("{} (loop index {})", fault.reason, turn.index);
                return Err(Fault { reason, outputs, ..fault });
            }
        };
        match done.restart {
            Some(Restart::Again) => {
                return Ok(Attempt::Restart(Pause { turns, outputs, ..Pause::default() }));
            }
            Some(Restart::Within { delay, resume }) => {
                let action = Some(resume);
                return Ok(Attempt::Restart(Pause { delay, turns, outputs, action }));
            }
            Some(Restart::Next { delay }) => {
                merge(&mut outputs, done.outputs);
                let turns = turns + 1;
                return Ok(Attempt::Restart(Pause { delay, turns, outputs, action: None }));
            }
            None => merge(&mut outputs, done.outputs),
        }
    }
    Ok(Attempt::Done(Done { outputs, ..Done::default() }))
}

/// Carries out the action once: the whole step, or one turn of its loop.
fn once(
    place: &Place<'_>,
    turn: Option<(Option<&str>, &Turn)>,
    bench: &mut Bench<'_>,
) -> Result<Done, Fault> {
    let step = place.step;
    let action = step.resolve(&place.scope(turn)).map_err(|error| Fault::of_inputs(&error))?;
    action::perform(&action, bench).map_err(|error| Fault::of_action(error, step, bench.deadline))
}

/// Adds a turn's outputs, key by key, each on a line of its own (reference §2.3).
fn merge(outputs: &mut Vec<(String, String)>, more: Vec<(String, String)>) {
    for (name, text) in more {
        match outputs.iter_mut().find(|(key, _)| *key == name) {
            Some((_, merged)) => {
                merged.push('\n');
                merged.push_str(&text);
                keep_end(merged, OUTPUT_LIMIT);
            }
            None => outputs.push((name, text)),
        }
    }
}

impl Place<'_> {
    fn scope<'a>(&'a self, turn: Option<(Option<&'a str>, &'a Turn)>) -> impl Environment + 'a {
        Scope { values: self.values, history: self.history, turn }
    }

    fn verdict(&self) -> Result<Go, Fault> {
        let Some(guard) = &self.step.guard else { return Ok(Go::On(Progress::default())) };
        let guard = guard.resolve(&self.scope(None)).map_err(|error| Fault::of_inputs(&error))?;
        let deadline = Deadline::after(self.step.timeout);
        let limit = Limit::new(deadline, &self.machine.stop);
        let holds = Senses { machine: self.machine, limit }.holds(&guard.condition);
        let holds = holds.map_err(|error| match error {
            ActionError::Condition(error) => Fault {
                exit_code: None,
                reason: format!("its `if` cannot be evaluated: {}", chain(&error)),
                is_final: true,
                outputs: Vec::new(),
            },
            error => Fault::of_action(error, self.step, deadline),
        })?;
        Ok(match if holds { guard.then } else { guard.otherwise } {
            Verdict::Execute => Go::On(Progress::default()),
            Verdict::Skip => Go::Skip,
            Verdict::Abort => Go::Abort,
        })
    }
}
