//! Requests to a server on the loopback interface, and where AWS's would go.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::super::batch::LogEvent;
use super::super::server::Server;
use super::*;
use crate::cause::chain;
use crate::clock::Deadline;

const STREAM: &str = "my/group/stream";

fn limit(is_stopped: bool) -> Limit {
    Limit::new(Deadline::after(None), &Arc::new(AtomicBool::new(is_stopped)))
}

fn client_of(settings: &Settings) -> Client {
    Client::new(settings, "my/group", "stream", &limit(false)).unwrap().impatient()
}

fn batch(lines: &[(i64, &str)]) -> Batch {
    let mut batch = Batch::default();
    for (at, line) in lines {
        LogEvent::of_line(*at, (*line).to_owned()).into_iter().for_each(|it| batch.push(it));
    }
    batch
}

/// Creates the stream and puts a line after these answers; checks the error.
#[track_caller]
fn check(first: &[(u16, &str)], expected: Result<(), &str>) {
    let server = Server::start(&["my/group"]);
    server.answer_first(first);
    let client = client_of(&server.settings());
    let put = client.create().and_then(|()| client.put(&batch(&[(5_000, "hello")])));
    let put = put.map_err(|error| chain(&error));
    assert_eq!(put.as_ref().copied().map_err(String::as_str), expected);
    if expected.is_ok() {
        assert_eq!(server.messages(STREAM), ["hello"]);
    }
}

const BUSY: (u16, &str) = (503, "");
const SLOW: (u16, &str) = (400, r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#);
const OTHER: (u16, &str) = (400, r#"{"__type":"com.amazonaws#OperationAbortedException"}"#);
const DENIED: (u16, &str) = (400, r#"{"__type":"AccessDeniedException","Message":"not you"}"#);

#[test]
fn what_may_pass_is_tried_again() {
    check(&[], Ok(()));
    check(&[BUSY, SLOW, OTHER, BUSY], Ok(()));
    check(&[BUSY; 5], Err("CreateLogStream answered 503 Service Unavailable"));
    check(
        &[SLOW; 5],
        Err("CreateLogStream answered 400 Bad Request: ThrottlingException: Rate exceeded"),
    );
    check(
        &[DENIED],
        Err("CreateLogStream answered 400 Bad Request: AccessDeniedException: not you"),
    );
    check(&[(400, "no JSON")], Err("CreateLogStream answered 400 Bad Request"));
    check(&[(307, "{}")], Err("CreateLogStream answered 307 Temporary Redirect"));
}

#[test]
fn events_are_put_as_the_service_wants_them() {
    let server = Server::start(&["my/group"]);
    let client = client_of(&server.settings());
    client.create().unwrap();
    client.create().unwrap();
    client
        .put(&batch(&[(1_700_000_000_123_456, "a \"b\""), (1_700_000_001_000_000, "é")]))
        .unwrap();
    let named = r#"{"logGroupName":"my/group","logStreamName":"stream""#;
    let create = format!("CreateLogStream {named}}}");
    let events = r#"[{"timestamp":1700000000123,"message":"a \"b\""},{"timestamp":1700000001000,"message":"é"}]"#;
    let put = format!(r#"PutLogEvents {named},"logEvents":{events}}}"#);
    assert_eq!(server.requests(), [create.clone(), create, put]);
}

#[test]
fn a_group_that_is_missing_is_made() {
    let server = Server::start(&[]);
    let client = client_of(&server.settings());
    client.create().unwrap();
    let operations: Vec<_> =
        server.requests().iter().map(|it| it.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(operations, ["CreateLogStream", "CreateLogGroup", "CreateLogStream"]);
    assert_eq!(server.requests()[1], r#"CreateLogGroup {"logGroupName":"my/group"}"#);

    // Somebody else made it at the same time.
    let server = Server::start(&["my/group"]);
    let missing = r#"{"__type":"ResourceNotFoundException"}"#;
    server.answer_first(&[(400, missing)]);
    client_of(&server.settings()).create().unwrap();
}

#[test]
fn events_that_are_left_out_are_an_error() {
    let server = Server::start(&["my/group"]);
    let client = client_of(&server.settings());
    client.create().unwrap();
    for (index, why) in [
        ("tooNewLogEventStartIndex", "too far in the future"),
        ("tooOldLogEventEndIndex", "too old"),
        ("expiredLogEventEndIndex", "older than the group keeps them"),
    ] {
        let body =
            format!(r#"{{"rejectedLogEventsInfo":{{"{index}":0}},"nextSequenceToken":"1"}}"#);
        server.answer_first(&[(200, &body)]);
        let error = client.put(&batch(&[(0, "x")])).unwrap_err();
        assert_eq!(chain(&error), format!("PutLogEvents left lines out that are {why}"));
    }
    server.answer_first(&[(200, ""), (400, r#"{"__type":"DataAlreadyAcceptedException"}"#)]);
    client.put(&batch(&[(0, "x")])).unwrap();
    client.put(&batch(&[(0, "x")])).unwrap();
}

#[test]
fn silence_does_not_outlast_a_run_that_was_cancelled() {
    // Connections are taken by the system and answered by nobody.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let settings = Settings {
        credentials: Some(crate::aws::received::credentials()),
        region: Some("eu-west-1".into()),
        endpoint: Some(format!("http://{}", listener.local_addr().unwrap())),
    };
    let limit = limit(true).with_grace(Duration::from_millis(20));
    let error = Client::new(&settings, "group", "stream", &limit).unwrap().create().unwrap_err();
    assert_eq!(chain(&error), "CreateLogStream got no answer: io: it was cancelled");
}

#[test]
fn signatures_are_checked_by_the_server() {
    let server = Server::start(&["my/group"]);
    let mut wrong = server.settings();
    wrong.credentials.as_mut().unwrap().secret_key = "other".into();
    let error = client_of(&wrong).create().unwrap_err();
    assert!(chain(&error).ends_with("InvalidSignatureException: not what was sent"), "{error}");
}

#[test]
fn each_region_has_a_server() {
    let check = |settings: Settings, expected: Result<&str, &str>| {
        let client = Client::new(&settings, "group", "stream", &limit(false));
        let origin = client.map(|client| client.endpoint.origin).map_err(|error| chain(&error));
        assert_eq!(origin.as_deref().map_err(|it| &**it), expected);
    };
    let settings = |region: Option<&str>, endpoint: Option<&str>| Settings {
        credentials: Some(crate::aws::received::credentials()),
        region: region.map(str::to_owned),
        endpoint: endpoint.map(str::to_owned),
    };
    check(settings(Some("eu-west-1"), None), Ok("https://logs.eu-west-1.amazonaws.com"));
    check(settings(Some("cn-north-1"), None), Ok("https://logs.cn-north-1.amazonaws.com.cn"));
    let endpoint = Some("http://mirror.example:1/x");
    check(settings(Some("eu-west-1"), endpoint), Ok("http://mirror.example:1"));
    check(settings(None, endpoint), Err("no region is known: give one, or set AWS_REGION"));
    check(
        settings(Some("eu-west-1"), Some("mirror.example")),
        Err("the endpoint `mirror.example` is no address: expected `https://…` or `http://…`"),
    );
    check(
        Settings { region: Some("eu-west-1".into()), ..Settings::default() },
        Err("there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
    );
}
