//! Asks CloudWatch Logs for a stream and adds events to it, with the requests
//! of AWS's JSON 1.1 protocol.

use std::collections::BTreeMap;
use std::io::Read;
use std::time::Duration;

use document::Algorithm;
use serde::{Deserialize, Serialize};
use ureq::Agent;
use ureq::http::{Request, StatusCode};

use super::batch::Batch;
use crate::aws::{self, Credentials, Endpoint, EndpointError, Settings, sign};
use crate::clock::since_1970;
use crate::digest;
use crate::http::{Trust, client};
use crate::limit::Limit;
use crate::retry::{Passing, Retry, is_passing_failure, is_passing_status};

/// How long one request may take.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);

/// The largest answer that is read, in bytes.
const ANSWER_LIMIT: u64 = 64 << 10;

/// A request to CloudWatch Logs failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum LogsError {
    #[error("no region is known: give one, or set AWS_REGION")]
    NoRegion,
    #[error("there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")]
    NoCredentials,
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error("{operation} got no answer")]
    Request { operation: &'static str, source: ureq::Error },
    #[error("{operation} answered {status}{refusal}")]
    Status { operation: &'static str, status: StatusCode, refusal: Refusal },
    #[error("{operation} left lines out that are {why}")]
    Rejected { operation: &'static str, why: &'static str },
}

impl LogsError {
    /// Says whether the service names this as the reason.
    fn is_named(&self, name: &str) -> bool {
        matches!(self, Self::Status { refusal, .. } if refusal.name() == name)
    }
}

impl Passing for LogsError {
    fn is_passing(&self) -> bool {
        const NAMES: [&str; 2] = ["ThrottlingException", "OperationAbortedException"];
        match self {
            Self::Request { source, .. } => is_passing_failure(source),
            Self::Status { status, refusal, .. } => {
                is_passing_status(*status) || NAMES.contains(&refusal.name())
            }
            Self::NoRegion | Self::NoCredentials | Self::Endpoint(_) | Self::Rejected { .. } => {
                false
            }
        }
    }
}

/// What the service says of a request that it refuses.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Refusal {
    /// The error's name, perhaps after a namespace and `#`.
    #[serde(rename = "__type", default)]
    kind: String,
    #[serde(alias = "Message", default)]
    message: String,
}

impl Refusal {
    fn name(&self) -> &str {
        let name = self.kind.rsplit('#').next().unwrap_or_default();
        name.split(':').next().unwrap_or_default()
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = [self.name(), &self.message];
        parts.iter().filter(|part| !part.is_empty()).try_for_each(|part| write!(f, ": {part}"))
    }
}

/// A client for one stream.
pub(super) struct Client {
    credentials: Credentials,
    region: String,
    endpoint: Endpoint,
    group: String,
    stream: String,
    agent: Agent,
    retry: Retry,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Named<'a> {
    log_group_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_stream_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_events: Option<&'a [super::batch::LogEvent]>,
}

/// What the service says of events that it took.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Taken {
    rejected_log_events_info: Option<Rejected>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rejected {
    too_new_log_event_start_index: Option<u64>,
    too_old_log_event_end_index: Option<u64>,
    expired_log_event_end_index: Option<u64>,
}

impl Client {
    /// Returns a client all of whose requests end with `limit`.
    pub(super) fn new(
        settings: &Settings,
        group: &str,
        stream: &str,
        limit: &Limit,
    ) -> Result<Self, LogsError> {
        let region = settings.region.clone().ok_or(LogsError::NoRegion)?;
        let credentials = settings.credentials.clone().ok_or(LogsError::NoCredentials)?;
        let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
        let endpoint = match &settings.endpoint {
            Some(endpoint) => Endpoint::parse(endpoint)?,
            None => Endpoint::parse(&format!("https://logs.{region}.amazonaws.com{suffix}"))?,
        };
        Ok(Self {
            credentials,
            region,
            endpoint,
            group: group.to_owned(),
            stream: stream.to_owned(),
            agent: client(Trust::Verified, limit),
            retry: Retry::until(limit.clone()),
        })
    }

    #[cfg(test)]
    pub(super) fn impatient(self) -> Self {
        Self { retry: self.retry.impatient(), ..self }
    }

    /// Makes the stream, and its group if there is none. What is there stays.
    pub(super) fn create(&self) -> Result<(), LogsError> {
        match self.create_stream() {
            Err(error) if error.is_named("ResourceNotFoundException") => {
                self.create_one("CreateLogGroup", None)?;
                self.create_stream()
            }
            settled => settled,
        }
    }

    fn create_stream(&self) -> Result<(), LogsError> {
        self.create_one("CreateLogStream", Some(&self.stream))
    }

    fn create_one(&self, operation: &'static str, stream: Option<&str>) -> Result<(), LogsError> {
        let named =
            Named { log_group_name: &self.group, log_stream_name: stream, log_events: None };
        match self.ask(operation, &named) {
            Err(error) if error.is_named("ResourceAlreadyExistsException") => Ok(()),
            settled => settled.map(drop),
        }
    }

    /// Adds the events of `batch` to the stream.
    pub(super) fn put(&self, batch: &Batch) -> Result<(), LogsError> {
        let operation = "PutLogEvents";
        let named = Named {
            log_group_name: &self.group,
            log_stream_name: Some(&self.stream),
            log_events: Some(batch.events()),
        };
        let answer = match self.ask(operation, &named) {
            // The answer to an earlier attempt was lost.
            Err(error) if error.is_named("DataAlreadyAcceptedException") => return Ok(()),
            settled => settled?,
        };
        let taken: Taken = serde_json::from_slice(&answer).unwrap_or_default();
        let Some(rejected) = taken.rejected_log_events_info else { return Ok(()) };
        let reasons = [
            (rejected.too_new_log_event_start_index, "too far in the future"),
            (rejected.too_old_log_event_end_index, "too old"),
            (rejected.expired_log_event_end_index, "older than the group keeps them"),
        ];
        let why = reasons.iter().find(|(index, _)| index.is_some());
        why.map_or(Ok(()), |(_, why)| Err(LogsError::Rejected { operation, why }))
    }

    fn ask(&self, operation: &'static str, named: &Named<'_>) -> Result<Vec<u8>, LogsError> {
        let body = serde_json::to_vec(named).expect("requests hold text keys and plain values");
        // This is done beside the execution, whose story has no place for it.
        self.retry.run(&mut (), |()| self.send(operation, &body), |(), _| {})
    }

    fn send(&self, operation: &'static str, body: &[u8]) -> Result<Vec<u8>, LogsError> {
        let failed = |source| LogsError::Request { operation, source };
        let request = self.request(operation, body).map_err(|error| failed(error.into()))?;
        let request = self.agent.configure_request(request).max_redirects(0);
        let request = request.timeout_global(Some(REQUEST_LIMIT)).build();
        let mut response = self.agent.run(request).map_err(failed)?;
        let status = response.status();
        let mut answer = Vec::new();
        let read = response.body_mut().as_reader().take(ANSWER_LIMIT).read_to_end(&mut answer);
        if status != StatusCode::OK {
            // Without its words a refusal is still one.
            let refusal = serde_json::from_slice(&answer).unwrap_or_default();
            return Err(LogsError::Status { operation, status, refusal });
        }
        read.map_err(|source| failed(source.into()))?;
        Ok(answer)
    }

    fn request<'a>(
        &self,
        operation: &str,
        body: &'a [u8],
    ) -> Result<Request<&'a [u8]>, ureq::http::Error> {
        let Endpoint { origin, host, base } = &self.endpoint;
        let path = format!("{base}/");
        let mut headers: BTreeMap<String, String> = [
            ("content-type", "application/x-amz-json-1.1"),
            ("host", host),
            ("x-amz-target", &format!("Logs_20140328.{operation}")),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let sha256 = digest::of(&mut &*body, Algorithm::Sha256)
            .expect("a digest is made because memory can be read");
        let (query, region) = (&[], &self.region);
        let request = aws::Request { method: "POST", path: &path, query, region, service: "logs" };
        sign(&request, &mut headers, &sha256, &self.credentials, since_1970().as_secs());
        let mut request = Request::post(format!("{origin}{path}"));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.body(body)
    }
}

#[cfg(test)]
mod tests;
