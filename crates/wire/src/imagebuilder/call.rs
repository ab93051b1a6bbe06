//! The way of a request: routed, read, validated, dispatched and answered.
//!
//! Who calls and whether they may was decided before.

use std::pin::Pin;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::imagebuilder::error::Error;
use crate::imagebuilder::generated::operations::ACTIONS;
use crate::imagebuilder::{ErrorKind, ImageBuilder, Operation, dispatch};
use crate::rest_json::{self, Refusal};
use crate::route::{self, Action};
use crate::validate::check_output;

/// What a dispatched operation answers, once it is done.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<Value, Error>> + Send + 'a>>;

/// A valid request.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// What is asked for.
    pub operation: Operation,
    /// The operation's input, wherever in the request its members were.
    pub input: Value,
}

impl Operation {
    /// Returns how this operation is requested and answered.
    pub fn action(self) -> &'static Action {
        &ACTIONS[self as usize]
    }
}

/// Returns what `request` asks for, if it breaks no constraint of the model.
///
/// # Errors
/// Refuses unknown operations, and requests with all that is invalid in them.
pub fn accept(request: &Request<Bytes>) -> Result<Call, Refusal> {
    let (method, uri) = (request.method(), request.uri());
    let found = route::find(&ACTIONS, method, uri.path()).ok_or_else(|| Refusal {
        status: StatusCode::NOT_FOUND,
        code: "UnknownOperationException",
        message: "No operation has this method and path.".to_owned(),
    })?;
    let operation = Operation::ALL[found.index];
    let query = uri.query().unwrap_or_default();
    let input = rest_json::read(operation.action(), found.label, query, request.body())
        .map_err(|error| Error::new(operation.invalid(), error.to_string()))?;
    Ok(Call { operation, input })
}

/// Returns the response of `service` to `request`, which is called `request_id`.
pub async fn answer<C: Sync, S: ImageBuilder<C>>(
    service: &S,
    caller: &C,
    request: &Request<Bytes>,
    request_id: &str,
) -> Response<Bytes> {
    let call = match accept(request) {
        Ok(call) => call,
        Err(refusal) => return refusal.response(request_id),
    };
    match dispatch(service, caller, call.operation, call.input).await {
        Ok(output) => rest_json::success(call.operation.action(), output, request_id),
        Err(error) => Refusal::from(error).response(request_id),
    }
}

/// Calls `method` with the typed input and returns its output as JSON.
pub(crate) async fn run<I, O, F>(
    operation: Operation,
    input: Value,
    method: impl FnOnce(I) -> F,
) -> Result<Value, Error>
where
    I: DeserializeOwned,
    O: Serialize,
    F: Future<Output = Result<O, Error>>,
{
    // Validation lets nothing through that the type cannot hold, so this is
    // seen by those only who dispatch what they did not validate.
    let input = serde_json::from_value(input)
        .map_err(|error| Error::new(operation.invalid(), error.to_string()))?;
    let output = method(input).await.inspect_err(|error| {
        debug_assert!(operation.may_answer(error.kind), "{operation} may not answer {error}");
    })?;
    let output = serde_json::to_value(output)
        .map_err(|error| Error::new(ErrorKind::Service, error.to_string()))?;
    debug_assert_eq!(check_output(operation.action().output, &output), [], "{operation}");
    Ok(output)
}
