//! Lines that go to CloudWatch Logs.

use std::fs;
use std::net::TcpStream;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::bench::{Bench, one_step};
use crate::service::{Request, answer, serve};

/// A server that keeps lines as CloudWatch Logs does; nobody may log to the
/// group `forbidden`, nor add lines to the group `full`.
struct Streams {
    address: String,
    /// The operation and the JSON of each request.
    asked: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Streams {
    fn start() -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let theirs = Arc::clone(&asked);
        let address = serve(move |stream| respond(stream, &mut theirs.lock().unwrap()));
        Self { address, asked }
    }

    /// Runs a document with these arguments.
    fn run(&self, bench: &Bench, args: &[&str]) -> Output {
        let mut command = bench.command(&[&["run"], args].concat());
        self.reach(&mut command).output().unwrap()
    }

    /// Makes `command` ask this server.
    fn reach<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", &self.address)
            .env("AWS_ACCESS_KEY_ID", "access")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("AWS_REGION", "eu-west-1")
    }

    fn operations(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|(operation, _)| operation.clone()).collect()
    }

    /// Returns the lines of `group/stream`.
    fn lines(&self, name: &str) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        let here = |json: &&Value| {
            let text = |name: &str| json[name].as_str().unwrap().to_owned();
            format!("{}/{}", text("logGroupName"), text("logStreamName")) == name
        };
        let puts = asked.iter().filter(|(operation, _)| operation == "PutLogEvents");
        let events = puts.map(|(_, json)| json).filter(here);
        let events = events.flat_map(|json| json["logEvents"].as_array().unwrap());
        events.map(|event| event["message"].as_str().unwrap().to_owned()).collect()
    }
}

fn respond(stream: TcpStream, asked: &mut Vec<(String, Value)>) {
    let Request { headers, body, .. } = Request::read(&stream);
    let operation = headers["x-amz-target"].strip_prefix("Logs_20140328.").unwrap();
    assert!(headers["authorization"].starts_with("AWS4-HMAC-SHA256 Credential=access/"));
    assert!(headers["authorization"].contains("/eu-west-1/logs/aws4_request,"));
    let json: Value = serde_json::from_slice(&body).unwrap();
    let refused = match json["logGroupName"].as_str().unwrap() {
        "forbidden" => true,
        "full" => operation == "PutLogEvents",
        _ => false,
    };
    asked.push((operation.to_owned(), json));
    if refused {
        let body = json!({"__type": "AccessDeniedException", "message": "not you"});
        answer(stream, 400, body.to_string().as_bytes());
    } else {
        answer(stream, 200, b"");
    }
}

#[test]
fn lines_are_those_of_the_console_log() {
    let bench = Bench::new();
    bench.write("one.yaml", &one_step("echo one; echo two"));
    let streams = Streams::start();
    let args = ["one.yaml", "--cw-log-group", "/my/group", "-i", "id"];
    let output = streams.run(&bench, &args);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(streams.operations(), ["CreateLogStream", "PutLogEvents"]);
    let console = fs::read_to_string(bench.log().join("console.log")).unwrap();
    let lines = streams.lines("/my/group/id");
    assert_eq!(lines.join("\n") + "\n", console);
    assert!(lines[1].ends_with(" build Say | two"), "{lines:?}");
}

#[test]
fn what_secure_parameters_hold_stays_here() {
    let bench = Bench::new();
    let mut put = bench.goldsmith();
    put.args(["parameter", "put", "/app/key", "s3cr3t-value", "--secure", "--data-dir", "data"]);
    assert!(put.output().unwrap().status.success());
    bench.write("one.yaml", &one_step("echo {{ aws:ssm:/app/key }} s3cr3t-value"));
    let streams = Streams::start();
    let output =
        streams.run(&bench, &["one.yaml", "-i", "id", "--data-dir", "data", "--cw-log-group", "g"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(streams.lines("g/id")[0].ends_with(" build Say | ******** ********"));
    let asked = format!("{:?}", streams.asked.lock().unwrap());
    assert!(!asked.contains("s3cr3t"), "{asked}");
}

#[test]
fn a_configuration_says_where_lines_go_too() {
    let bench = Bench::new();
    bench.write("one.yaml", &one_step("exit 3"));
    bench.write(
        "config.json",
        r#"{"documents": [{"path": "one.yaml"}], "cwLogGroup": "group", "cwLogStream": "a b",
            "cwLogRegion": "eu-west-1", "cwIgnoreFailures": true}"#,
    );
    let streams = Streams::start();
    let mut command = bench.command(&["run", "-c", "config.json", "--cw-log-stream", "mine"]);
    let output = streams.reach(&mut command).env("AWS_REGION", "us-east-2").output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let (_, json) = streams.asked.lock().unwrap()[0].clone();
    assert_eq!(json, json!({"logGroupName": "group", "logStreamName": "mine"}));
}

#[test]
fn lines_that_are_lost_fail_the_run_unless_that_may_happen() {
    for (group, runs, reason) in [
        ("forbidden", false, "CreateLogStream answered 400 Bad Request: AccessDenied"),
        ("full", true, "PutLogEvents answered 400 Bad Request: AccessDenied"),
    ] {
        let bench = Bench::new();
        bench.write("one.yaml", &one_step("touch done; echo one"));
        let streams = Streams::start();
        let args = ["one.yaml", "-i", "id", "--cw-log-group", group];
        let output = streams.run(&bench, &args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        let error = format!("error: failed to log to {group}/id in CloudWatch Logs: {reason}");
        assert!(said.contains(&error), "{said}");
        assert!(said.contains("hint: --cw-ignore-failures goes on without"), "{said}");
        assert_eq!(bench.path().join("done").exists(), runs);
        assert_eq!(output.stdout.is_empty(), !runs, "the summary is told if there is one");

        let output =
            streams.run(&bench, &[&args[..], &["-l", "again", "--cw-ignore-failures"]].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert!(said.contains("warning: failed to log to") && said.contains(reason), "{said}");
        assert!(bench.path().join("done").exists());
    }
}

#[test]
fn without_a_key_there_is_nobody_to_log() {
    let bench = Bench::new();
    bench.write("one.yaml", &one_step("touch done"));
    let args = ["run", "one.yaml", "--cw-log-group", "group", "--cw-log-region", "eu-west-1"];
    let mut command = bench.command(&args);
    let output = command.env_remove("AWS_ACCESS_KEY_ID").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("there are no credentials: set AWS_ACCESS_KEY_ID"), "{said}");
    assert!(!bench.path().join("done").exists());
}

#[test]
fn lines_go_to_one_stream_before_and_after_a_restart() {
    let bench = Bench::new();
    bench.write(
        "one.yaml",
        &one_step("[ -e marker ] && echo two && exit; touch marker; echo one; exit 194"),
    );
    let streams = Streams::start();
    let args = ["one.yaml", "-s", "state", "-i", "id", "--cw-log-group", "group"];
    assert_eq!(streams.run(&bench, &args).status.code(), Some(194));
    assert_eq!(streams.lines("group/id").len(), 1);
    let output = streams.run(&bench, &["-s", "state"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = streams.lines("group/id");
    assert!(lines[0].ends_with("| one") && lines[1].ends_with("| two"), "{lines:?}");
    let operations = ["CreateLogStream", "PutLogEvents"];
    assert_eq!(streams.operations(), [operations, operations].concat());
}
