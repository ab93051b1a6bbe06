//! Carries out actions: one file for each action module.
//!
//! Inputs are concrete here. Attempts, loops and what a failure means for
//! later steps are the step's business, not the action's.

mod append_file;
mod assert;
mod copy_file;
mod copy_folder;
mod create_file;
mod create_folder;
mod create_symlink;
mod delete_file;
mod delete_folder;
mod execute_bash;
mod execute_binary;
mod execute_document;
mod file_error;
mod list_files;
mod move_file;
mod move_folder;
mod read_file;
mod s3_download;
mod s3_upload;
mod set_file_encoding;
mod set_file_owner;
mod set_file_permissions;
mod set_folder_owner;
mod set_folder_permissions;
mod update_os;
mod web_download;

use std::time::Duration;

use channel::{Event, Execute, Stream};
use document::{EvaluateError, ResolvedAction};

use crate::Machine;
use crate::clock::Deadline;
use crate::limit::{Limit, LimitError};
use crate::mask::Mask;
use crate::process::{self, Finished, ProcessError, Program, Terms};
use crate::resume::Nested;
use crate::s3::Client;

pub(crate) use execute_document::{DETAILED_OUTPUT, within};
pub(crate) use file_error::FileError;

/// What an action works with.
pub(crate) struct Bench<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) deadline: Deadline,
    /// What is not to be seen in what is told.
    pub(crate) mask: &'a Mask,
    /// Takes what is to be told while the action is carried out.
    pub(crate) tell: &'a mut dyn FnMut(Told<'_>),
    /// What is being executed: the document, after those around it.
    pub(crate) requests: &'a [&'a Execute],
    /// Where the action stood when it asked for a [`Restart::Within`].
    pub(crate) resume: Option<Box<Nested>>,
}

/// What an action tells while it is carried out.
#[derive(Debug)]
pub(crate) enum Told<'a> {
    /// A line that a program wrote.
    Line(Stream, &'a str),
    /// What happens in a nested document.
    Nested(Box<Event>),
}

impl Bench<'_> {
    /// Returns how long the action may go on.
    pub(crate) fn limit(&self) -> Limit {
        Limit::new(self.deadline, &self.machine.stop)
    }

    fn say(&mut self, stream: Stream, line: &str) {
        (self.tell)(Told::Line(stream, line));
    }

    /// Returns a client of S3 whose work ends with the action's.
    fn s3(&mut self) -> Client<'_> {
        let (settings, limit) = (&self.machine.s3, self.limit());
        Client::new(settings, limit, |line| self.say(Stream::Stderr, line))
    }

    fn run(&mut self, program: &Program) -> Result<Finished, ProcessError> {
        let terms = Terms { machine: self.machine, deadline: self.deadline, mask: self.mask };
        process::run(program, &terms, &mut |stream, line| self.say(stream, line))
    }
}

/// What an action that did not fail leaves.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Done {
    /// The exit code of its program, if it ran one.
    pub(crate) exit_code: Option<i32>,
    /// What later steps may refer to, by name.
    pub(crate) outputs: Vec<(String, String)>,
    /// Whether the machine has to be restarted.
    pub(crate) restart: Option<Restart>,
}

/// Where an execution goes on after a restart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Restart {
    /// With the same step, from its top.
    Again,
    /// With the next step.
    Next {
        /// How long to wait before restarting.
        delay: Duration,
    },
    /// With the same action, from where it stood.
    Within {
        /// How long to wait before restarting.
        delay: Duration,
        /// Where it stood, for [`Bench::resume`].
        resume: Box<Nested>,
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
    Object(#[from] s3_download::ObjectError),
    #[error(transparent)]
    Document(#[from] execute_document::DocumentError),
    #[error(transparent)]
    Limit(#[from] LimitError),
    #[error("{0} does not work on Linux")]
    Platform(&'static str),
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error("exit code {0}")]
    Exit(i32),
    #[error("it was killed by signal {0}")]
    Killed(i32),
}

impl ActionError {
    /// Returns what the action left although it failed.
    pub(crate) fn into_outputs(self) -> Vec<(String, String)> {
        match self {
            Self::Document(error) => error.into_outputs(),
            Self::NotHeld
            | Self::Condition(_)
            | Self::Bash(_)
            | Self::File(_)
            | Self::Update(_)
            | Self::Download(_)
            | Self::Object(_)
            | Self::Limit(_)
            | Self::Platform(_)
            | Self::Process(_)
            | Self::Exit(_)
            | Self::Killed(_) => Vec::new(),
        }
    }
}

/// Carries out `action`.
pub(crate) fn perform(action: &ResolvedAction, bench: &mut Bench<'_>) -> Result<Done, ActionError> {
    match action {
        ResolvedAction::Assert(condition) => assert::perform(condition, bench),
        ResolvedAction::ExecuteBash(inputs) => execute_bash::perform(inputs, bench),
        ResolvedAction::ExecuteBinary(inputs) => execute_binary::perform(inputs, bench),
        ResolvedAction::ExecutePowerShell(_) => Err(ActionError::Platform("ExecutePowerShell")),
        ResolvedAction::ExecuteDocument(inputs) => execute_document::perform(inputs, bench),
        ResolvedAction::CreateFile(list) => each(list, bench, create_file::perform),
        ResolvedAction::AppendFile(list) => each(list, bench, append_file::perform),
        ResolvedAction::ReadFile(list) => read_file::perform(list, bench),
        ResolvedAction::ListFiles(list) => list_files::perform(list, bench),
        ResolvedAction::CopyFile(list) => each_within(list, bench, copy_file::perform),
        ResolvedAction::MoveFile(list) => each_within(list, bench, move_file::perform),
        ResolvedAction::DeleteFile(list) => each_within(list, bench, delete_file::perform),
        ResolvedAction::SetFileEncoding(list) => {
            each_within(list, bench, set_file_encoding::perform)
        }
        ResolvedAction::SetFileOwner(list) => each(list, bench, set_file_owner::perform),
        ResolvedAction::SetFilePermissions(list) => {
            each(list, bench, set_file_permissions::perform)
        }
        ResolvedAction::CreateFolder(list) => each(list, bench, create_folder::perform),
        ResolvedAction::CopyFolder(list) => each_within(list, bench, copy_folder::perform),
        ResolvedAction::MoveFolder(list) => each_within(list, bench, move_folder::perform),
        ResolvedAction::DeleteFolder(list) => each_within(list, bench, delete_folder::perform),
        ResolvedAction::SetFolderOwner(list) => each_within(list, bench, set_folder_owner::perform),
        ResolvedAction::SetFolderPermissions(list) => {
            each_within(list, bench, set_folder_permissions::perform)
        }
        ResolvedAction::CreateSymlink(list) => each(list, bench, create_symlink::perform),
        ResolvedAction::WebDownload(list) => web_download::perform(list, bench),
        ResolvedAction::S3Download(list) => s3_download::perform(list, bench),
        ResolvedAction::S3Upload(list) => s3_upload::perform(list, bench),
        ResolvedAction::InstallMsi(_) => Err(ActionError::Platform("InstallMSI")),
        ResolvedAction::UninstallMsi(_) => Err(ActionError::Platform("UninstallMSI")),
        ResolvedAction::SetRegistry(_) => Err(ActionError::Platform("SetRegistry")),
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
    perform: impl Fn(&T, &Machine) -> Result<(), FileError>,
) -> Result<Done, ActionError> {
    each_within(list, bench, |entry, machine, _| perform(entry, machine))
}

/// Does the same with what may have much to do for one entry.
fn each_within<T>(
    list: &[T],
    bench: &Bench<'_>,
    perform: impl Fn(&T, &Machine, &Limit) -> Result<(), FileError>,
) -> Result<Done, ActionError> {
    let limit = bench.limit();
    for entry in list {
        limit.check()?;
        perform(entry, bench.machine, &limit)?;
    }
    limit.check()?;
    Ok(Done::default())
}

/// Returns the name of an output of a list's entry, as references look it up.
pub(crate) fn output_name(name: &str, index: usize) -> String {
    if index == 0 { name.to_owned() } else { format!("[{index}].{name}") }
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;

    #[test]
    fn an_end_during_the_last_entry_counts() {
        let machine = Machine::default();
        let bench = Bench {
            machine: &machine,
            deadline: Deadline::after(None),
            mask: &Mask::default(),
            tell: &mut |_| {},
            requests: &[],
            resume: None,
        };
        let done = each(&[()], &bench, |(), machine| {
            machine.stop.store(true, Ordering::Release);
            Ok(())
        });
        assert!(matches!(done, Err(ActionError::Limit(LimitError::Stopped))), "{done:?}");
    }
}
