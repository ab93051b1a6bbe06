//! `ExecuteDocument`: executes another component document as a step.
//!
//! Its steps are told as events whose step is `outer/phase/inner`; a restart
//! that one of them asks for goes on in the nested document.

use channel::{Event, Execute, Status, Stream};
use document::{Component, DocumentAddress, ExecuteDocument, ParseDocumentAddressError, S3Address};
use rustix::rand::{GetRandomFlags, getrandom};

use super::{ActionError, Bench, Done, FileError, Restart, Told};
use crate::clock::since_1970;
use crate::digest::hex;
use crate::files::read;
use crate::record::Record;
use crate::resume::{Counts, Nested, State};
use crate::run::{End, RunError, run_within};
use crate::s3::S3Error;

/// The name of the output that holds the records of what was executed.
pub(crate) const DETAILED_OUTPUT: &str = "detailedOutput";

/// How many documents may be around a nested one (reference §2.6).
const DEPTH_LIMIT: usize = 3;

/// The largest document that is read, in bytes.
const SIZE_LIMIT: usize = 1 << 20;

/// A nested document could not be executed, or failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DocumentError {
    #[error(transparent)]
    Address(#[from] ParseDocumentAddressError),
    #[error("failed to read `{document}`")]
    Read { document: String, source: FileError },
    #[error("failed to fetch `{document}`")]
    Fetch { document: String, source: S3Error },
    #[error("component `{0}` is not at hand on this machine")]
    NoComponent(String),
    #[error("`{0}` is no text in UTF-8")]
    NotText(String),
    #[error("`{0}` is executing already: a document cannot execute itself, nor one around it")]
    Cycle(String),
    #[error("`{0}` lies more than {DEPTH_LIMIT} documents deep")]
    TooDeep(String),
    #[error("`{0}` is not a valid document; its problems are told above")]
    Invalid(String),
    #[error("`{document}` has no phase `{phase}`; it has {known}")]
    NoPhase { document: String, phase: String, known: String },
    #[error("`{document}` cannot be executed")]
    Run { document: String, source: RunError },
    #[error("the record of the execution cannot be written")]
    Record(#[source] serde_json::Error),
    #[error("`{document}`: {message}")]
    Failed { document: String, message: String, outputs: Vec<(String, String)> },
}

impl DocumentError {
    pub(crate) fn into_outputs(self) -> Vec<(String, String)> {
        match self {
            Self::Failed { outputs, .. } => outputs,
            Self::Address(_)
            | Self::Read { .. }
            | Self::Fetch { .. }
            | Self::NoComponent(_)
            | Self::NotText(_)
            | Self::Cycle(_)
            | Self::TooDeep(_)
            | Self::Invalid(_)
            | Self::NoPhase { .. }
            | Self::Run { .. }
            | Self::Record(_) => Vec::new(),
        }
    }
}

impl Nested {
    fn begin(document: String) -> Self {
        let execution_id = execution_id();
        let record = Record::new(&execution_id, micros());
        Self { document, execution_id, record, state: State::default() }
    }

    /// Returns the step's outputs: the members of AWS's summary (reference
    /// §2.6) and the record.
    fn end(
        mut self,
        bench: &Bench<'_>,
        status: Status,
        message: &str,
        counts: Counts,
    ) -> Result<Vec<(String, String)>, DocumentError> {
        let failed = status == Status::Failed;
        self.record.end_document(failed.then_some(message), micros());
        self.record.end(micros());
        let logs = bench.machine.logs.as_ref();
        let members = [
            ("executedStepCount", counts.executed.to_string()),
            ("executionId", self.execution_id),
            ("failedStepCount", counts.failed.to_string()),
            ("failureMessage", message.to_owned()),
            ("ignoredFailedStepCount", counts.ignored.to_string()),
            ("logUrl", logs.map_or_else(String::new, |path| path.to_string_lossy().into_owned())),
            ("status", if failed { "failed" } else { "success" }.to_owned()),
            (
                DETAILED_OUTPUT,
                serde_json::to_string(&[self.record]).map_err(DocumentError::Record)?,
            ),
        ];
        Ok(members.map(|(name, value)| (name.to_owned(), value)).into())
    }
}

pub(crate) fn perform(
    inputs: &ExecuteDocument,
    bench: &mut Bench<'_>,
) -> Result<Done, ActionError> {
    let going_on = bench.resume.take();
    let is_new = going_on.is_none();
    let mut nested = match going_on {
        Some(nested) => *nested,
        None => Nested::begin(obtain(inputs, bench)?),
    };
    let name = inputs.document.clone();
    if bench.requests.iter().any(|outer| outer.document == nested.document) {
        return Err(DocumentError::Cycle(name).into());
    }
    if bench.requests.len() > DEPTH_LIMIT {
        return Err(DocumentError::TooDeep(name).into());
    }
    let component = parse(&name, &nested.document, bench)?;
    let parameters = inputs.parameters.iter();
    let request = Execute {
        component: name.clone(),
        document: nested.document.clone(),
        phases: phases(inputs, &component)?,
        parameters: parameters.map(|it| (it.name.clone(), it.value.clone())).collect(),
        // What the whole execution was given is known to all of its documents.
        stored: bench.requests.last().map_or_else(Vec::new, |outer| outer.stored.clone()),
        components: bench.requests.last().map(|outer| outer.components.clone()).unwrap_or_default(),
        resume: None,
    };
    if is_new {
        nested.record.begin(&name, &component, micros());
    }
    let report = &mut |event| {
        nested.record.take(&component, &event, micros());
        (bench.tell)(Told::Nested(Box::new(event)));
    };
    let state = std::mem::take(&mut nested.state);
    let ran = run_within(&component, &request, state, bench.machine, bench.requests, report);
    match ran.map_err(|source| DocumentError::Run { document: name.clone(), source })? {
        End::Restart { state, delay } => {
            let resume = Box::new(Nested { state, ..nested });
            Ok(Done { restart: Some(Restart::Within { delay, resume }), ..Done::default() })
        }
        End::Done { status, message, counts } => {
            let outputs = nested.end(bench, status, &message, counts)?;
            if status == Status::Failed {
                return Err(DocumentError::Failed { document: name, message, outputs }.into());
            }
            Ok(Done { outputs, ..Done::default() })
        }
    }
}

/// Returns `event` of a nested document as one of the step that executes it.
pub(crate) fn within(event: Event, outer_phase: &str, outer_step: &str) -> Event {
    let place = |phase: &str, step: &str| format!("{outer_step}/{phase}/{step}");
    let outer = outer_phase.to_owned();
    match event {
        Event::StepStarted { phase, step, action, attempt } => {
            Event::StepStarted { step: place(&phase, &step), phase: outer, action, attempt }
        }
        Event::Output { phase, step, stream, line } => {
            Event::Output { step: place(&phase, &step), phase: outer, stream, line }
        }
        Event::StepEnded { phase, step, status, exit_code, message, millis, inputs, outputs } => {
            let (step, phase) = (place(&phase, &step), outer);
            Event::StepEnded { phase, step, status, exit_code, message, millis, inputs, outputs }
        }
        Event::Ready { .. }
        | Event::Reboot { .. }
        | Event::Ended { .. }
        | Event::Refused { .. } => event,
    }
}

/// Returns the document's text, wherever it is.
fn obtain(inputs: &ExecuteDocument, bench: &mut Bench<'_>) -> Result<String, DocumentError> {
    let document = &inputs.document;
    let bytes = match document.parse::<DocumentAddress>()? {
        DocumentAddress::Path(path) => read(&bench.machine.path(&path), SIZE_LIMIT, &bench.limit())
            .map_err(|source| DocumentError::Read { document: document.clone(), source })?,
        DocumentAddress::S3(address) => fetch(&address, inputs, bench)
            .map_err(|source| DocumentError::Fetch { document: document.clone(), source })?,
        DocumentAddress::Component(arn) => {
            let outer = bench.requests.last();
            let text = outer.and_then(|outer| outer.components.get(&arn));
            return text.cloned().ok_or(DocumentError::NoComponent(arn));
        }
    };
    String::from_utf8(bytes).map_err(|_| DocumentError::NotText(document.clone()))
}

fn fetch(
    address: &S3Address,
    inputs: &ExecuteDocument,
    bench: &mut Bench<'_>,
) -> Result<Vec<u8>, S3Error> {
    bench.s3().read(address, inputs.bucket_owner.as_deref(), SIZE_LIMIT)
}

fn parse(name: &str, text: &str, bench: &mut Bench<'_>) -> Result<Component, DocumentError> {
    Component::parse(text).map(|parsed| parsed.value).map_err(|problems| {
        for line in problems.render(name, text).lines() {
            bench.say(Stream::Stderr, line);
        }
        DocumentError::Invalid(name.to_owned())
    })
}

/// Returns the phases that are asked for, all if none is named.
fn phases(inputs: &ExecuteDocument, component: &Component) -> Result<Vec<String>, DocumentError> {
    let known: Vec<&str> = component.phases.iter().map(|phase| phase.name.as_str()).collect();
    let Some(named) = inputs.phases.as_deref().filter(|phases| !phases.trim().is_empty()) else {
        return Ok(known.into_iter().map(str::to_owned).collect());
    };
    let named: Vec<String> = named.split(',').map(|phase| phase.trim().to_owned()).collect();
    match named.iter().find(|phase| !known.contains(&phase.as_str())) {
        None => Ok(named),
        Some(phase) => Err(DocumentError::NoPhase {
            document: inputs.document.clone(),
            phase: phase.clone(),
            known: known.join(", "),
        }),
    }
}

/// Returns the microseconds since 1970.
fn micros() -> i64 {
    i64::try_from(since_1970().as_micros()).unwrap_or(i64::MAX)
}

/// Returns a random UUID (RFC 9562, version 4).
fn execution_id() -> String {
    let mut bytes = [0; 16];
    // Without random bytes the id is the same for all, which harms nothing.
    let _filled = getrandom(&mut bytes, GetRandomFlags::empty());
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex(&bytes);
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    parts.join("-")
}

#[cfg(test)]
mod tests;
