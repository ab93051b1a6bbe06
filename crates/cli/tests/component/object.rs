//! Documents, configurations and logs in S3.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpStream;
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::bench::{Bench, one_step};
use crate::service::{Request, answer, serve};

#[test]
fn documents_and_configurations_are_read_from_s3() {
    let bench = Bench::new();
    let config = r#"{"documents": [{"path": "s3://bucket/a/one.yaml"}], "executionId": "remote",
        "documentS3BucketOwner": "123456789012"}"#;
    let objects = Objects::start(&[
        ("/bucket/a/one.yaml", &one_step("echo one")),
        ("/bucket/config.json", config),
        ("/bucket/large.yaml", &"# much\n".repeat(200_000)),
    ]);
    let owner = ["--document-s3-bucket-owner", "123456789012"];
    let output = objects
        .reach(bench.command(&["run", "-c", "s3://bucket/config.json"]).args(owner))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("| one"), "{said}");
    assert_eq!(
        objects.requests(),
        ["GET /bucket/config.json 123456789012", "GET /bucket/a/one.yaml 123456789012"]
    );
    for (document, code, part) in [
        ("s3://bucket/a/one.yaml", 0, ""),
        ("s3://bucket/none.yaml", 2, "failed to fetch s3://bucket/none.yaml"),
        ("s3://bucket/large.yaml", 2, "is larger than 1048576 bytes"),
        ("s3://bucket", 2, "`s3://bucket` is a bucket"),
    ] {
        let mut command = bench.command(&["validate", document]);
        let output = objects.reach(&mut command).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{document}: {said}");
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn the_log_folder_is_stored_when_the_run_is_over() {
    for (commands, code) in [("echo one", 0), ("exit 3", 3)] {
        let bench = Bench::new();
        bench.write("one.yaml", &one_step(commands));
        let objects = Objects::start(&[]);
        let args = ["run", "one.yaml", "-b", "logs", "-k", "my/runs/", "-i", "id"];
        let mut command = bench.command(&args);
        command.args(["--log-s3-bucket-owner", "123456789012"]);
        let output = objects.reach(&mut command).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}");
        let name = bench.log().file_name().unwrap().to_str().unwrap().to_owned();
        let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(summary["logUrl"], format!("s3://logs/my/runs/{name}"));
        for file in [
            "application.log",
            "chaining.json",
            "console.log",
            "detailedoutput.json",
            "document.yaml",
        ] {
            let text = fs::read_to_string(bench.log().join(file)).unwrap();
            assert_eq!(objects.text(&format!("/logs/my/runs/{name}/{file}")), Some(text));
        }
        let requests = objects.requests();
        assert_eq!(requests.len(), 5, "{requests:?}");
        assert!(requests.iter().all(|request| request.ends_with(" 123456789012")));
    }
}

#[test]
fn logs_that_cannot_be_stored_are_told_after_the_summary() {
    let bench = Bench::new();
    bench.write("one.yaml", &one_step("echo one"));
    let objects = Objects::start(&[]);
    let mut command = bench.command(&["run", "one.yaml", "-b", "forbidden"]);
    let output = objects.reach(&mut command).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    let log = fs::canonicalize(bench.log()).unwrap();
    let name = log.file_name().unwrap().to_str().unwrap();
    let error = format!("error: failed to store the logs in s3://forbidden/{name}: ");
    assert!(said.contains(&error) && said.contains("403"), "{said}");
    assert!(said.ends_with(&format!("hint: they are in {}\n", log.display())), "{said}");
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["status"], "success");
    assert_eq!(summary["logUrl"], log.to_str().unwrap());
}

#[test]
fn logs_are_stored_once_after_the_last_restart() {
    let bench = Bench::new();
    bench.write("one.yaml", &one_step("[ -e marker ] || { touch marker; exit 194; }"));
    let objects = Objects::start(&[]);
    let mut first = bench.command(&["run", "one.yaml", "-s", "state", "-b", "logs"]);
    assert_eq!(objects.reach(&mut first).output().unwrap().status.code(), Some(194));
    assert!(objects.requests().is_empty(), "it is not over");
    // What a person is told to type names no bucket.
    let output = objects.reach(&mut bench.command(&["run", "-s", "state"])).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(objects.requests().len(), 5);
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(summary["logUrl"].as_str().unwrap().starts_with("s3://logs/TOE_"));
}

/// A server that keeps objects as S3 does; nothing is to be stored in the
/// bucket `forbidden`. Its thread ends with the process.
struct Objects {
    address: String,
    held: Arc<Mutex<Held>>,
}

/// What a server holds, and what was asked: `PUT /bucket/key owner`.
#[derive(Default)]
struct Held {
    objects: BTreeMap<String, Vec<u8>>,
    requests: Vec<String>,
}

impl Objects {
    fn start(objects: &[(&str, &str)]) -> Self {
        let objects = objects.iter().map(|(path, text)| ((*path).to_owned(), (*text).into()));
        let held = Held { objects: objects.collect(), ..Held::default() };
        let held = Arc::new(Mutex::new(held));
        let theirs = Arc::clone(&held);
        let address = serve(move |stream| theirs.lock().unwrap().answer(stream));
        Self { address, held }
    }

    /// Makes `command` ask this server.
    fn reach<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("AWS_ENDPOINT_URL", &self.address)
            .env_remove("AWS_ENDPOINT_URL_S3")
            .env("AWS_ACCESS_KEY_ID", "access")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
    }

    fn requests(&self) -> Vec<String> {
        self.held.lock().unwrap().requests.clone()
    }

    fn text(&self, path: &str) -> Option<String> {
        let held = self.held.lock().unwrap();
        held.objects.get(path).map(|bytes| String::from_utf8(bytes.clone()).unwrap())
    }
}

impl Held {
    fn answer(&mut self, stream: TcpStream) {
        let Request { method, path, headers, body } = Request::read(&stream);
        let owner = headers.get("x-amz-expected-bucket-owner");
        let owner = owner.map_or(String::new(), |owner| format!(" {owner}"));
        self.requests.push(format!("{method} {path}{owner}"));
        let path = path.as_str();
        let (status, body) = match (&*method, self.objects.get(path)) {
            ("PUT", _) if path.starts_with("/forbidden/") => (403, Vec::new()),
            ("PUT", _) => {
                self.objects.insert(path.to_owned(), body);
                (200, Vec::new())
            }
            (_, Some(bytes)) => (200, bytes.clone()),
            (_, None) => (404, Vec::new()),
        };
        answer(stream, status, &body);
    }
}
