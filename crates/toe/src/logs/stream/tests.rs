//! Lines that are added to a server on the loopback interface.

use super::super::server::Server;
use super::*;
use crate::cause::chain;

/// 2023-11-14T22:13:20Z.
const AT: i64 = 1_700_000_000_000_000;

fn open(server: &Server) -> LogStream {
    let limit = Limit::new(Deadline::after(None), &Arc::default());
    let client = Client::new(&server.settings(), "group", "stream", &limit).unwrap().impatient();
    LogStream::start("group/stream", client).unwrap()
}

#[test]
fn every_line_arrives_in_its_order() {
    let server = Server::start(&["group"]);
    let stream = LogStream::open(&server.settings(), "group", "stream", &Arc::default()).unwrap();
    let mut expected = Vec::new();
    for n in 0..25_000_i64 {
        let line = format!("line {n}");
        stream.add(AT + n * 1000, &line);
        expected.push(line);
    }
    // A day later, and before that.
    for (n, at) in [AT + 86_400_000_000, AT].into_iter().enumerate() {
        let line = format!("last {n}");
        stream.add(at, &line);
        expected.push(line);
    }
    stream.finish().unwrap();
    assert_eq!(server.messages("group/stream"), expected);
}

#[test]
fn the_last_lines_of_a_cancelled_run_arrive() {
    let server = Server::start(&["group"]);
    let stop = Arc::new(AtomicBool::new(true));
    let stream = LogStream::open(&server.settings(), "group", "stream", &stop).unwrap();
    stream.add(AT, "the end");
    stream.finish().unwrap();
    assert_eq!(server.messages("group/stream"), ["the end"]);
}

#[test]
fn long_lines_arrive_in_parts() {
    let server = Server::start(&["group"]);
    let stream = open(&server);
    let line = "é".repeat(1_000_000);
    stream.add(AT, &line);
    stream.finish().unwrap();
    let messages = server.messages("group/stream");
    assert_eq!(messages.len(), 8);
    assert_eq!(messages.concat(), line);
}

#[test]
fn lines_are_sent_while_the_run_goes_on() {
    let server = Server::start(&["group"]);
    let stream = open(&server);
    stream.add(AT, "one");
    assert_eq!(server.wait_for_events(), 1);
    stream.add(AT, "two");
    assert_eq!(server.wait_for_events(), 1);
    stream.finish().unwrap();
    assert_eq!(server.messages("group/stream"), ["one", "two"]);
}

#[test]
fn a_failure_does_not_hold_up_the_run() {
    let server = Server::start(&["group"]);
    let stream = open(&server);
    server.answer_first(&[(400, r#"{"__type":"AccessDeniedException","message":"no"}"#)]);
    for _ in 0..2 * QUEUE_LIMIT {
        stream.add(AT, "one");
    }
    let error = stream.finish().unwrap_err();
    assert_eq!(
        chain(&error),
        "failed to log to group/stream in CloudWatch Logs: \
         PutLogEvents answered 400 Bad Request: AccessDeniedException: no"
    );
    let refused = LogStream::open(&Settings::default(), "group", "stream", &Arc::default());
    assert!(chain(&refused.unwrap_err()).contains("no region is known"));
}
