//! `goldsmith component run`: documents on this machine, or in an instance.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use clap::ArgAction;
use factory::{Case, Kind, Parameters as _};
use name::Account;
use tokio::runtime::Handle;

use super::order::{Order, OrderError};
use super::prepare::{ask_for_parameters, prepare};
use super::state::{State, boot};
use super::story::Told;
use super::trial::Instance;
use super::work::{FindParameter, Outcome, Work};
use crate::arguments::Format;
use crate::cancel::on_signals;
use crate::clock;
use crate::environment::Environment;
use crate::error::CliError;
use crate::exit::Exit;
use crate::home::Home;
use crate::identity::Identities;
use crate::junit::{self, Results};
use crate::output::Output;
use crate::progress::{Detail, Look, Progress};

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
    /// The documents: paths, addresses in S3 (s3://…), or ARNs of managed
    /// components
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
    /// Take all this from a JSON file in awstoe's form, here or in S3
    #[arg(long, short, value_name = "FILE")]
    #[arg(conflicts_with_all = ["positional", "documents", "parameters"])]
    pub(crate) config: Option<PathBuf>,
    /// The account that must own the buckets of documents in S3
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) document_s3_bucket_owner: Option<Account>,
    /// Run in a throw-away sandbox on BASE: a managed image's name, an image's
    /// ARN, an AMI, or a disk image's path
    #[arg(long = "in", value_name = "BASE", help_heading = "Instances")]
    base: Option<String>,
    /// Use a virtual machine that is booted from BASE
    #[arg(long, requires = "base", help_heading = "Instances")]
    pub(crate) vm: bool,
    /// Open a shell in the instance when a document failed
    #[arg(long, requires = "base", help_heading = "Instances")]
    pub(crate) shell_on_failure: bool,
    /// Name the execution [default: a new UUID]
    #[arg(long, short = 'i', value_name = "ID", help_heading = "Logs and state")]
    pub(crate) execution_id: Option<String>,
    /// Make the log folder below DIR [default: .]
    #[arg(long, short, value_name = "DIR", help_heading = "Logs and state")]
    pub(crate) log_directory: Option<PathBuf>,
    /// Store the log folder in this bucket too, when the run is over
    #[arg(long, short = 'b', value_name = "BUCKET", help_heading = "Logs and state")]
    pub(crate) log_s3_bucket_name: Option<String>,
    /// The account that must own that bucket
    #[arg(long, value_name = "ACCOUNT", help_heading = "Logs and state")]
    pub(crate) log_s3_bucket_owner: Option<Account>,
    /// Store the log folder below PREFIX in that bucket
    #[arg(long, short = 'k', value_name = "PREFIX", help_heading = "Logs and state")]
    pub(crate) log_s3_key_prefix: Option<String>,
    /// Send the lines of console.log to this log group of CloudWatch, as they
    /// are written
    #[arg(long, value_name = "GROUP", help_heading = "Logs and state")]
    pub(crate) cw_log_group: Option<String>,
    /// The stream in that group [default: the execution's name]
    #[arg(long, value_name = "STREAM", help_heading = "Logs and state")]
    pub(crate) cw_log_stream: Option<String>,
    /// The region of that group [default: AWS_REGION]
    #[arg(long, value_name = "REGION", help_heading = "Logs and state")]
    pub(crate) cw_log_region: Option<String>,
    /// Let the run succeed when its lines cannot be sent to CloudWatch
    #[arg(long, help_heading = "Logs and state")]
    pub(crate) cw_ignore_failures: bool,
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
}

impl Run {
    pub(crate) async fn run(
        self,
        environment: &Environment,
        home: impl Fn() -> Result<Home, CliError>,
        out: &mut Output,
    ) -> Exit {
        match self.carry_out(environment, home, out).await {
            Ok(exit) => exit,
            Err(error) => self.tell_refusal(&error, out),
        }
    }

    /// Tells why nothing was run, also to programs that wait for test cases:
    /// those of an earlier run must not pass for this one's.
    fn tell_refusal(&self, error: &CliError, out: &mut Output) -> Exit {
        out.error(error);
        let failure = junit::failure_of(error);
        let results = Results {
            title: "component documents",
            cases: &[],
            failure: Some(&failure),
            seconds: 0.0,
        };
        let now = clock::now_micros();
        let kept = self.junit.as_deref().map(|file| junit::write(file, &results, now));
        let printed = match out.format() {
            Format::Junit => out.text(&junit::render(&results, now)),
            // What awstoe prints is a summary of an execution, of which there is none.
            Format::Json | Format::Text => Ok(()),
        };
        out.conclude(error.exit(), [kept.unwrap_or(Ok(())), printed])
    }

    async fn carry_out(
        &self,
        environment: &Environment,
        home: impl Fn() -> Result<Home, CliError>,
        out: &mut Output,
    ) -> Result<Exit, CliError> {
        let began = clock::instant();
        let mut order = Order::of(self, environment)?;
        let waiting = match &order.state_directory {
            Some(folder) => State::find(folder)?,
            None => None,
        };
        if let Some(state) = &waiting {
            state.complete(&mut order)?;
            out.note(format_args!("going on with {}", state.record.execution_id()));
            if state.boot == boot() {
                out.warning(
                    "warning: this machine was not restarted since the document asked for it\n",
                );
            }
        }
        if order.documents.is_empty() {
            return Err(OrderError::NoDocument.into());
        }
        let documents = prepare(&order, environment, out)?;
        if let (Some(state), Some(folder)) = (&waiting, &order.state_directory) {
            state.check(&documents, folder)?;
        }
        // Without need for it, no data folder is made.
        let find_parameter: FindParameter = if ask_for_parameters(&documents) {
            let home = home()?;
            let identities = Identities::open(&home).await?;
            let account = identities.account(None).await?.id;
            let parameters = home.parameters(&identities.db)?;
            Box::new(move |name| parameters.find(&account, name))
        } else {
            Box::new(|_| Ok(None))
        };
        let instance = match &self.base {
            Some(base) => {
                let kind = if self.vm { Kind::Machine } else { Kind::Sandbox };
                Some(Instance::of(base, kind, home()?, out).await?)
            }
            None => None,
        };
        let progress = Progress::start(self.look(environment, out));
        let teller = Arc::new(progress.teller());
        let telling = Arc::clone(&teller);
        let cancel = on_signals(move || telling.note("cancelling…".to_owned()))?;
        let shell = self.shell_on_failure;
        let environment = environment.clone();
        let work = Work {
            order,
            documents,
            find_parameter,
            waiting,
            instance,
            shell,
            environment,
            cancel,
        };
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

    /// Tells what came of it and returns the exit code.
    fn conclude(
        &self,
        Outcome { told, waits, stored, streamed }: Outcome,
        cancelled: bool,
        began: Instant,
        out: &mut Output,
    ) -> Result<Exit, CliError> {
        let Told { record, folder, broken, cases, failure, .. } = told;
        let folder = folder.path().display().to_string();
        let now = clock::now_micros();
        let streamed = streamed.map(|unsent| {
            if let Some(error) = unsent {
                out.warning(&format!("warning: {}\n", toe::chain(&error)));
            }
        });
        if let Some(state) = waits {
            out.warning(&format!(
                "{} asks for a restart of this machine; then go on with:\n  \
                 goldsmith component run --state-directory {}\n",
                record.execution_id(),
                state.display()
            ));
            streamed?;
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
        let printed = if out.is_junit() {
            out.text(&junit::render(&results, now))
        } else {
            // Where logs cannot be stored, they are in their folder.
            let url = stored.as_ref().and_then(|stored| stored.as_ref().ok()).unwrap_or(&folder);
            out.json(&record.summary(url))
        };
        let exit = match failure {
            _ if cancelled => Exit::Cancelled,
            Some(_) => Exit::Component,
            None => Exit::Done,
        };
        let kept = kept.unwrap_or(Ok(()));
        let logged = broken.map_or(Ok(()), |error| Err(error.into()));
        let stored = stored.map_or(Ok(()), |stored| Ok(stored.map(drop)?));
        Ok(out.conclude(exit, [printed, kept, logged, stored, streamed.map_err(CliError::from)]))
    }
}

/// Returns a failure in a sentence. The message of a document names the phase
/// and step already.
fn told_of(failure: &factory::Failure, cases: &[Case]) -> String {
    let steps = if cases.len() == 1 { "step" } else { "steps" };
    let document = failure.component.as_deref().unwrap_or_default();
    format!("{document}: {} (after {} {steps})", failure.message, cases.len())
}
