//! Errors of the service, and which operation may answer which.

use crate::imagebuilder::{ErrorKind, Operation};
use crate::rest_json::Refusal;

/// What `DryRunOperationException` says.
pub const DRY_RUN_MESSAGE: &str = "Request would have succeeded, but DryRun flag is set.";

/// Errors the service answers beyond those an operation declares: clients
/// match on them whatever the model says.
const BEYOND_THE_MODEL: [ErrorKind; 10] = [
    ErrorKind::Service,
    ErrorKind::Client,
    ErrorKind::ServiceUnavailable,
    ErrorKind::InvalidRequest,
    ErrorKind::Forbidden,
    ErrorKind::CallRateLimitExceeded,
    ErrorKind::InvalidParameterCombination,
    ErrorKind::InvalidParameterValue,
    ErrorKind::ResourceAlreadyExists,
    ErrorKind::ResourceNotFound,
];

/// How an invalid request is called, the best name first.
const INVALID: [ErrorKind; 3] =
    [ErrorKind::InvalidRequest, ErrorKind::InvalidParameter, ErrorKind::InvalidParameterValue];

/// An error of the model, with its message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct Error {
    /// Which error.
    pub kind: ErrorKind,
    /// What a person reads.
    pub message: String,
}

impl Error {
    /// Returns the error of this kind that says `message`.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { status: error.kind.status(), code: error.kind.as_str(), message: error.message }
    }
}

impl Operation {
    /// Returns whether this operation may answer `kind`: it declares it, or
    /// every operation may.
    pub fn may_answer(self, kind: ErrorKind) -> bool {
        self.errors().contains(&kind) || BEYOND_THE_MODEL.contains(&kind)
    }

    /// Returns how this operation calls a request that breaks the model.
    pub fn invalid(self) -> ErrorKind {
        let declared = INVALID.into_iter().find(|kind| self.errors().contains(kind));
        declared.unwrap_or(ErrorKind::Client)
    }
}

#[cfg(test)]
mod tests {
    use super::{ErrorKind, Operation};

    #[test]
    fn invalid_requests_have_a_declared_name() {
        for &operation in Operation::ALL {
            assert!(operation.errors().contains(&operation.invalid()), "{operation}");
        }
        assert_eq!(Operation::CreateComponent.invalid(), ErrorKind::InvalidRequest);
        assert_eq!(Operation::TagResource.invalid(), ErrorKind::InvalidParameter);
        assert_eq!(Operation::ImportVmImage.invalid(), ErrorKind::Client);
    }

    #[test]
    fn errors_of_other_operations_are_not_answered() {
        assert!(Operation::DeleteImageRecipe.may_answer(ErrorKind::ResourceDependency));
        assert!(!Operation::GetImage.may_answer(ErrorKind::ResourceDependency));
        assert!(Operation::GetImage.may_answer(ErrorKind::ResourceNotFound));
    }
}
