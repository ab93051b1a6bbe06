//! Sends requests to S3: retries what may pass, goes where the bucket is.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, Write};

use document::S3Address;
use ureq::http::{Request, Response, StatusCode};
use ureq::{Agent, Body, SendBody};

use super::answer::{Page, refusal};
use super::content::Content;
use crate::aws::{
    self, Credentials, EMPTY, Endpoint, EndpointError, Settings, Slash, encode, sign,
};
use crate::clock::since_1970;
use crate::http::{Trust, client};
use crate::limit::Limit;
use crate::retry::{Passing, Retry, is_passing_failure, is_passing_status};

/// The largest answer that is kept in memory, in bytes: a page of a list has
/// a thousand keys of a kilobyte, encoded.
const ANSWER_LIMIT: u64 = 8 << 20;

/// The most that one request may store, in bytes.
const OBJECT_LIMIT: u64 = 5 << 30;

/// The region that knows where all buckets are.
const FIRST_REGION: &str = "us-east-1";

/// A request to S3 failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum S3Error {
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error("failed to ask for `{what}`")]
    Request { what: String, source: ureq::Error },
    #[error("`{what}` answered {status}{reason}")]
    Status { what: String, status: StatusCode, reason: String },
    #[error("`{what}` broke off")]
    Body { what: String, source: io::Error },
    #[error("`{what}` answered something that is no list of objects")]
    NoList { what: String },
    #[error("`{what}` is larger than {limit} bytes")]
    TooLarge { what: String, limit: u64 },
    #[error("there are more than {limit} objects below `{what}`")]
    TooMany { what: String, limit: usize },
    #[error("failed to write what `{what}` holds")]
    Write { what: String, source: io::Error },
    #[error("failed to read what `{what}` is to hold")]
    Read { what: String, source: io::Error },
}

impl Passing for S3Error {
    fn is_passing(&self) -> bool {
        match self {
            Self::Status { status, .. } => is_passing_status(*status),
            Self::Request { source, .. } => is_passing_failure(source),
            Self::Body { .. } => true,
            Self::Endpoint(_)
            | Self::NoList { .. }
            | Self::TooLarge { .. }
            | Self::TooMany { .. }
            | Self::Write { .. }
            | Self::Read { .. } => false,
        }
    }
}

/// A client for one action.
pub(crate) struct Client<'a> {
    credentials: Option<Credentials>,
    endpoint: Option<String>,
    /// Where the last bucket was found.
    region: String,
    agent: Agent,
    retry: Retry,
    limit: Limit,
    tell: Box<dyn FnMut(&str) + 'a>,
}

/// What is asked for, without its signature.
struct Call<'a> {
    method: &'static str,
    address: &'a S3Address,
    query: Vec<(String, String)>,
    /// The account that must own the bucket.
    owner: Option<&'a str>,
    /// What to send.
    content: Option<Content<'a>>,
}

impl<'a> Client<'a> {
    /// Returns a client all of whose requests end with `limit`, and that says
    /// to `tell` which ones are sent again.
    pub(crate) fn new(settings: &Settings, limit: Limit, tell: impl FnMut(&str) + 'a) -> Self {
        let Settings { credentials, region, endpoint } = settings.clone();
        Self {
            credentials,
            endpoint,
            region: region.unwrap_or_else(|| FIRST_REGION.to_owned()),
            agent: client(Trust::Verified, &limit),
            retry: Retry::until(limit.clone()),
            limit,
            tell: Box::new(tell),
        }
    }

    #[cfg(test)]
    pub(super) fn impatient(self) -> Self {
        Self { retry: self.retry.impatient(), ..self }
    }

    /// Returns an object that is at most `limit` bytes long.
    pub(crate) fn read(
        &mut self,
        address: &S3Address,
        owner: Option<&str>,
        limit: usize,
    ) -> Result<Vec<u8>, S3Error> {
        let call = Call { method: "GET", address, query: Vec::new(), owner, content: None };
        let bytes = self.keep_trying(|client| client.whole(&call, limit as u64 + 1))?;
        if bytes.len() > limit {
            return Err(S3Error::TooLarge { what: call.name(), limit: limit as u64 });
        }
        Ok(bytes)
    }

    /// Writes an object to `file`, from its beginning.
    pub(crate) fn download(
        &mut self,
        address: &S3Address,
        owner: Option<&str>,
        file: &mut File,
    ) -> Result<(), S3Error> {
        let call = Call { method: "GET", address, query: Vec::new(), owner, content: None };
        let failed = |source| S3Error::Write { what: call.name(), source };
        self.keep_trying(|client| {
            let mut response = client.send(&call)?;
            file.set_len(0).and_then(|()| file.rewind()).map_err(failed)?;
            let mut body = response.body_mut().as_reader();
            let mut buffer = vec![0; 64 << 10];
            loop {
                match body.read(&mut buffer) {
                    Ok(0) => return Ok(()),
                    Ok(read) => file.write_all(&buffer[..read]).map_err(failed)?,
                    Err(source) => return Err(S3Error::Body { what: call.name(), source }),
                }
            }
        })
    }

    /// Returns the keys below the prefix `address`; fails if they are more than `limit`.
    pub(crate) fn list(
        &mut self,
        address: &S3Address,
        owner: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, S3Error> {
        let bucket = S3Address { bucket: address.bucket.clone(), key: String::new() };
        let mut keys = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
            let mut query = vec![
                pair("list-type", "2"),
                pair("encoding-type", "url"),
                pair("prefix", &address.key),
            ];
            query.extend(token.iter().map(|token| pair("continuation-token", token)));
            let call = Call { method: "GET", address: &bucket, query, owner, content: None };
            let page = self.keep_trying(|client| {
                let bytes = client.whole(&call, ANSWER_LIMIT)?;
                let page = Page::parse(&String::from_utf8_lossy(&bytes));
                page.ok_or_else(|| S3Error::NoList { what: call.name() })
            })?;
            keys.extend(page.keys);
            if keys.len() > limit {
                let what = format!("s3://{}/{}", address.bucket, address.key);
                return Err(S3Error::TooMany { what, limit });
            }
            match page.next {
                Some(next) => token = Some(next),
                None => return Ok(keys),
            }
        }
    }

    /// Stores what `file` holds as an object.
    pub(crate) fn upload(
        &mut self,
        address: &S3Address,
        owner: Option<&str>,
        file: &File,
    ) -> Result<(), S3Error> {
        let what = || format!("s3://{}/{}", address.bucket, address.key);
        let failed = |source| S3Error::Read { what: what(), source };
        if file.metadata().map_err(failed)?.len() > OBJECT_LIMIT {
            return Err(S3Error::TooLarge { what: what(), limit: OBJECT_LIMIT });
        }
        let content = Some(Content::of(file, &self.limit).map_err(failed)?);
        let call = Call { method: "PUT", address, query: Vec::new(), owner, content };
        self.keep_trying(|client| client.send(&call).map(drop))
    }

    fn keep_trying<T>(
        &mut self,
        attempt: impl FnMut(&mut Self) -> Result<T, S3Error>,
    ) -> Result<T, S3Error> {
        let retry = self.retry.clone();
        retry.run(self, attempt, |client, line| (client.tell)(line))
    }

    /// Returns the first `limit` bytes of what is answered.
    fn whole(&mut self, call: &Call<'_>, limit: u64) -> Result<Vec<u8>, S3Error> {
        let mut response = self.send(call)?;
        let mut bytes = Vec::new();
        let read = response.body_mut().as_reader().take(limit).read_to_end(&mut bytes);
        read.map_err(|source| S3Error::Body { what: call.name(), source })?;
        Ok(bytes)
    }

    /// Sends a request once, or twice if the bucket is in another region.
    fn send(&mut self, call: &Call<'_>) -> Result<Response<Body>, S3Error> {
        let mut response = self.send_to_region(call)?;
        let region = response.headers().get("x-amz-bucket-region");
        let region = region.and_then(|region| region.to_str().ok()).map(str::to_owned);
        let is_elsewhere = region.as_ref().is_some_and(|region| *region != self.region);
        if response.status() != StatusCode::OK && is_elsewhere {
            self.region = region.unwrap_or_default();
            response = self.send_to_region(call)?;
        }
        let status = response.status();
        if status == StatusCode::OK {
            return Ok(response);
        }
        let mut text = Vec::new();
        // Without its words a refusal is still one.
        let _read = response.body_mut().as_reader().take(64 << 10).read_to_end(&mut text);
        let reason = refusal(&String::from_utf8_lossy(&text));
        Err(S3Error::Status { what: call.name(), status, reason })
    }

    fn send_to_region(&self, call: &Call<'_>) -> Result<Response<Body>, S3Error> {
        let Place { origin, host, path } = self.place(call.address)?;
        let mut headers = BTreeMap::from([("host".to_owned(), host)]);
        if let Some(owner) = call.owner {
            headers.insert("x-amz-expected-bucket-owner".to_owned(), owner.to_owned());
        }
        if let Some(credentials) = &self.credentials {
            let sha256 = call.content.as_ref().map_or(EMPTY, |content| &content.sha256);
            let (method, path, query, region) = (call.method, &path, &call.query, &self.region);
            let request = aws::Request { method, path, query, region, service: "s3" };
            sign(&request, &mut headers, sha256, credentials, since_1970().as_secs());
        }
        let query = aws::query(&call.query);
        let mark = if query.is_empty() { "" } else { "?" };
        let mut request =
            Request::builder().method(call.method).uri(format!("{origin}{path}{mark}{query}"));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let failed = |source| S3Error::Request { what: call.name(), source };
        let refused = |error: ureq::http::Error| failed(error.into());
        let body = match &call.content {
            Some(content) => {
                request = request.header("content-length", content.length);
                let read = |source| S3Error::Read { what: call.name(), source };
                SendBody::from_owned_reader(content.reader(&self.limit).map_err(read)?)
            }
            None => SendBody::none(),
        };
        let request = self.agent.configure_request(request.body(body).map_err(refused)?);
        self.agent.run(request.max_redirects(0).build()).map_err(failed)
    }

    /// Returns where an object is: on AWS each bucket has a host of its own.
    fn place(&self, address: &S3Address) -> Result<Place, S3Error> {
        let S3Address { bucket, key } = address;
        let key = encode(key, Slash::Kept);
        if let Some(endpoint) = &self.endpoint {
            let Endpoint { origin, host, base } = Endpoint::parse(endpoint)?;
            return Ok(Place { origin, host, path: format!("{base}/{bucket}/{key}") });
        }
        let suffix = if self.region.starts_with("cn-") { ".cn" } else { "" };
        let server = format!("s3.{}.amazonaws.com{suffix}", self.region);
        // Certificates do not cover buckets with dots, nor names capital letters.
        let has_host = bucket
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        let (host, path) = if has_host {
            (format!("{bucket}.{server}"), format!("/{key}"))
        } else {
            (server, format!("/{bucket}/{key}"))
        };
        Ok(Place { origin: format!("https://{host}"), host, path })
    }
}

impl Call<'_> {
    fn name(&self) -> String {
        format!("s3://{}/{}", self.address.bucket, self.address.key)
    }
}

/// Where a request goes.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    /// Scheme and host, as in `https://bucket.s3.eu-west-1.amazonaws.com`.
    origin: String,
    host: String,
    /// The path, encoded.
    path: String,
}

#[cfg(test)]
mod tests;
