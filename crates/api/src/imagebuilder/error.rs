//! Errors in Image Builder's words (reference §1.2).

use document::Problems;
use name::{Arn, ParseArnError};
use store::{StoreError, StoreErrorKind};
use wire::imagebuilder::{DRY_RUN_MESSAGE, Error, ErrorKind};

/// Returns the error for a member whose value breaks `rule`.
pub(crate) fn invalid(parameter: &str, rule: impl std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::InvalidParameterValue,
        format!("The value supplied for parameter '{parameter}' is not valid. {rule}"),
    )
}

/// Returns the error for members that exclude each other, or of which one is needed.
pub(crate) fn combination(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidParameterCombination, message)
}

/// Returns the error for a request that is understood and cannot be carried out here.
pub(crate) fn unsupported(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidRequest, message)
}

/// Returns the error for a resource that is not there.
pub(crate) fn not_found(arn: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::ResourceNotFound, format!("The resource '{arn}' cannot be found."))
}

/// Returns the error for a resource of account `aws` that was to be changed.
pub(crate) fn immutable(arn: &Arn) -> Error {
    let message = format!("'{arn}' is managed: it can be used and read, not changed or deleted.");
    Error::new(ErrorKind::Forbidden, message)
}

/// Returns what a request with `dryRun` gets when all is well.
pub(crate) fn dry_run() -> Error {
    Error::new(ErrorKind::DryRunOperation, DRY_RUN_MESSAGE)
}

/// Returns the error for a document in `data`, with all that is wrong with it.
pub(crate) fn bad_document(problems: &Problems, data: &str) -> Error {
    invalid("data", format!("The document is not valid.\n{}", problems.render("data", data)))
}

/// Returns the ARN in a member.
pub(crate) fn arn(parameter: &str, text: &str) -> Result<Arn, Error> {
    text.parse().map_err(|error: ParseArnError| invalid(parameter, told(&error)))
}

/// Returns what the store's refusal is to a client.
pub(crate) fn refusal(error: StoreError) -> Error {
    let (kind, message) = match error.kind() {
        StoreErrorKind::Missing { what } => {
            (ErrorKind::ResourceNotFound, format!("The {} cannot be found.", quoted(what)))
        }
        StoreErrorKind::Taken { what } => {
            (ErrorKind::ResourceAlreadyExists, format!("The {} already exists.", quoted(what)))
        }
        StoreErrorKind::Identical { arn } => (
            ErrorKind::ResourceAlreadyExists,
            format!("The resource '{arn}' already exists with the same document."),
        ),
        StoreErrorKind::Unresolved { arn } => return not_found(arn),
        StoreErrorKind::Needed { arn, by } => (ErrorKind::ResourceDependency, needed(arn, by)),
        StoreErrorKind::TokenMismatch { token } => (
            ErrorKind::IdempotentParameterMismatch,
            format!("The client token '{token}' was used before with other parameters."),
        ),
        StoreErrorKind::Tags { source, .. } => (ErrorKind::InvalidParameter, told(source)),
        // The rest is this machine's fault: what is told of it gets no further than the port's log.
        _ => (ErrorKind::Service, told(&error)),
    };
    Error::new(kind, message)
}

/// Returns the error for what the store holds and the API cannot read.
pub(crate) fn broken(arn: &Arn, error: &serde_json::Error) -> Error {
    Error::new(ErrorKind::Service, format!("The record of '{arn}' cannot be read: {error}"))
}

fn needed(arn: &str, by: &[String]) -> String {
    const NAMED: usize = 5;
    let mut names: Vec<_> = by.iter().take(NAMED).map(|arn| format!("'{arn}'")).collect();
    if by.len() > NAMED {
        names.push(format!("{} more", by.len() - NAMED));
    }
    format!(
        "Resource dependency error: The resource ARN '{arn}' has other resources depended on it. \
         They are: {}.",
        names.join(", ")
    )
}

/// Returns a text of the store's as Image Builder quotes.
fn quoted(what: &str) -> String {
    what.replace('`', "'")
}

/// Returns an error and its causes in one sentence.
pub(crate) fn told(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        message.push_str(": ");
        message.push_str(&inner.to_string());
        cause = inner.source();
    }
    message
}
