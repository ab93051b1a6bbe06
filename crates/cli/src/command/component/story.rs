//! What happens while documents run, told to everyone at once: the terminal,
//! the log folder, CloudWatch and the record.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use channel::{Event, Status};
use factory::{Case, Cause, Failure, clean};
use jiff::tz::TimeZone;
use toe::logs::{LogStream, LogStreamError};
use toe::{LogFolder, LogFolderError, Record};

use super::document::Document;
use crate::progress::{Ending, Teller};
use crate::{clock, text};

/// How many of a failing step's last lines are told.
const LAST_LINES: usize = 20;

/// Where it is written what happens.
pub(crate) struct Logs {
    pub(crate) record: Record,
    pub(crate) folder: LogFolder,
    /// A stream of CloudWatch Logs, or why there is none.
    pub(crate) stream: Option<Result<LogStream, LogStreamError>>,
}

/// Tells what happens.
pub(crate) struct Story<'a> {
    documents: &'a [Document],
    teller: &'a Teller,
    zone: TimeZone,
    trace: bool,
    cancel: &'a AtomicBool,
    stream: Option<Result<LogStream, LogStreamError>>,
    state: Mutex<State>,
}

struct State {
    /// The document at work, from 0.
    document: usize,
    record: Record,
    folder: LogFolder,
    /// The first failure of the log folder.
    broken: Option<LogFolderError>,
    last_lines: VecDeque<String>,
    cases: Vec<Case>,
    failure: Option<Failure>,
}

/// What there is to tell in the end.
pub(crate) struct Told {
    pub(crate) record: Record,
    pub(crate) folder: LogFolder,
    pub(crate) broken: Option<LogFolderError>,
    pub(crate) stream: Option<Result<LogStream, LogStreamError>>,
    pub(crate) cases: Vec<Case>,
    pub(crate) failure: Option<Failure>,
}

impl<'a> Story<'a> {
    /// Returns a story that goes on from the record in `logs`.
    pub(crate) fn new(
        documents: &'a [Document],
        Logs { record, folder, stream }: Logs,
        teller: &'a Teller,
        trace: bool,
        cancel: &'a AtomicBool,
    ) -> Self {
        let state = State {
            document: 0,
            record,
            folder,
            broken: None,
            last_lines: VecDeque::new(),
            cases: Vec::new(),
            failure: None,
        };
        let (zone, state) = (TimeZone::system(), Mutex::new(state));
        Self { documents, teller, zone, trace, cancel, stream, state }
    }

    /// Returns the labels of all steps that `phases` holds, in order.
    pub(crate) fn labels(documents: &[Document], phases: Option<&[String]>) -> Vec<String> {
        let mut labels = Vec::new();
        for n in 0..documents.len() {
            for phase in &documents[n].component.phases {
                if phases.is_none_or(|phases| phases.contains(&phase.name)) {
                    labels.extend(
                        phase.steps.iter().map(|step| label(documents, n, &phase.name, &step.name)),
                    );
                }
            }
        }
        labels
    }

    /// Begins document `n`, or goes on with it.
    pub(crate) fn begin(&self, n: usize, goes_on: bool) {
        let now = clock::now_micros();
        let document = &self.documents[n];
        self.note(&format!(
            "document {} {}",
            document.path,
            if goes_on { "goes on" } else { "begins" }
        ));
        let mut state = self.state();
        state.document = n;
        if !goes_on {
            state.record.begin(&document.path, &document.component, now);
        }
        state.keep();
    }

    /// Ends the document at work; `failure` says why it failed.
    pub(crate) fn end(&self, failure: Option<&str>) {
        let now = clock::now_micros();
        let mut state = self.state();
        let document = &self.documents[state.document];
        state.record.end_document(failure, now);
        if let Some(message) = failure {
            let last_lines = state.last_lines.iter().cloned().collect();
            let found = state.failure.get_or_insert_with(|| Failure {
                cause: Cause::Component,
                component: Some(document.path.clone()),
                phase: None,
                step: None,
                exit_code: None,
                message: String::new(),
                last_lines,
            });
            message.clone_into(&mut found.message);
        }
        let path = document.path.clone();
        state.keep();
        drop(state);
        self.note(&format!(
            "document {path} ended{}",
            failure.map(|it| format!(": {it}")).unwrap_or_default()
        ));
    }

    /// Adds a line of the runner's own to `application.log`.
    pub(crate) fn note(&self, text: &str) {
        let text = clean(text);
        let mut state = self.state();
        let added = state.folder.add_note(clock::now_micros(), &text);
        state.check(added);
        drop(state);
        if self.trace {
            self.teller.note(format!("  {text}"));
        }
    }

    /// Tells of one event.
    pub(crate) fn event(&self, event: &Event) {
        let now = clock::now_micros();
        let mut state = self.state();
        let n = state.document;
        state.record.take(&self.documents[n].component, event, now);
        match event {
            Event::Output { phase, step, line, .. } => {
                let line = clean(line);
                let label = label(self.documents, n, phase, step);
                let text = format!("{} {label} | {line}", text::stamp(now));
                let added = state.folder.add_output(&text);
                state.check(added);
                if state.last_lines.len() == LAST_LINES {
                    state.last_lines.pop_front();
                }
                state.last_lines.push_back(line.clone());
                drop(state);
                if let Some(Ok(stream)) = &self.stream {
                    stream.add(now, &text);
                }
                let time = text::time_of_day(now, &self.zone);
                self.teller.line(format!("{time} {label}"), line);
            }
            Event::StepStarted { phase, step, action, attempt } => {
                if *attempt == 1 {
                    state.last_lines.clear();
                }
                state.keep_soon();
                drop(state);
                let label = label(self.documents, n, phase, step);
                self.note(&format!("step {label} begins: {action}, attempt {attempt}"));
                if *attempt == 1 {
                    self.teller.started(&label);
                }
            }
            Event::StepEnded { phase, step, status, exit_code, message, millis, .. } => {
                state.keep_soon();
                state.settle(&self.documents[n].path, event);
                drop(state);
                let label = label(self.documents, n, phase, step);
                let code = exit_code.map_or(String::new(), |code| format!(", exit code {code}"));
                let why = if message.is_empty() { String::new() } else { format!(": {message}") };
                self.note(&format!("step {label} ended: {status:?}{code}{why}"));
                let ending = match status {
                    Status::Success => Ending::Done,
                    Status::Failed => Ending::Failed,
                    Status::IgnoredFailure => Ending::Ignored,
                    Status::Skipped => Ending::Skipped,
                };
                self.teller.ended(&label, Duration::from_millis(*millis), clean(message), ending);
            }
            Event::Reboot { .. } => {
                drop(state);
                self.note("the document asks for a restart");
                self.teller.note("restarting the instance".to_owned());
            }
            Event::Ready { .. } | Event::Ended { .. } | Event::Refused { .. } => {}
        }
    }

    /// Returns the record as it is.
    pub(crate) fn record(&self) -> Record {
        self.state().record.clone()
    }

    /// Returns the log folder.
    pub(crate) fn folder(&self) -> std::path::PathBuf {
        self.state().folder.path().to_owned()
    }

    /// Ends the story.
    pub(crate) fn finish(self) -> Told {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let State { record, folder, broken, cases, failure, .. } = state;
        Told { record, folder, broken, stream: self.stream, cases, failure }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn check(&mut self, result: Result<(), LogFolderError>) {
        if let Err(error) = result {
            self.broken.get_or_insert(error);
        }
    }

    fn keep(&mut self) {
        let kept = self.folder.keep_record(&self.record);
        self.check(kept);
    }

    fn keep_soon(&mut self) {
        let kept = self.folder.keep_record_soon(&self.record);
        self.check(kept);
    }

    /// Remembers how a step ended.
    fn settle(&mut self, document: &str, event: &Event) {
        let Event::StepEnded { phase, step, status, exit_code, message, millis, .. } = event else {
            return;
        };
        if *status == Status::Failed && self.failure.is_none() {
            self.failure = Some(Failure {
                cause: Cause::Component,
                component: Some(document.to_owned()),
                phase: Some(phase.clone()),
                step: Some(step.clone()),
                exit_code: *exit_code,
                message: clean(message),
                last_lines: self.last_lines.iter().cloned().collect(),
            });
        }
        self.cases.push(Case {
            component: document.to_owned(),
            phase: phase.clone(),
            step: step.clone(),
            status: *status,
            message: clean(message),
            seconds: *millis as f64 / 1000.0,
        });
    }
}

impl instance::Watch for Story<'_> {
    fn event(&self, event: &Event) {
        Story::event(self, event);
    }

    fn cancelled(&self) -> bool {
        self.cancel.load(Ordering::Acquire)
    }
}

impl base::Watch for Story<'_> {
    fn line(&self, line: &str) {
        let line = clean(line);
        self.note(&line);
        let time = text::time_of_day(clock::now_micros(), &self.zone);
        self.teller.line(format!("{time} base"), line);
    }

    fn cancelled(&self) -> bool {
        self.cancel.load(Ordering::Acquire)
    }
}

/// Returns how a step of document `n` is called in lines.
fn label(documents: &[Document], n: usize, phase: &str, step: &str) -> String {
    let place = clean(&format!("{phase} {step}"));
    if documents.len() == 1 {
        return place;
    }
    let path = std::path::Path::new(&documents[n].path);
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    format!("{} {place}", clean(&stem))
}
