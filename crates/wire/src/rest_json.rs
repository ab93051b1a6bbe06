//! The rest-json protocol: requests into JSON values, values and errors into responses.
//!
//! Reads any model's actions; which services there are is not decided here.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use serde_json::{Map, Value, json};

use crate::problem::Problems;
use crate::query::pairs;
use crate::route::Action;
use crate::shape::{Kind, Location, Member};
use crate::validate::add_problems;

/// The header that names the error of a response, whatever protocol it is in.
pub const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// The member in which some answers repeat the id of their request.
const ID_MEMBER: &str = "requestId";

/// A request that is not what its operation takes.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The body is not JSON.
    #[error("The request body is not valid JSON: {0}")]
    Json(serde_json::Error),
    /// The body is JSON, but no object.
    #[error("The request body must be a JSON object")]
    NotAnObject,
    /// The query string does not decode.
    #[error("The query string is not valid percent-encoded UTF-8")]
    Query,
    /// Values break constraints of the model.
    #[error("{0}")]
    Invalid(Problems),
}

/// An error as a client sees it, whichever layer refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refusal {
    /// The status of the response.
    pub status: StatusCode,
    /// The name clients match on, as in `ResourceNotFoundException`.
    pub code: &'static str,
    /// What a person reads.
    pub message: String,
}

impl Refusal {
    /// Returns the response that tells a client of this refusal.
    pub fn response(&self, request_id: &str) -> Response<Bytes> {
        let mut response = answer(self.status, &json!({ "message": self.message }), request_id);
        response.headers_mut().insert(ERROR_TYPE, HeaderValue::from_static(self.code));
        response
    }
}

/// Returns the validated input of `action`, its members collected from path,
/// query and body.
///
/// # Errors
/// Fails on the first thing that cannot be read, else with all that is invalid.
pub(crate) fn read(
    action: &Action,
    label: Option<String>,
    query: &str,
    body: &[u8],
) -> Result<Value, ReadError> {
    let mut problems = Problems::default();
    let mut input = read_body(action, body, &mut problems)?;
    let pairs = read_query(query)?;
    for member in action.input.members() {
        let held = match member.location {
            Location::Body => continue,
            Location::Path => label.clone().map(Value::String),
            Location::Query => pick(member, &pairs, &mut problems),
        };
        input.extend(held.map(|value| (member.name.to_owned(), value)));
    }
    let input = Value::Object(input);
    add_problems(action.input, &input, &mut problems);
    if problems.is_empty() { Ok(input) } else { Err(ReadError::Invalid(problems)) }
}

/// Returns the members in `body`; those that travel elsewhere are problems.
fn read_body(
    action: &Action,
    body: &[u8],
    problems: &mut Problems,
) -> Result<Map<String, Value>, ReadError> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    let Value::Object(mut members) = serde_json::from_slice(body).map_err(ReadError::Json)? else {
        return Err(ReadError::NotAnObject);
    };
    members.retain(|name, _| {
        let elsewhere =
            action.input.member(name).is_some_and(|member| member.location != Location::Body);
        if elsewhere {
            problems.push(name, "does not belong in the body");
        }
        !elsewhere
    });
    Ok(members)
}

fn read_query(query: &str) -> Result<Vec<(String, String)>, ReadError> {
    let text = |bytes| String::from_utf8(bytes).map_err(|_| ReadError::Query);
    let pairs = pairs(query).into_iter();
    pairs.map(|(name, value)| Ok((text(name)?, text(value)?))).collect()
}

/// Returns what the query holds of `member`. Other names in it are no problem:
/// signatures travel there too.
fn pick(member: &Member, pairs: &[(String, String)], problems: &mut Problems) -> Option<Value> {
    let held = pairs.iter().filter(|(name, _)| name == member.name);
    let mut values: Vec<Value> = held.map(|(_, value)| Value::String(value.clone())).collect();
    if matches!(member.shape.kind, Kind::List { .. }) {
        return (!values.is_empty()).then_some(Value::Array(values));
    }
    if values.len() > 1 {
        problems.push(member.name, "must be given once");
    }
    values.pop()
}

/// Returns the response of a successful `action`.
pub(crate) fn success(action: &Action, mut output: Value, request_id: &str) -> Response<Bytes> {
    if let Value::Object(members) = &mut output
        && action.output.member(ID_MEMBER).is_some()
    {
        members.entry(ID_MEMBER).or_insert_with(|| request_id.into());
    }
    answer(StatusCode::OK, &output, request_id)
}

fn answer(status: StatusCode, body: &Value, request_id: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // An id that cannot be a header is the caller's mistake, never the client's.
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, id);
    }
    response
}
