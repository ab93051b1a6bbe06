//! Carries out a run, on a thread that may block, from the log folder to the
//! shell after a failure.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use channel::{Execute, Stored};
use document::Component;
use factory::{Cause, ExecutedComponents, LoadedComponent, Site, stored_parameters};
use name::Digest;
use store::StoreError;
use toe::logs::{LogStream, LogStreamError};
use toe::{LogFolder, Record};
use tokio::runtime::Handle;

use super::chaining::Chaining;
use super::document::Document;
use super::object::LogBucketFailure;
use super::order::Order;
use super::place::{Ending, Place};
use super::state::{KeptDocument, State, boot};
use super::story::{Logs, Story, Told};
use super::trial::Instance;
use crate::clock;
use crate::environment::Environment;
use crate::error::CliError;
use crate::progress::{Progress, Teller};

/// Finds the stored parameter that documents call so.
pub(super) type FindParameter =
    Box<dyn Fn(&str) -> Result<Option<Stored>, StoreError> + Send + Sync>;

/// What is to be done, ready for a thread that may block.
pub(super) struct Work {
    pub(super) order: Order,
    pub(super) documents: Vec<Document>,
    pub(super) find_parameter: FindParameter,
    pub(super) waiting: Option<State>,
    pub(super) instance: Option<Instance>,
    pub(super) shell: bool,
    pub(super) environment: Environment,
    pub(super) cancel: Arc<AtomicBool>,
}

/// What came of it.
pub(super) struct Outcome {
    pub(super) told: Told,
    /// Where the state is that the next command goes on from.
    pub(super) waits: Option<PathBuf>,
    /// Where the logs were stored, if that was asked for.
    pub(super) stored: Option<Result<String, LogBucketFailure>>,
    /// Why lines are not in CloudWatch that were to be there; an error unless
    /// that may happen.
    pub(super) streamed: Result<Option<LogStreamError>, LogStreamError>,
}

impl Work {
    pub(super) fn carry_out(
        self,
        teller: &Teller,
        handle: &Handle,
        progress: Progress,
    ) -> Result<Outcome, CliError> {
        let done = self.run_documents(teller, handle);
        progress.end();
        let (mut told, waits, place) = done?;
        let unsent = told.stream.take().and_then(|it| it.and_then(LogStream::finish).err());
        let streamed = match unsent {
            Some(error) if !self.lines_may_be_lost() => Err(error),
            unsent => Ok(unsent),
        };
        if waits.is_none() {
            told.record.end(clock::now_micros());
            let kept = told.folder.keep_record(&told.record);
            told.broken = told.broken.or(kept.err());
            if let Some(folder) = &self.order.state_directory {
                State::forget(folder)?;
            }
        }
        let bucket = self.order.log_bucket.as_ref().filter(|_| waits.is_none());
        let stored = bucket.map(|bucket| bucket.store(told.folder.path(), &self.environment));
        if self.shell && told.failure.is_some() && !self.cancel.load(Ordering::Acquire) {
            open_shell(place)?;
        }
        Ok(Outcome { told, waits, stored, streamed })
    }

    fn run_documents(
        &self,
        teller: &Teller,
        handle: &Handle,
    ) -> Result<(Told, Option<PathBuf>, Place), CliError> {
        let logs = self.open_logs()?;
        let titles: Vec<_> = self.documents.iter().map(|one| one.path.as_str()).collect();
        let labels = Story::labels(&self.documents, self.order.phases.as_deref());
        teller.begin(titles.join(", "), logs.record.execution_id().to_owned(), labels);
        let story = Story::new(&self.documents, logs, teller, self.order.trace, &self.cancel);
        let mut place = self.place(teller, handle, &story)?;
        let first = self.waiting.as_ref().map_or(0, |state| state.document);
        let mut resume = self.waiting.as_ref().map(|state| state.resume.clone());
        for n in first..self.documents.len() {
            let document = &self.documents[n];
            story.begin(n, resume.is_some());
            let request = match self.request(n, resume.take()) {
                Ok(request) => request,
                Err(failure) => {
                    story.end(Some(&failure.message));
                    break;
                }
            };
            match place.execute(&document.component, request, &story) {
                Ok(Ending::Over(failure)) => {
                    story.end(failure.as_deref());
                    if failure.is_some() {
                        break;
                    }
                }
                Ok(Ending::Restart(resume)) => {
                    let kept = self.keep(n, resume, &story)?;
                    return Ok((story.finish(), Some(kept), place));
                }
                Err(error) => {
                    story.end(Some(&toe::chain(&error)));
                    break;
                }
            }
        }
        Ok((story.finish(), None, place))
    }

    /// Returns what is asked of document `n`, and all it needs for that.
    fn request(
        &self,
        n: usize,
        resume: Option<channel::Resume>,
    ) -> Result<Execute, Box<factory::Failure>> {
        let Document { path, text, component } = &self.documents[n];
        let parameters = self.order.documents[n].1.clone();
        let phases = self.order.phases.clone();
        let phases = phases.unwrap_or_else(|| phases_of(component));
        let named: Vec<&str> = phases.iter().map(String::as_str).collect();
        let executed = ExecutedComponents::of(component, &named, &parameters, &|_| None);
        let loaded = LoadedComponent {
            name: path.clone(),
            text: text.clone(),
            component: component.clone(),
            parameters: parameters.clone(),
            executed: executed.texts.clone(),
        };
        let stored = stored_parameters(&*self.find_parameter, &loaded, &named, Cause::Component)?;
        Ok(Execute {
            component: path.clone(),
            document: text.clone(),
            phases,
            parameters,
            stored,
            components: executed.texts,
            resume,
        })
    }

    /// Opens what is written to: new logs, or those of the execution that waited.
    fn open_logs(&self) -> Result<Logs, CliError> {
        let (record, folder) = match &self.waiting {
            Some(state) => (state.record.clone(), LogFolder::open(&state.log_folder)?),
            None => self.make_log()?,
        };
        let target = self.order.log_target.as_ref();
        let stream =
            target.map(|it| it.open(record.execution_id(), &self.environment, &self.cancel));
        let stream = if self.lines_may_be_lost() { stream } else { stream.transpose()?.map(Ok) };
        Ok(Logs { record, folder, stream })
    }

    fn lines_may_be_lost(&self) -> bool {
        self.order.log_target.as_ref().is_some_and(|target| target.may_fail)
    }

    fn make_log(&self) -> Result<(Record, LogFolder), CliError> {
        let id = self.order.execution_id.clone();
        let id = id.unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
        let now = clock::now_micros();
        let folder = LogFolder::create(&self.order.log_directory, &id, now)?;
        for (n, document) in self.documents.iter().enumerate() {
            folder.keep_document(n, &document.text)?;
        }
        folder.keep_chaining(&Chaining::of(&self.documents))?;
        Ok((Record::new(&id, now), folder))
    }

    fn place(
        &self,
        teller: &Teller,
        handle: &Handle,
        story: &Story<'_>,
    ) -> Result<Place, CliError> {
        let Some(Instance { factory, parent, kind, room }) = &self.instance else {
            return Place::here(&self.environment, &self.cancel, story.folder());
        };
        teller.note(format!("preparing {parent}"));
        let name = format!("trial-{}", std::process::id());
        let site = Site {
            parent,
            paths: Path::new(""),
            kind: *kind,
            name: &name,
            folder: &room.path().join("trial"),
        };
        let trial = factory.try_out(&site, handle, story, &self.cancel).map_err(CliError::Trial)?;
        teller.note(trial.base().to_owned());
        Ok(Place::Trial(Box::new(trial)))
    }

    /// Keeps what a restart of this machine would lose; returns where.
    fn keep(
        &self,
        n: usize,
        resume: channel::Resume,
        story: &Story<'_>,
    ) -> Result<PathBuf, CliError> {
        let record = story.record();
        let log_folder = story.folder();
        let documents = self.documents.iter().zip(&self.order.documents);
        let state = State {
            documents: documents
                .map(|(document, (path, parameters))| KeptDocument {
                    path: path.clone(),
                    digest: Digest::of(document.text.as_bytes()),
                    parameters: parameters.clone(),
                })
                .collect(),
            phases: self.order.phases.clone(),
            document_owner: self.order.document_owner.clone(),
            log_bucket: self.order.log_bucket.clone(),
            log_target: self.order.log_target.clone(),
            log_folder: log_folder.clone(),
            record,
            document: n,
            resume,
            boot: boot(),
        };
        let folder = self.order.state_directory.clone().unwrap_or(log_folder);
        state.keep(&folder)?;
        Ok(std::fs::canonicalize(&folder).unwrap_or(folder))
    }
}

fn phases_of(component: &Component) -> Vec<String> {
    component.phases.iter().map(|phase| phase.name.clone()).collect()
}

fn open_shell(place: Place) -> Result<(), CliError> {
    let Place::Trial(mut trial) = place else { return Ok(()) };
    if !std::io::stdin().is_terminal() {
        crate::output::say("there is no terminal to open a shell on\n");
        return Ok(());
    }
    crate::output::say("a shell in the instance, as the document left it; `exit` ends it\n");
    let _settings = crate::terminal::Terminal::remember();
    trial.open_shell()?;
    Ok(())
}
