//! Where documents run: on this machine, or in an instance of their own.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use channel::{Execute, Resume, Status};
use document::Component;
use factory::Trial;
use instance::ExecuteError;
use rustix::process::{getpid, set_child_subreaper};
use tempfile::TempDir;
use toe::{Machine, Outcome, RunError};

use super::object::settings;
use super::story::Story;
use crate::environment::Environment;
use crate::error::CliError;

/// Where documents run.
pub(crate) enum Place {
    /// On this machine, with the rights of whoever runs the command.
    Here {
        machine: Box<Machine>,
        /// Holds scripts while they run.
        _scratch: TempDir,
    },
    /// In a throw-away instance.
    Trial(Box<Trial>),
}

/// How a document ended, or what it waits for.
pub(crate) enum Ending {
    /// It is over; the text says why it failed.
    Over(Option<String>),
    /// This machine has to be restarted first.
    Restart(Resume),
}

/// A document could not be carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlaceError {
    #[error("failed to run {document}")]
    Run {
        document: String,
        #[source]
        source: RunError,
    },
    #[error("failed to run {document}")]
    Execute {
        document: String,
        #[source]
        source: ExecuteError,
    },
}

impl Place {
    /// Returns this machine, which stops when `cancel` is set; `logs` is the log
    /// folder.
    #[expect(clippy::disallowed_methods, reason = "documents run where the command does")]
    pub(crate) fn here(
        environment: &Environment,
        cancel: &Arc<AtomicBool>,
        logs: PathBuf,
    ) -> Result<Self, CliError> {
        let failed = |source| CliError::Write { path: std::env::temp_dir(), source };
        let scratch = TempDir::with_prefix("goldsmith-component-").map_err(failed)?;
        let folder = std::env::current_dir()
            .map_err(|source| CliError::Read { path: ".".into(), source })?;
        let machine = Machine {
            scratch: scratch.path().to_owned(),
            folder,
            // A step whose time is up leaves nothing behind.
            adopts_orphans: set_child_subreaper(Some(getpid())).is_ok(),
            variables: variables(environment),
            stop: Arc::clone(cancel),
            s3: settings(environment),
            logs: Some(logs),
        };
        Ok(Self::Here { machine: Box::new(machine), _scratch: scratch })
    }

    /// Does what `request` asks, which is to run `component`.
    pub(crate) fn execute(
        &mut self,
        component: &Component,
        request: Execute,
        story: &Story<'_>,
    ) -> Result<Ending, PlaceError> {
        match self {
            Self::Here { machine, .. } => {
                let mut tell = |event| story.event(&event);
                let outcome = toe::run(component, &request, machine, &mut tell);
                toe::reap(None);
                match outcome {
                    Ok(Outcome::Ended { status, message }) => Ok(over(status, message)),
                    Ok(Outcome::Reboot { resume, delay }) => Ok(if machine.pause(delay) {
                        Ending::Restart(resume)
                    } else {
                        Ending::Over(Some("it was cancelled".to_owned()))
                    }),
                    Err(source) => Err(PlaceError::Run { document: request.component, source }),
                }
            }
            Self::Trial(trial) => match trial.execute(&request, story) {
                Ok((status, message)) => Ok(over(status, message)),
                Err(source) => Err(PlaceError::Execute { document: request.component, source }),
            },
        }
    }
}

fn over(status: Status, message: String) -> Ending {
    Ending::Over(match status {
        Status::Failed => Some(message),
        Status::Success | Status::IgnoredFailure | Status::Skipped => None,
    })
}

/// Returns the variables that steps find: those of this process, as with
/// AWS's runner.
fn variables(environment: &Environment) -> BTreeMap<OsString, OsString> {
    environment.variables.iter().cloned().collect()
}
