//! Why a fact could not be recorded or read.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use model::{IllegalTransition, ParameterName, ParameterType, ParameterValueError, TagsError};
use name::{Region, RunId};

/// An operation on the store failed.
#[derive(Debug, thiserror::Error)]
#[error("failed to {action}")]
pub struct StoreError {
    action: &'static str,
    #[source]
    kind: StoreErrorKind,
}

/// What failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// There is no such thing.
    #[error("there is no {what}")]
    Missing {
        /// What was asked for, with its name.
        what: String,
    },
    /// The image cannot take the state from where it stands.
    #[error("the state of {run} cannot change")]
    Transition {
        /// The run's id.
        run: RunId,
        /// From where to where it should have gone.
        #[source]
        source: IllegalTransition,
    },
    /// Another AMI has the name (EC2: InvalidAMIName.Duplicate).
    #[error("the AMI name `{name}` is already in use in {region}")]
    DuplicateAmiName {
        /// The name.
        name: String,
        /// The region.
        region: Region,
    },
    /// Something else has the name.
    #[error("the {what} is already there")]
    Taken {
        /// What was to be made, with its name.
        what: String,
    },
    /// The parameter has a value and shall keep it (SSM: ParameterAlreadyExists).
    #[error("the parameter `{name}` has a value already")]
    HasValue {
        /// The parameter.
        name: ParameterName,
    },
    /// A build of the same version has the same contents.
    #[error("`{arn}` has the same contents")]
    Identical {
        /// The build.
        arn: String,
    },
    /// What a resource should name is not there.
    #[error("there is no `{arn}` to refer to")]
    Unresolved {
        /// What was named.
        arn: String,
    },
    /// Other resources need what was to be deleted.
    #[error("`{arn}` is needed by {}", by.join(", "))]
    Needed {
        /// What was to be deleted.
        arn: String,
        /// Some of those who need it.
        by: Vec<String>,
    },
    /// The client's token came with another request before.
    #[error("the client token `{token}` was given with other parameters before")]
    TokenMismatch {
        /// The token.
        token: String,
    },
    /// A resource would have more tags than it may.
    #[error("the tags of `{arn}` are not valid")]
    Tags {
        /// The resource.
        arn: String,
        /// Which rule they break.
        #[source]
        source: TagsError,
    },
    /// The parameter has values of another type (SSM refuses that too).
    #[error("the parameter `{name}` is a {is}, not a {given}")]
    OtherType {
        /// The parameter.
        name: ParameterName,
        /// Its type.
        is: ParameterType,
        /// The type of the new value.
        given: ParameterType,
    },
    /// The value breaks a rule.
    #[error("the parameter `{name}` cannot have the value")]
    Value {
        /// The parameter.
        name: ParameterName,
        /// The rule.
        #[source]
        source: ParameterValueError,
    },
    /// A secret cannot be read.
    #[error("failed to unseal column `{column}`")]
    Sealed {
        /// The column.
        column: &'static str,
        /// Why not.
        #[source]
        source: seal::OpenError,
    },
    /// The operating system gave no random bytes.
    #[error("failed to draw random bytes")]
    Random(#[source] io::Error),
    /// The database was written by a newer version of this program.
    #[error("the database has schema {found}, this version of goldsmith knows {known}")]
    Newer {
        /// The schema's number.
        found: i64,
        /// The newest number known here.
        known: i64,
    },
    /// A row holds what this program never writes.
    #[error("`{value}` in column `{column}` is not valid")]
    Row {
        /// The column.
        column: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A value does not fit a column.
    #[error("{value} does not fit column `{column}`")]
    TooLarge {
        /// The column.
        column: &'static str,
        /// The value.
        value: u64,
    },
    /// The database file could not be opened.
    #[error("failed to open the database `{}`", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the database said.
        #[source]
        source: sqlx::Error,
    },
    /// The database failed.
    #[error("the database failed")]
    Database(#[source] sqlx::Error),
}

impl StoreError {
    /// Returns what failed.
    pub fn kind(&self) -> &StoreErrorKind {
        &self.kind
    }

    /// Returns what failed, without what was attempted.
    #[cfg(test)]
    pub(crate) fn into_kind(self) -> StoreErrorKind {
        self.kind
    }
}

/// Carries out `work` and says what was attempted if it fails.
pub(crate) async fn attempt<T>(
    action: &'static str,
    work: impl Future<Output = Result<T, StoreErrorKind>>,
) -> Result<T, StoreError> {
    work.await.map_err(|kind| StoreError { action, kind })
}

impl StoreErrorKind {
    pub(crate) fn opening(path: &Path) -> impl FnOnce(sqlx::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Open { path, source }
    }
}

impl From<sqlx::Error> for StoreErrorKind {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}
