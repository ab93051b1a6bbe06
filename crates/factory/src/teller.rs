//! What a build tells while it goes on: to its log, to whoever watches, and to the story of a failure.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use channel::{Event, Stream};

use crate::clock::{instant, now_micros};
use crate::log::{Log, clean};
use crate::story::Story;
use crate::{Case, Cause, Failure, Line, LogError, Notice, Observer};

/// Passes on what happens, and remembers what a failure will be told with.
pub(crate) struct Teller<'a> {
    observer: &'a dyn Observer,
    state: Mutex<Told>,
}

struct Told {
    log: Log,
    error: Option<LogError>,
    step: usize,
    label: String,
    story: Story,
    cases: Vec<Case>,
}

impl Told {
    fn new(log: Log) -> Self {
        Self {
            log,
            error: None,
            step: 0,
            label: String::new(),
            story: Story::default(),
            cases: Vec::new(),
        }
    }
}

impl<'a> Teller<'a> {
    pub(crate) fn new(observer: &'a dyn Observer, log: Log) -> Self {
        Self { observer, state: Mutex::new(Told::new(log)) }
    }

    pub(crate) fn notice(&self, notice: &Notice<'_>) {
        self.observer.notice(notice);
    }

    pub(crate) fn begin(&self, step: usize, label: &str) {
        {
            let mut told = self.told();
            told.step = step;
            label.clone_into(&mut told.label);
            told.story = Story::default();
        }
        self.notice(&Notice::StepStarted { step });
    }

    /// Adds a line of output to the log, shows it, and remembers it for the
    /// story of a failure.
    pub(crate) fn line(&self, place: Option<(&str, &str)>, text: &str) {
        let text = self.write(place, text);
        self.told().story.line(text);
    }

    /// Adds a line to the log and shows it; returns it as it went there.
    fn write(&self, place: Option<(&str, &str)>, text: &str) -> String {
        let mut told = self.told();
        let line = Line {
            at: now_micros(),
            label: told.label.clone(),
            place: place.map(|(phase, step)| (phase.to_owned(), step.to_owned())),
            text: clean(text),
        };
        if let Err(error) = told.log.add(&line) {
            told.error.get_or_insert(error);
        }
        drop(told);
        self.notice(&Notice::Line(&line));
        line.text
    }

    /// Tells how far the step is.
    pub(crate) fn progress(&self, done: u64, total: u64) {
        let step = self.told().step;
        self.notice(&Notice::Progress { step, done, total });
    }

    /// Returns the failure of a component that came to its end, with `message`.
    pub(crate) fn component_failure(
        &self,
        cause: Cause,
        component: &str,
        message: String,
    ) -> Box<Failure> {
        Box::new(self.told().story.failure(cause, component, message))
    }

    /// Returns the failure of a component that was cut short, for the reason in `message`.
    pub(crate) fn component_cut_short(
        &self,
        cause: Cause,
        component: &str,
        message: String,
    ) -> Box<Failure> {
        Box::new(self.told().story.cut_short(cause, component, message))
    }

    pub(crate) fn log_error(&self) -> Option<LogError> {
        self.told().error.take()
    }

    pub(crate) fn cases(&self) -> Vec<Case> {
        std::mem::take(&mut self.told().cases)
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn event(&self, component: &str, event: &Event) {
        match event {
            Event::Output { phase, step, stream, line } => {
                // Both streams are one story; which is which is in the place.
                match stream {
                    Stream::Stdout | Stream::Stderr => self.line(Some((phase, step)), line),
                }
            }
            Event::StepStarted { phase, step, action, attempt } => {
                let again =
                    if *attempt > 1 { format!(", attempt {attempt}") } else { String::new() };
                self.write(Some((phase, step)), &format!("{action}{again}"));
                self.told().story.step_started(phase, step, *attempt);
            }
            Event::StepEnded { phase, step, status, exit_code, message, millis, .. } => {
                if !message.is_empty() {
                    self.write(Some((phase, step)), message);
                }
                let mut told = self.told();
                told.story.step_ended(phase, step, *status, *exit_code);
                told.cases.push(Case {
                    component: component.to_owned(),
                    phase: phase.clone(),
                    step: step.clone(),
                    status: *status,
                    message: clean(message),
                    seconds: *millis as f64 / 1000.0,
                });
            }
            Event::Reboot { .. } => {
                self.write(None, "restarting the instance");
            }
            Event::Ready { .. } | Event::Ended { .. } | Event::Refused { .. } => {}
        }
    }
}

/// What an instance, or the making of a base, reports to.
pub(crate) struct Watch<'a> {
    pub(crate) teller: &'a Teller<'a>,
    pub(crate) cancel: &'a AtomicBool,
    /// When it is cancelled by itself.
    pub(crate) deadline: Option<Instant>,
    /// The component whose events they are.
    pub(crate) component: &'a str,
}

impl instance::Watch for Watch<'_> {
    fn event(&self, event: &Event) {
        self.teller.event(self.component, event);
    }

    fn cancelled(&self) -> bool {
        let late = self.deadline.is_some_and(|deadline| instant() >= deadline);
        late || self.cancel.load(Ordering::Acquire)
    }
}

impl base::Watch for Watch<'_> {
    fn line(&self, line: &str) {
        self.teller.line(None, line);
    }

    fn cancelled(&self) -> bool {
        self.cancel.load(Ordering::Acquire)
    }
}
