//! The service in this process, at a time of its own: requests go the way of real ones, signatures aside.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use api::Api;
use bytes::Bytes;
use expect_test::Expect;
use http::{Request, StatusCode};
use name::{Digest, Kind, Version};
use serde_json::{Value, json};
use store::Db;
use store::client_token::Claim;
use store::resource::{self, New, Numbering};
use wire::Location;
use wire::imagebuilder::{Operation, answer};
use wire::sigv4::Caller;

/// 2026-09-09T19:12:23.418Z.
const START: i64 = 1_788_981_143_418_000;

/// What the ARNs of the caller's resources begin with.
pub(crate) const OWN: &str = "arn:aws:imagebuilder:eu-west-1:123456789012";

/// A service with an empty store.
pub(crate) struct Server {
    pub(crate) api: Api,
    pub(crate) db: Db,
    time: Arc<AtomicI64>,
    _folder: tempfile::TempDir,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// The error's name, if it is one.
    pub(crate) error: Option<String>,
    pub(crate) body: Value,
}

impl Server {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&folder.path().join("goldsmith.db")).await.unwrap();
        let time = Arc::new(AtomicI64::new(START));
        let clock = time.clone();
        let api = Api::new(db.clone(), Arc::new(move || clock.load(Ordering::Relaxed)));
        Self { api, db, time, _folder: folder }
    }

    /// Lets seconds pass.
    pub(crate) fn pass(&self, seconds: i64) {
        self.time.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }

    /// Records a resource of the first account that other operations make, and returns its ARN.
    pub(crate) async fn record(&self, kind: Kind, name: &str) -> String {
        let version: Version = "1.0.0".parse().unwrap();
        let numbering = match (kind.has_versions(), kind.has_builds()) {
            (false, _) => Numbering::Unversioned,
            (true, false) => Numbering::Version(version),
            (true, true) => Numbering::Build { version, contents: Digest::of(name.as_bytes()) },
        };
        let new = New {
            account: "123456789012".parse().unwrap(),
            region: "eu-west-1".parse().unwrap(),
            kind,
            name: name.to_owned(),
            numbering,
            body: json!({}),
            tags: BTreeMap::new(),
            references: Vec::new(),
            at: START,
        };
        let claim = Claim {
            account: new.account.clone(),
            region: new.region.clone(),
            operation: "test",
            token: format!("{}/{name}", kind.as_str()),
            digest: Digest::of(b""),
            at: START,
        };
        resource::create(&self.db, &new, &claim).await.unwrap().answer()
    }

    /// Returns the answer to the first account's request.
    pub(crate) async fn call(&self, operation: Operation, input: Value) -> Answer {
        self.call_as(&caller("123456789012"), operation, input).await
    }

    pub(crate) async fn call_as(
        &self,
        caller: &Caller,
        operation: Operation,
        input: Value,
    ) -> Answer {
        let response = answer(&self.api, caller, &request(operation, input), "request-1").await;
        let error = response.headers().get("x-amzn-errortype");
        Answer {
            status: response.status(),
            error: error.map(|name| name.to_str().unwrap().to_owned()),
            body: serde_json::from_slice(response.body()).unwrap(),
        }
    }

    /// Checks the status and body of an answer, or its error and message.
    pub(crate) async fn check(&self, operation: Operation, input: Value, expect: Expect) {
        expect.assert_eq(&self.call(operation, input).await.told());
    }

    /// Returns a member of an answer that must be a success.
    pub(crate) async fn get(&self, operation: Operation, input: Value, pointer: &str) -> Value {
        let answer = self.call(operation, input).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.body.pointer(pointer).unwrap_or(&Value::Null).clone()
    }

    /// Returns all pages of a list, each of `size`.
    pub(crate) async fn pages(
        &self,
        operation: Operation,
        mut input: Value,
        size: u32,
        list: &str,
    ) -> Vec<Vec<Value>> {
        input["maxResults"] = size.into();
        let mut pages = Vec::new();
        loop {
            let answer = self.call(operation, input.clone()).await;
            assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
            pages.push(answer.body[list].as_array().unwrap().clone());
            match &answer.body["nextToken"] {
                Value::Null => return pages,
                token => input["nextToken"] = token.clone(),
            }
        }
    }
}

impl Answer {
    /// Returns the answer as tests compare it.
    pub(crate) fn told(&self) -> String {
        match &self.error {
            Some(error) => {
                let message = self.body["message"].as_str().unwrap();
                format!("{} {error}: {message}", self.status.as_u16())
            }
            None => format!("{:#}", self.body),
        }
    }
}

/// Returns who calls from an account.
pub(crate) fn caller(account: &str) -> Caller {
    Caller {
        account: account.parse().unwrap(),
        access_key: "AKIAEXAMPLE".to_owned(),
        region: "eu-west-1".parse().unwrap(),
        service: "imagebuilder".to_owned(),
    }
}

/// Returns a request whose members are where the model has them.
fn request(operation: Operation, mut input: Value) -> Request<Bytes> {
    let action = operation.action();
    let mut uri = action.path.to_owned();
    let mut query = Vec::new();
    for member in action.input.members() {
        let Some(value) = input.get(member.name).cloned() else { continue };
        match member.location {
            Location::Body => continue,
            Location::Path => {
                let label = format!("{{{}}}", member.name);
                uri = uri.replace(&label, &encode(value.as_str().unwrap()));
            }
            Location::Query => {
                let values = value.as_array().cloned().unwrap_or_else(|| vec![value]);
                let values = values.iter().map(|value| encode(value.as_str().unwrap()));
                query.extend(values.map(|value| format!("{}={value}", member.name)));
            }
        }
        input.as_object_mut().unwrap().remove(member.name);
    }
    let uri = if query.is_empty() { uri } else { format!("{uri}?{}", query.join("&")) };
    let body = if input == json!({}) { String::new() } else { input.to_string() };
    Request::builder().method(&action.method).uri(uri).body(Bytes::from(body)).unwrap()
}

fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encoded = text.bytes().map(|byte| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    encoded.collect()
}
