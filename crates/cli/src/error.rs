//! Why a command could not do what it was asked, what to do about it, and the
//! exit code that says so.

mod hint;

use std::error::Error;
use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use cell::IdsError;
use factory::{BuildError, Cause, Failure, Found, GarbageError, LogError, OpenError, OrderError};
use instance::ExecuteError;
use model::ParseParentError;
use name::Region;
use publish::{ExportError, ExportErrorKind, MaterialiseError, OpenRegionError, ReadMapError};
use server::{BindError, TlsError};
use store::{KeyringError, StoreError, StoreErrorKind};

use crate::command::component::{
    DocumentProblems, LogBucketFailure, OrderError as ComponentOrderError, PlaceError, StateError,
};
use crate::exit::Exit;
use crate::reference::FindError;

/// A command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error("there is no folder to keep data in: HOME is not set")]
    NoHome,
    #[error("the agent goldsmith-agent is not at {}", shown(candidates))]
    NoAgent { candidates: Vec<PathBuf> },
    #[error("this machine lacks {}", lacking.join(", "))]
    Lacking { lacking: Vec<String>, mend: String },
    #[error("{0}")]
    Order(#[from] OrderError),
    #[error("the AMI name is taken: {}", shown_names(taken))]
    NameTaken { taken: Vec<(Region, String)> },
    #[error("failed to open the factory")]
    Open(#[from] OpenError),
    #[error("failed to keep the build's records")]
    Build(#[from] BuildError),
    #[error("failed to read the log of {run}")]
    Log {
        run: String,
        #[source]
        source: LogError,
    },
    #[error(transparent)]
    Find(#[from] FindError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    #[error("there is no {what}")]
    Unknown { what: String },
    #[error("the account `{account}` has no key that is active")]
    NoKey { account: String },
    #[error("the value of `{name}` is a secret")]
    Secure { name: String },
    #[error("failed to read the value")]
    Value(#[source] io::Error),
    #[error("failed to draw random bytes")]
    Draw(#[source] io::Error),
    #[error(transparent)]
    Region(#[from] OpenRegionError),
    #[error("failed to read the image {ami}")]
    Map {
        ami: String,
        #[source]
        source: ReadMapError,
    },
    #[error(transparent)]
    Export(#[from] ExportError),
    #[error("failed to make a disk of {ami}")]
    Materialise {
        ami: String,
        #[source]
        source: MaterialiseError,
    },
    #[error(transparent)]
    Garbage(#[from] GarbageError),
    #[error("failed to write {}", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("failed to read {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("failed to find user ids for instances")]
    Ids(#[from] IdsError),
    #[error("failed to use the data folder {}", path.display())]
    Data {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(transparent)]
    Bind(#[from] BindError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("failed to draw a password")]
    Random(#[source] io::Error),
    #[error("failed to run the machine")]
    Machine(#[from] ExecuteError),
    #[error("failed to read the answer")]
    Ask(#[source] io::Error),
    #[error("failed to write the output")]
    Output(#[source] io::Error),
    #[error("failed to start the command's threads")]
    Runtime(#[source] io::Error),
    #[error("{what} is not deleted without being asked: there is no terminal")]
    Unconfirmed { what: String },
    #[error("nothing was deleted")]
    Declined,
    #[error("`--output junit` is for `goldsmith build` and `goldsmith component`")]
    NoJunit,
    #[error(transparent)]
    ComponentOrder(#[from] ComponentOrderError),
    #[error(transparent)]
    ComponentState(#[from] StateError),
    #[error(transparent)]
    Place(#[from] PlaceError),
    #[error(transparent)]
    LogFolder(#[from] toe::LogFolderError),
    #[error(transparent)]
    LogBucket(#[from] LogBucketFailure),
    #[error(transparent)]
    LogStream(#[from] toe::logs::LogStreamError),
    #[error("`--in {text}` names no base")]
    Base {
        text: String,
        #[source]
        source: ParseParentError,
    },
    #[error("{}", _0.message)]
    Trial(Box<Failure>),
    #[error("nothing was run: {} cannot be", _0.refused.join(", "))]
    Documents(DocumentProblems),
}

impl CliError {
    /// Returns the exit code that tells of this.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Lacking { .. } | Self::NoAgent { .. } => Exit::Lacking,
            Self::Open(OpenError::Ids(_)) | Self::Ids(_) => Exit::Lacking,
            Self::Order(_) | Self::Documents(_) | Self::NameTaken { .. } => Exit::Input,
            Self::Unconfirmed { .. } | Self::Read { .. } => Exit::Input,
            Self::NoJunit | Self::ComponentOrder(_) | Self::Base { .. } => Exit::Input,
            Self::ComponentState(_) => Exit::Input,
            Self::Place(PlaceError::Execute { source: ExecuteError::Cancelled, .. }) => {
                Exit::Cancelled
            }
            Self::Trial(failure) => match failure.cause {
                Cause::Cancelled => Exit::Cancelled,
                Cause::Lacking => Exit::Lacking,
                Cause::Component | Cause::Test | Cause::Factory => Exit::Other,
            },
            Self::Find(FindError::Several { .. } | FindError::Places { .. }) => Exit::Input,
            Self::Secure { .. } | Self::Value(_) | Self::Tls(_) => Exit::Input,
            Self::Find(_) | Self::Unknown { .. } | Self::NoKey { .. } => Exit::NotFound,
            Self::Store(error) => match error.kind() {
                StoreErrorKind::Missing { .. } => Exit::NotFound,
                StoreErrorKind::Taken { .. }
                | StoreErrorKind::HasValue { .. }
                | StoreErrorKind::OtherType { .. }
                | StoreErrorKind::Value { .. } => Exit::Input,
                _ => Exit::Other,
            },
            Self::Export(error) => match error.kind() {
                ExportErrorKind::Cancelled => Exit::Cancelled,
                ExportErrorKind::Exists => Exit::Input,
                ExportErrorKind::Start(_) => Exit::Lacking,
                _ => Exit::Other,
            },
            Self::Materialise { source: MaterialiseError::Cancelled, .. } | Self::Declined => {
                Exit::Cancelled
            }
            Self::NoHome
            | Self::Keyring(_)
            | Self::Draw(_)
            | Self::Bind(_)
            | Self::Open(_)
            | Self::Build(_)
            | Self::Log { .. }
            | Self::Region(_)
            | Self::Map { .. }
            | Self::Materialise { .. }
            | Self::Garbage(_)
            | Self::Write { .. }
            | Self::Data { .. }
            | Self::Random(_)
            | Self::Machine(_)
            | Self::Ask(_)
            | Self::Output(_)
            | Self::Place(_)
            | Self::LogFolder(_)
            | Self::LogBucket(_)
            | Self::LogStream(_)
            | Self::Runtime(_) => Exit::Other,
        }
    }

    /// Returns the problems that speak for themselves, if that is what this is:
    /// for people and for programs.
    fn problems(&self) -> Option<(&str, &[Found])> {
        if let Self::Documents(DocumentProblems { rendered, found, .. })
        | Self::Order(OrderError::Problems { rendered, found }) = self
        {
            return Some((rendered, found));
        }
        None
    }

    /// Returns each problem of the input, for programs.
    pub(crate) fn found(&self) -> &[Found] {
        self.problems().map_or(&[], |(_, found)| found)
    }

    /// Says whether the reader of the standard output has gone away.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// Returns the error, its causes and the hint, as shown to people.
    pub(crate) fn render(&self) -> String {
        let mut text = String::new();
        if let Some((rendered, _)) = self.problems() {
            text.push_str(&format!("{rendered}\n"));
        }
        text.push_str(&format!("error: {}\n", self.sentence()));
        if let Some(hint) = self.hint() {
            text.push_str(&format!("hint: {hint}\n"));
        }
        text
    }

    /// Returns the error and its causes in one sentence.
    pub(crate) fn sentence(&self) -> String {
        if let Self::Order(OrderError::Problems { found, .. }) = self {
            let problems = if found.len() == 1 { "problem" } else { "problems" };
            return format!("the project has {} {problems}", found.len());
        }
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            let told = error.to_string();
            if !text.ends_with(&told) {
                write!(text, ": {told}").expect("writing fails not because a String takes all");
            }
            cause = error.source();
        }
        text
    }
}

fn shown(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" or ")
}

fn shown_names(taken: &[(Region, String)]) -> String {
    taken
        .iter()
        .map(|(region, name)| format!("`{name}` in {region}"))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(error: &CliError, exit: Exit, expected: Expect) {
        assert_eq!(error.exit(), exit);
        expected.assert_eq(&error.render());
    }

    #[test]
    fn errors_tell_cause_and_next_step() {
        check(
            &CliError::Order(OrderError::Read {
                path: "web/goldsmith.yaml".into(),
                source: io::Error::other("no such file"),
            }),
            Exit::Input,
            expect![[r#"
                error: failed to read web/goldsmith.yaml: no such file
                hint: name a folder with a goldsmith.yaml, or such a file; `goldsmith schema project` tells what it may hold
            "#]],
        );
        check(
            &CliError::NoAgent { candidates: vec!["/usr/bin/goldsmith-agent".into()] },
            Exit::Lacking,
            expect![[r#"
                error: the agent goldsmith-agent is not at /usr/bin/goldsmith-agent
                hint: run `make build` in Goldsmith's source, or set GOLDSMITH_AGENT to its path
            "#]],
        );
        check(
            &CliError::Unconfirmed { what: "web/1.0.0/1".to_owned() },
            Exit::Input,
            expect![[r#"
                error: web/1.0.0/1 is not deleted without being asked: there is no terminal
                hint: add --yes if it shall be deleted
            "#]],
        );
    }

    #[test]
    fn problems_are_shown_as_they_were_rendered() {
        check(
            &CliError::Order(OrderError::Problems {
                rendered: "error[rule]: it is wrong\n".to_owned(),
                found: vec![Found {
                    document: "web/goldsmith.yaml".to_owned(),
                    line: Some(1),
                    column: Some(1),
                    severity: "error",
                    code: "rule",
                    message: "it is wrong".to_owned(),
                    help: None,
                }],
            }),
            Exit::Input,
            expect![[r#"
                error[rule]: it is wrong

                error: the project has 1 problem
            "#]],
        );
    }
}
