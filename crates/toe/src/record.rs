//! What an execution came to, in the shapes of AWS's runner: the tree of its
//! `detailedoutput.json` (reference §2.9) and its summary (§2.8).
//!
//! Made from events alone, so that it is the same whether the document runs in
//! this process or at the far end of a channel. Reads no clock.

use channel::{Event, Status};
use document::{Component, Environment, OnFailure, Phase, Reference, Step};
use jiff::Timestamp;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::action::DETAILED_OUTPUT;
use crate::excerpt::shorten;

/// An execution of documents, one after the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    execution_id: String,
    status: Ended,
    start_time: String,
    end_time: Option<String>,
    failure_message: String,
    documents: Vec<DocumentRecord>,
}

/// How something ended, if it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Ended {
    /// It has not.
    Running,
    /// It did what it should.
    Success,
    /// It did, but for steps whose failure does not count.
    #[serde(rename = "SuccessWithIgnoredFailure")]
    SuccessWithIgnoredFailure,
    /// It failed.
    Failed,
    /// It failed, which does not count.
    #[serde(rename = "IgnoredFailure")]
    IgnoredFailure,
    /// Its `if` said no.
    Skipped,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DocumentRecord {
    name: String,
    file_path: String,
    status: Ended,
    description: String,
    start_time: String,
    end_time: Option<String>,
    failure_message: String,
    phases: Vec<PhaseRecord>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PhaseRecord {
    name: String,
    status: Ended,
    start_time: String,
    end_time: Option<String>,
    failure_message: String,
    steps: Vec<StepRecord>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StepRecord {
    name: String,
    status: Ended,
    failure_message: String,
    timeout_seconds: i64,
    on_failure: String,
    max_attempts: u32,
    action: String,
    start_time: String,
    end_time: Option<String>,
    inputs: String,
    outputs: String,
    #[serde(rename = "loop")]
    repeat: Option<Value>,
    detailed_output: Option<Value>,
}

/// What the runner prints in the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// The execution's id.
    pub execution_id: String,
    /// `success` or `failed`.
    pub status: Ended,
    /// How many steps failed in a way that counts.
    pub failed_step_count: usize,
    /// How many steps were carried out, whatever came of it.
    pub executed_step_count: usize,
    /// How many steps failed in a way that does not count.
    pub ignored_failed_step_count: usize,
    /// Which document failed; empty on success.
    pub failure_message: String,
    /// Where the log folder is.
    pub log_url: String,
}

impl Record {
    /// Returns the record of an execution that begins at `at`, in
    /// microseconds since 1970 as all times here.
    pub fn new(execution_id: &str, at: i64) -> Self {
        Self {
            execution_id: execution_id.to_owned(),
            status: Ended::Running,
            start_time: stamp(at),
            end_time: None,
            failure_message: String::new(),
            documents: Vec::new(),
        }
    }

    /// Returns the execution's id.
    pub fn execution_id(&self) -> &str {
        &self.execution_id
    }

    /// Begins a document that was read from `path`.
    pub fn begin(&mut self, path: &str, document: &Component, at: i64) {
        self.documents.push(DocumentRecord {
            name: document.name.clone().unwrap_or_default(),
            file_path: path.to_owned(),
            status: Ended::Running,
            description: document.description.clone().unwrap_or_default(),
            start_time: stamp(at),
            end_time: None,
            failure_message: String::new(),
            phases: Vec::new(),
        });
    }

    /// Takes note of what happens in the document that was begun last,
    /// which is `document`.
    pub fn take(&mut self, document: &Component, event: &Event, at: i64) {
        let Some(record) = self.documents.last_mut() else { return };
        match event {
            Event::StepStarted { phase, step, .. } => {
                record.step(document, phase, step, at);
            }
            Event::StepEnded { phase, step, status, message, inputs, outputs, .. } => {
                let Some(step) = record.step(document, phase, step, at) else { return };
                step.status = Ended::of(*status);
                step.failure_message = match status {
                    Status::Success | Status::Skipped => String::new(),
                    Status::Failed | Status::IgnoredFailure => message.clone(),
                };
                step.end_time = Some(stamp(at));
                step.inputs = listed(inputs);
                let mut outputs = outputs.clone();
                let nested =
                    outputs.as_object_mut().and_then(|outputs| outputs.remove(DETAILED_OUTPUT));
                step.detailed_output = nested.map(|nested| match nested {
                    Value::String(text) => serde_json::from_str(&text).unwrap_or(text.into()),
                    other => other,
                });
                step.outputs = listed(&outputs);
                record.settle(phase, at);
            }
            Event::Ready { .. }
            | Event::Output { .. }
            | Event::Reboot { .. }
            | Event::Ended { .. }
            | Event::Refused { .. } => {}
        }
    }

    /// Shortens every text that steps were given or left to its last `limit` bytes.
    pub(crate) fn keep_ends(&mut self, limit: usize) {
        let phases = self.documents.iter_mut().flat_map(|document| &mut document.phases);
        for step in phases.flat_map(|phase| &mut phase.steps) {
            for list in [&mut step.inputs, &mut step.outputs] {
                if let Ok(mut value) = serde_json::from_str(list) {
                    shorten(&mut value, limit);
                    *list = value.to_string();
                }
            }
            if let Some(nested) = &mut step.detailed_output {
                shorten(nested, limit);
            }
        }
    }

    /// Ends the document that was begun last; `failure` says why it failed.
    pub fn end_document(&mut self, failure: Option<&str>, at: i64) {
        let Some(record) = self.documents.last_mut() else { return };
        record.end_time = Some(stamp(at));
        record.status = match failure {
            Some(_) => Ended::Failed,
            None => Ended::sum(record.phases.iter().map(|phase| phase.status)),
        };
        if let Some(failure) = failure {
            failure.clone_into(&mut record.failure_message);
            let first = format!("Document {} failed!", record.file_path);
            if self.failure_message.is_empty() {
                self.failure_message = first;
            }
        }
    }

    /// Ends the execution.
    pub fn end(&mut self, at: i64) {
        self.end_time = Some(stamp(at));
        self.status = Ended::sum(self.documents.iter().map(|document| document.status));
    }

    /// Returns what the runner prints about it; `log_url` is where its log is.
    pub fn summary(&self, log_url: &str) -> Summary {
        let phases = self.documents.iter().flat_map(|document| &document.phases);
        let statuses: Vec<_> =
            phases.flat_map(|phase| &phase.steps).map(|step| step.status).collect();
        let count =
            |wanted: &[Ended]| statuses.iter().filter(|status| wanted.contains(status)).count();
        let failed = !self.failure_message.is_empty();
        Summary {
            execution_id: self.execution_id.clone(),
            status: if failed { Ended::Failed } else { Ended::Success },
            failed_step_count: count(&[Ended::Failed]),
            executed_step_count: count(&[Ended::Success, Ended::Failed, Ended::IgnoredFailure]),
            ignored_failed_step_count: count(&[Ended::IgnoredFailure]),
            failure_message: self.failure_message.clone(),
            log_url: log_url.to_owned(),
        }
    }
}

impl DocumentRecord {
    /// Returns the record of a step, which is begun if there is none yet: a
    /// step that goes on after a restart has one.
    fn step(
        &mut self,
        document: &Component,
        phase: &str,
        step: &str,
        at: i64,
    ) -> Option<&mut StepRecord> {
        let written: &Phase = document.phases.iter().find(|one| one.name == phase)?;
        let written: &Step = written.steps.iter().find(|one| one.name == step)?;
        if self.phases.last().is_none_or(|last| last.name != phase) {
            self.phases.push(PhaseRecord {
                name: phase.to_owned(),
                status: Ended::Running,
                start_time: stamp(at),
                end_time: None,
                failure_message: String::new(),
                steps: Vec::new(),
            });
        }
        let steps = &mut self.phases.last_mut()?.steps;
        if steps.last().is_none_or(|last| last.name != step) {
            steps.push(StepRecord::new(written, at));
        }
        steps.last_mut()
    }

    /// Says of a phase what its steps so far make of it.
    fn settle(&mut self, name: &str, at: i64) {
        let Some(phase) = self.phases.last_mut().filter(|phase| phase.name == name) else { return };
        phase.end_time = Some(stamp(at));
        phase.status = Ended::sum(phase.steps.iter().map(|step| step.status));
        if phase.status == Ended::Failed {
            phase.failure_message = format!("Phase {name} failed!");
        }
    }
}

impl StepRecord {
    fn new(step: &Step, at: i64) -> Self {
        let on_failure = match step.on_failure {
            OnFailure::Abort => "Abort",
            OnFailure::Continue => "Continue",
            OnFailure::Ignore => "Ignore",
        };
        let timeout = step.timeout.map(|timeout| i64::try_from(timeout.as_secs()));
        Self {
            name: step.name.clone(),
            status: Ended::Running,
            failure_message: String::new(),
            timeout_seconds: timeout.map_or(-1, |seconds| seconds.unwrap_or(i64::MAX)),
            on_failure: on_failure.to_owned(),
            max_attempts: step.max_attempts.get(),
            action: step.module.clone(),
            start_time: stamp(at),
            end_time: None,
            inputs: listed(&Value::Null),
            outputs: listed(&Value::Null),
            repeat: step.repeat.as_ref().and_then(|it| it.resolve_json(&AsWritten).ok()),
            detailed_output: None,
        }
    }
}

impl Ended {
    fn of(status: Status) -> Self {
        match status {
            Status::Success => Self::Success,
            Status::Failed => Self::Failed,
            Status::IgnoredFailure => Self::IgnoredFailure,
            Status::Skipped => Self::Skipped,
        }
    }

    /// Returns what several make together.
    fn sum(parts: impl Iterator<Item = Self>) -> Self {
        parts.fold(Self::Success, |sum, part| match (sum, part) {
            (Self::Failed, _) | (_, Self::Failed) => Self::Failed,
            (Self::Running, _) | (_, Self::Running) => Self::Running,
            (_, Self::IgnoredFailure | Self::SuccessWithIgnoredFailure) => {
                Self::SuccessWithIgnoredFailure
            }
            (sum, Self::Success | Self::Skipped) => sum,
        })
    }
}

/// Leaves references as they are written.
struct AsWritten;

impl Environment for AsWritten {
    fn value(&self, reference: &Reference) -> Option<String> {
        Some(format!("{{{{ {reference} }}}}"))
    }
}

/// Returns the text that holds `value` as a list: the form in which AWS's
/// runner keeps inputs and outputs.
fn listed(value: &Value) -> String {
    match value {
        Value::Null => "[]".to_owned(),
        Value::Object(members) if members.is_empty() => "[]".to_owned(),
        Value::Array(_) => value.to_string(),
        Value::Object(_) | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            format!("[{value}]")
        }
    }
}

/// Returns a time as RFC 3339 writes it with an offset.
fn stamp(micros: i64) -> String {
    let time = Timestamp::from_microsecond(micros).unwrap_or_default();
    time.display_with_offset(Offset::UTC).to_string()
}
