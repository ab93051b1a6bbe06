//! `goldsmith component run`: documents on this machine, or in an instance.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use channel::Execute;
use clap::ArgAction;
use document::{Component, Reference, Step};
use factory::{
    Case, Cause, Kind, LoadedComponent, NoParameters, Parameters, Site, executed_components,
    stored_parameters,
};
use model::{DiskLocation, ParentImage};
use name::Digest;
use serde::Serialize;
use toe::{LogFolder, Record, ReferenceUse, references};
use tokio::runtime::Handle;

use super::document::{Document, load};
use super::order::{Order, OrderError};
use super::place::{Ending, Place};
use super::platform::Platform;
use super::state::{KeptDocument, State, StateError, boot};
use super::story::{Story, Told};
use crate::cancel::on_signals;
use crate::environment::Environment;
use crate::error::CliError;
use crate::exit::Exit;
use crate::home::Home;
use crate::junit::{self, Results};
use crate::machines::Room;
use crate::output::Output;
use crate::progress::{Detail, Look, Progress, Teller};
use crate::{clock, needs};

/// Run component documents on this machine, or in an instance
///
/// Without --in the documents run right here, with your rights, and change
/// this machine as they say. With --in they run in a throw-away instance on
/// that base, and this machine stays as it is. Prints awstoe's JSON summary and
/// leaves its log folder.
///
/// A document that asks for a restart of this machine ends the command with
/// exit code 194; restart it and give the same command again.
#[derive(Debug, clap::Args)]
#[command(version, disable_version_flag = true, after_help = Exit::help())]
pub(crate) struct Run {
    /// The documents: paths, or ARNs of managed components
    #[arg(value_name = "DOC")]
    pub(crate) positional: Vec<String>,
    /// The same, as awstoe takes them
    #[arg(long, short, value_name = "DOC,…", value_delimiter = ',')]
    pub(crate) documents: Vec<String>,
    /// Run only these phases, always in the document's order [default: all]
    #[arg(long, short, value_name = "PHASE,…", value_delimiter = ',')]
    pub(crate) phases: Vec<String>,
    /// Give parameters their values; may be given several times
    #[arg(long, value_name = "NAME=VALUE,…")]
    pub(crate) parameters: Vec<String>,
    /// Take all this from a JSON file in awstoe's form
    #[arg(long, short, value_name = "FILE")]
    #[arg(conflicts_with_all = ["positional", "documents", "parameters"])]
    pub(crate) config: Option<PathBuf>,
    /// Run in a throw-away sandbox on BASE: a managed image's name, an image's
    /// ARN, an AMI, or a disk image's path
    #[arg(long = "in", value_name = "BASE", help_heading = "Instances")]
    base: Option<String>,
    /// Use a virtual machine that is booted from BASE
    #[arg(long, requires = "base", help_heading = "Instances")]
    vm: bool,
    /// Open a shell in the sandbox when a document failed
    #[arg(long, requires = "base", conflicts_with = "vm", help_heading = "Instances")]
    shell_on_failure: bool,
    /// Name the execution [default: a new UUID]
    #[arg(long, short = 'i', value_name = "ID", help_heading = "Logs and state")]
    pub(crate) execution_id: Option<String>,
    /// Make the log folder below DIR [default: .]
    #[arg(long, short, value_name = "DIR", help_heading = "Logs and state")]
    pub(crate) log_directory: Option<PathBuf>,
    /// Keep in DIR what a restart would lose, and go on from there [default:
    /// the log folder]
    #[arg(long, short, value_name = "DIR", conflicts_with = "base")]
    #[arg(help_heading = "Logs and state")]
    pub(crate) state_directory: Option<PathBuf>,
    /// Write the results of all steps to FILE, as JUnit XML
    #[arg(long, value_name = "FILE", help_heading = "Logs and state")]
    junit: Option<PathBuf>,
    /// Show progress line by line, as is done where there is no terminal
    #[arg(long)]
    plain: bool,
    /// Show the runner's own notes, those of application.log
    #[arg(long, short)]
    pub(crate) trace: bool,
    /// Show every line that components write, which is done anyway
    // The short form of every other command is awstoe's for the version.
    #[arg(long, id = "verbose", hide = true)]
    verbose: bool,
    /// Print version
    #[arg(long, short = 'v', action = ArgAction::Version)]
    version: Option<bool>,
    /// The bucket for logs
    #[arg(long, short = 'b', value_name = "BUCKET", help_heading = "Not supported yet")]
    pub(crate) log_s3_bucket_name: Option<String>,
    /// The account whose bucket is for logs
    #[arg(long, value_name = "ACCOUNT", help_heading = "Not supported yet")]
    pub(crate) log_s3_bucket_owner: Option<String>,
    /// What the keys of logs begin with
    #[arg(long, short = 'k', value_name = "PREFIX", help_heading = "Not supported yet")]
    pub(crate) log_s3_key_prefix: Option<String>,
    /// The account whose bucket holds the documents
    #[arg(long, value_name = "ACCOUNT", help_heading = "Not supported yet")]
    pub(crate) document_s3_bucket_owner: Option<String>,
    /// CloudWatch's log group
    #[arg(long, value_name = "GROUP", help_heading = "Not supported yet")]
    pub(crate) cw_log_group: Option<String>,
    /// CloudWatch's log stream
    #[arg(long, value_name = "STREAM", help_heading = "Not supported yet")]
    pub(crate) cw_log_stream: Option<String>,
    /// CloudWatch's region
    #[arg(long, value_name = "REGION", help_heading = "Not supported yet")]
    pub(crate) cw_log_region: Option<String>,
    /// Go on without CloudWatch
    #[arg(long, help_heading = "Not supported yet")]
    pub(crate) cw_ignore_failures: bool,
}

/// What is to be done, ready for a thread that may block.
struct Work {
    order: Order,
    documents: Vec<Document>,
    parameters: Arc<dyn Parameters>,
    waiting: Option<State>,
    instance: Option<Instance>,
    shell: bool,
    environment: Environment,
    cancel: Arc<AtomicBool>,
}

/// A throw-away instance that is asked for.
struct Instance {
    factory: factory::Factory,
    parent: ParentImage,
    kind: Kind,
    room: Room,
}

/// What came of it.
struct Outcome {
    told: Told,
    /// Where the state is that the next command goes on from.
    waits: Option<PathBuf>,
}

impl Run {
    pub(crate) async fn run(
        self,
        environment: &Environment,
        home: impl Fn() -> Result<Home, CliError>,
        out: &mut Output,
    ) -> Result<Exit, CliError> {
        let began = clock::instant();
        let mut order = Order::of(&self)?;
        let waiting = match &order.state_directory {
            Some(folder) => State::find(folder)?,
            None => None,
        };
        if let Some(state) = &waiting {
            go_on_with(&mut order, state, out)?;
        }
        if order.documents.is_empty() {
            return Err(OrderError::NoDocument.into());
        }
        if let Some(text) = order.left_out {
            out.warning(&format!("warning: {text}\n"));
        }
        let Some(documents) = prepare(&order, out)? else { return Ok(Exit::Input) };
        if let (Some(state), Some(folder)) = (&waiting, &order.state_directory) {
            state.check(&documents, folder)?;
        }
        // Without need for it, no data folder is made.
        let parameters: Arc<dyn Parameters> = if ask_for_parameters(&documents) {
            let home = home()?;
            Arc::new(home.parameters(&home.new_catalogue().await?)?)
        } else {
            Arc::new(NoParameters)
        };
        let instance = match &self.base {
            Some(base) => Some(self.instance(base, home()?, out).await?),
            None => None,
        };
        let progress = Progress::start(self.look(environment, out));
        let teller = Arc::new(progress.teller());
        let telling = Arc::clone(&teller);
        let cancel = on_signals(move || telling.note("cancelling…".to_owned()))?;
        let shell = self.shell_on_failure;
        let environment = environment.clone();
        let work =
            Work { order, documents, parameters, waiting, instance, shell, environment, cancel };
        let cancel = Arc::clone(&work.cancel);
        let handle = Handle::current();
        let done = tokio::task::spawn_blocking(move || work.carry_out(&teller, &handle, progress));
        let outcome = done.await.expect("a run's thread does not panic")?;
        self.conclude(outcome, cancel.load(Ordering::Acquire), began, out)
    }

    fn look(&self, environment: &Environment, out: &Output) -> Look {
        Look {
            redraws: environment.redraws && !self.plain,
            colours: environment.colours_err,
            detail: if out.is_quiet() { Detail::Quiet } else { Detail::Lines },
        }
    }

    async fn instance(&self, base: &str, home: Home, out: &Output) -> Result<Instance, CliError> {
        let parent = parent(base)?;
        let path = home.environment().path.clone().unwrap_or_default();
        let managed = matches!(&parent, ParentImage::Name(_) | ParentImage::Arn(_));
        let mut needs = needs::needs(home.environment().root);
        needs.retain(|need| match need.package {
            "mmdebstrap" | "debian-archive-keyring" => managed,
            "runc" | "passt" | "iproute2" | "mount" | "uidmap" => true,
            "qemu-utils" | "qemu-system-x86" | "ovmf" => self.vm,
            _ => false,
        });
        needs::check(needs, &path)?;
        let factory = home.factory(out).await?;
        let path = factory.cells().data().join("machines");
        let room =
            Room::make(factory.cells()).map_err(|source| CliError::Write { path, source })?;
        let kind = if self.vm { Kind::Machine } else { Kind::Sandbox };
        Ok(Instance { factory, parent, kind, room })
    }

    /// Tells what came of it and returns the exit code.
    fn conclude(
        &self,
        Outcome { told, waits }: Outcome,
        cancelled: bool,
        began: Instant,
        out: &mut Output,
    ) -> Result<Exit, CliError> {
        let Told { record, folder, broken, cases, failure } = told;
        let folder = folder.path().display().to_string();
        let now = clock::now_micros();
        if let Some(state) = waits {
            out.warning(&format!(
                "{} asks for a restart of this machine; then go on with:\n  \
                 goldsmith component run --state-directory {}\n",
                record.execution_id(),
                state.display()
            ));
            return Ok(Exit::Restart);
        }
        let seconds = began.elapsed().as_secs_f64();
        let failure = failure.as_ref();
        let results = Results { title: record.execution_id(), cases: &cases, failure, seconds };
        let kept = self.junit.as_deref().map(|file| junit::write(file, &results, now));
        if let Some(failure) = failure {
            let mut story = format!("error: {}\n", told_of(failure, &cases));
            for line in &failure.last_lines {
                story.push_str(format!("  | {line}").trim_end());
                story.push('\n');
            }
            story.push_str(&format!("hint: the whole log is in {folder}\n"));
            out.warning(&story);
        }
        if out.is_junit() {
            out.text(&junit::render(&results, now))?;
        } else {
            out.json(&record.summary(&folder))?;
        }
        kept.transpose()?;
        if let Some(error) = broken {
            return Err(error.into());
        }
        Ok(match failure {
            _ if cancelled => Exit::Cancelled,
            Some(_) => Exit::Component,
            None => Exit::Done,
        })
    }
}

fn phases_of(component: &Component) -> Vec<String> {
    component.phases.iter().map(|phase| phase.name.clone()).collect()
}

/// Says whether `documents` refer to stored parameters.
fn ask_for_parameters(documents: &[Document]) -> bool {
    let references = |document: &Document| {
        let steps = document.component.phases.iter().flat_map(|phase| &phase.steps);
        steps.flat_map(Step::references).collect::<Vec<_>>()
    };
    let is_stored = |reference: &Reference| {
        matches!(reference, Reference::Stored(_) | Reference::StoredUnder(_))
    };
    documents.iter().flat_map(references).any(|reference| is_stored(&reference))
}

/// Returns a failure in a sentence. The message of a document names the phase
/// and step already.
fn told_of(failure: &factory::Failure, cases: &[Case]) -> String {
    let steps = if cases.len() == 1 { "step" } else { "steps" };
    let document = failure.component.as_deref().unwrap_or_default();
    format!("{document}: {} (after {} {steps})", failure.message, cases.len())
}

/// Makes `order` that of the execution that waits, which it must not contradict.
fn go_on_with(order: &mut Order, state: &State, out: &Output) -> Result<(), StateError> {
    let waiting = state.documents.iter();
    let documents: Vec<_> = waiting.map(|one| (one.path.clone(), one.parameters.clone())).collect();
    let agrees = (order.documents.is_empty() || order.documents == documents)
        && (order.phases.is_none() || order.phases == state.phases);
    if !agrees {
        let what = "what is asked for".to_owned();
        let folder = order.state_directory.clone().unwrap_or_default();
        return Err(StateError::Changed { what, path: State::path(&folder) });
    }
    order.documents = documents;
    order.phases = state.phases.clone();
    out.note(format_args!("going on with {}", state.record.execution_id()));
    if state.boot == boot() {
        out.warning("warning: this machine was not restarted since the document asked for it\n");
    }
    Ok(())
}

/// Returns the documents, unless one of them has problems, which are told.
fn prepare(order: &Order, out: &Output) -> Result<Option<Vec<Document>>, CliError> {
    let names: Vec<String> = order.documents.iter().map(|(name, _)| name.clone()).collect();
    let (documents, problems) = load(&names, Platform::Linux);
    if !problems.rendered.is_empty() {
        out.warning(&problems.rendered);
    }
    if !problems.refused.is_empty() {
        out.warning(&format!(
            "\nerror: nothing was run: {} cannot be\n",
            problems.refused.join(", ")
        ));
        return Ok(None);
    }
    for (document, (_, parameters)) in documents.iter().zip(&order.documents) {
        document
            .component
            .values(parameters)
            .map_err(|source| OrderError::Missing { document: document.path.clone(), source })?;
        let knows = |name: &str| document.component.parameters.iter().any(|one| one.name == name);
        for (name, _) in parameters.iter().filter(|(name, _)| !knows(name)) {
            out.note(format_args!("{} has no parameter {name}", document.path));
        }
    }
    let has = |phase: &String| {
        documents.iter().any(|one| one.component.phases.iter().any(|it| it.name == *phase))
    };
    for phase in order.phases.iter().flatten().filter(|phase| !has(phase)) {
        out.warning(&format!("warning: no document has a phase {phase}\n"));
    }
    Ok(Some(documents))
}

/// Returns the base that `text` names. A disk image is what it is: its digest
/// is taken, not asked for.
fn parent(text: &str) -> Result<ParentImage, CliError> {
    let wrong = |source| CliError::Base { text: text.to_owned(), source };
    match ParentImage::parse(text, None) {
        Err(model::ParseParentError::NoDigest(_)) => {
            let placeholder = Digest::of(b"");
            let parsed = ParentImage::parse(text, Some(placeholder)).map_err(wrong)?;
            match parsed {
                ParentImage::Disk { location: DiskLocation::Path(path), .. } => {
                    let read = |source| CliError::Read { path: path.clone().into(), source };
                    let mut file = std::fs::File::open(&path).map_err(read)?;
                    let digest = digest(&mut file).map_err(read)?;
                    Ok(ParentImage::Disk { location: DiskLocation::Path(path), digest })
                }
                ParentImage::Disk { location: DiskLocation::Url(url), .. } => {
                    Err(wrong(model::ParseParentError::NoDigest(url)))
                }
                other => Ok(other),
            }
        }
        other => other.map_err(wrong),
    }
}

fn digest(file: &mut std::fs::File) -> std::io::Result<Digest> {
    use sha2::Digest as _;
    let mut hash = sha2::Sha256::new();
    std::io::copy(file, &mut hash)?;
    Ok(Digest::from_bytes(hash.finalize().into()))
}

impl Work {
    fn carry_out(
        self,
        teller: &Teller,
        handle: &Handle,
        progress: Progress,
    ) -> Result<Outcome, CliError> {
        let done = self.run_documents(teller, handle);
        progress.end();
        let (mut told, waits, place) = done?;
        if waits.is_none() {
            told.record.end(clock::now_micros());
            let kept = told.folder.keep_record(&told.record);
            told.broken = told.broken.or(kept.err());
            if let Some(folder) = &self.order.state_directory {
                State::forget(folder)?;
            }
        }
        if self.shell && told.failure.is_some() && !self.cancel.load(Ordering::Acquire) {
            open_shell(place)?;
        }
        Ok(Outcome { told, waits })
    }

    fn run_documents(
        &self,
        teller: &Teller,
        handle: &Handle,
    ) -> Result<(Told, Option<PathBuf>, Place), CliError> {
        let (record, folder) = self.open_log()?;
        let titles: Vec<_> = self.documents.iter().map(|one| one.path.as_str()).collect();
        let labels = Story::labels(&self.documents, self.order.phases.as_deref());
        teller.begin(titles.join(", "), record.execution_id().to_owned(), labels);
        let story =
            Story::new(&self.documents, (record, folder), teller, self.order.trace, &self.cancel);
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
        let loaded = LoadedComponent {
            name: path.clone(),
            text: text.clone(),
            component: component.clone(),
            parameters: parameters.clone(),
        };
        let stored = stored_parameters(&*self.parameters, &loaded, &named, Cause::Component)?;
        let components = executed_components(component, &named, &parameters);
        Ok(Execute {
            component: path.clone(),
            document: text.clone(),
            phases,
            parameters,
            stored,
            components,
            resume,
        })
    }

    /// Opens the log folder: a new one, or that of the execution that waited.
    fn open_log(&self) -> Result<(Record, LogFolder), CliError> {
        if let Some(state) = &self.waiting {
            return Ok((state.record.clone(), LogFolder::open(&state.log_folder)?));
        }
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
            return Place::here(&self.environment, &self.cancel);
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
        let trial = factory
            .try_out(&site, handle, story, &self.cancel)
            .map_err(|failure| CliError::Trial { message: failure.message.clone() })?;
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

fn open_shell(place: Place) -> Result<(), CliError> {
    let Place::Trial(mut trial) = place else { return Ok(()) };
    if !std::io::stdin().is_terminal() {
        crate::output::say("there is no terminal to open a shell on\n");
        return Ok(());
    }
    crate::output::say("a shell in the sandbox, as the document left it; `exit` ends it\n");
    let _settings = crate::terminal::Terminal::remember();
    trial.open_shell()?;
    Ok(())
}

/// What `chaining.json` holds.
#[derive(Serialize)]
struct Chaining<'a> {
    documents: Vec<ChainedDocument<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ChainedDocument<'a> {
    file_path: &'a str,
    references: Vec<ReferenceUse>,
}

impl<'a> Chaining<'a> {
    fn of(documents: &'a [Document]) -> Self {
        let documents = documents.iter();
        Self {
            documents: documents
                .map(|document| ChainedDocument {
                    file_path: &document.path,
                    references: references(&document.component),
                })
                .collect(),
        }
    }
}
