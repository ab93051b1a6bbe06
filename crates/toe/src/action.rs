//! Carries out actions: one file for each action module.
//!
//! Inputs are concrete here. Attempts, loops and what a failure means for
//! later steps are the step's business, not the action's.

mod append_file;
mod assert;
mod copy_file;
mod create_file;
mod create_folder;
mod delete_file;
mod execute_bash;
mod execute_binary;
mod file_error;
mod move_file;
mod set_file_owner;
mod set_file_permissions;
mod update_os;
mod web_download;

use std::time::Duration;

use channel::Stream;
use document::{EvaluateError, ResolvedAction};

use crate::Machine;
use crate::clock::Deadline;
use crate::process::{self, Finished, ProcessError, Program, Terms};

pub(crate) use file_error::FileError;

/// What an action works with.
pub(crate) struct Bench<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) deadline: Deadline,
    /// Takes the lines that programs write.
    pub(crate) output: &'a mut dyn FnMut(Stream, &str),
}

impl Bench<'_> {
    fn run(&mut self, program: &Program) -> Result<Finished, ProcessError> {
        let terms = Terms { machine: self.machine, deadline: self.deadline };
        process::run(program, &terms, self.output)
    }
}

/// What an action that did not fail leaves.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Done {
    /// The exit code of its program, if it ran one.
    pub(crate) exit_code: Option<i32>,
    /// What later steps may refer to, by name.
    pub(crate) outputs: Vec<(String, String)>,
    /// Whether the machine has to be restarted.
    pub(crate) restart: Option<Restart>,
}

/// Where an execution goes on after a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Restart {
    /// With the same step, from its top.
    Again,
    /// With the next step.
    Next {
        /// How long to wait before restarting.
        delay: Duration,
    },
}

/// An action failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ActionError {
    #[error("the condition does not hold")]
    NotHeld,
    #[error("the condition cannot be evaluated")]
    Condition(#[from] EvaluateError),
    #[error(transparent)]
    Bash(#[from] execute_bash::BashError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Update(#[from] update_os::UpdateError),
    #[error(transparent)]
    Download(#[from] web_download::DownloadError),
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error("exit code {0}")]
    Exit(i32),
    #[error("it was killed by signal {0}")]
    Killed(i32),
}

/// Carries out `action`.
pub(crate) fn perform(action: &ResolvedAction, bench: &mut Bench<'_>) -> Result<Done, ActionError> {
    match action {
        ResolvedAction::Assert(condition) => assert::perform(condition, bench.machine),
        ResolvedAction::ExecuteBash(inputs) => execute_bash::perform(inputs, bench),
        ResolvedAction::ExecuteBinary(inputs) => execute_binary::perform(inputs, bench),
        ResolvedAction::CreateFile(list) => each(list, bench, create_file::perform),
        ResolvedAction::AppendFile(list) => each(list, bench, append_file::perform),
        ResolvedAction::CreateFolder(list) => each(list, bench, create_folder::perform),
        ResolvedAction::CopyFile(list) => each(list, bench, copy_file::perform),
        ResolvedAction::MoveFile(list) => each(list, bench, move_file::perform),
        ResolvedAction::DeleteFile(list) => each(list, bench, delete_file::perform),
        ResolvedAction::SetFilePermissions(list) => {
            each(list, bench, set_file_permissions::perform)
        }
        ResolvedAction::SetFileOwner(list) => each(list, bench, set_file_owner::perform),
        ResolvedAction::WebDownload(list) => web_download::perform(list, bench),
        ResolvedAction::UpdateOs(inputs) => update_os::perform(inputs, bench),
        ResolvedAction::Reboot(inputs) => {
            let delay = Duration::from_secs(inputs.delay_seconds.into());
            Ok(Done { restart: Some(Restart::Next { delay }), ..Done::default() })
        }
    }
}

fn each<T>(
    list: &[T],
    bench: &Bench<'_>,
    perform: fn(&T, &Machine) -> Result<(), FileError>,
) -> Result<Done, ActionError> {
    for entry in list {
        perform(entry, bench.machine)?;
    }
    Ok(Done::default())
}

/// Reads a finished program's exit as AWS's runner does: 194 asks for a restart.
fn settle(finished: Finished) -> Result<Done, ActionError> {
    use std::os::unix::process::ExitStatusExt;

    let outputs = vec![("stdout".to_owned(), finished.stdout)];
    let done = Done { exit_code: finished.status.code(), outputs, restart: None };
    match finished.status.code() {
        Some(0) => Ok(done),
        Some(194) => Ok(Done { restart: Some(Restart::Again), ..done }),
        Some(code) => Err(ActionError::Exit(code)),
        None => Err(ActionError::Killed(finished.status.signal().unwrap_or_default())),
    }
}
