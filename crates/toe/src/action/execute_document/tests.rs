//! Documents that are executed from files, buckets and states.

use std::collections::BTreeMap;
use std::fs;

use super::*;
use crate::cause::chain;
use crate::clock::Deadline;
use crate::mask::Mask;
use crate::s3::server::{OWNER, Server};
use crate::{Machine, Outcome};

const TEXT: &str = "schemaVersion: 1.0
phases:
  - {name: build, steps: [{name: Hello, action: Assert, inputs: {fileExists: /etc/passwd}}]}
";

/// Executes a document of a bucket and checks its output `status`, or the error.
#[track_caller]
fn check(document: &str, owner: &str, expected: Result<&str, &str>) {
    let server = Server::start(&[("/bucket/a.yaml", TEXT)]);
    let machine = Machine { s3: server.settings(), ..Machine::default() };
    let inputs = ExecuteDocument {
        document: document.into(),
        bucket_owner: Some(owner.into()),
        phases: None,
        parameters: Vec::new(),
    };
    let mut told = Vec::new();
    let mut bench = Bench {
        machine: &machine,
        deadline: Deadline::after(None),
        tell: &mut |it| told.push(format!("{it:?}")),
        mask: &Mask::default(),
        requests: &[],
        resume: None,
    };
    let result = match perform(&inputs, &mut bench) {
        Ok(done) => Ok(done.outputs.into_iter().find(|(name, _)| name == "status").unwrap().1),
        Err(error) => Err(chain(&error)),
    };
    assert_eq!(result.as_deref().map_err(String::as_str), expected);
    assert_eq!(told.len(), if result.is_ok() { 2 } else { 0 }, "{told:?}");
}

#[test]
fn documents_come_from_buckets() {
    check("s3://bucket/a.yaml", OWNER, Ok("success"));
    check(
        "s3://bucket/a.yaml",
        "000000000000",
        Err("failed to fetch `s3://bucket/a.yaml`: `s3://bucket/a.yaml` answered 403 \
             Forbidden: AccessDenied: Access Denied"),
    );
    check(
        "s3://bucket/absent",
        OWNER,
        Err("failed to fetch `s3://bucket/absent`: `s3://bucket/absent` answered 404 Not \
             Found: NoSuchKey: The specified key does not exist."),
    );
}

#[test]
fn the_record_of_a_nested_execution_is_put_out() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.yaml"), TEXT).unwrap();
    let machine = Machine { folder: folder.path().to_owned(), ..Machine::default() };
    let inputs = ExecuteDocument {
        document: "a.yaml".into(),
        bucket_owner: None,
        phases: Some("build".into()),
        parameters: Vec::new(),
    };
    let mut bench = Bench {
        machine: &machine,
        deadline: Deadline::after(None),
        mask: &Mask::default(),
        tell: &mut |_| {},
        requests: &[],
        resume: None,
    };
    let outputs = perform(&inputs, &mut bench).unwrap().outputs;
    let find = |name: &str| outputs.iter().find(|(known, _)| known == name).unwrap().1.clone();
    let record: serde_json::Value = serde_json::from_str(&find(DETAILED_OUTPUT)).unwrap();
    assert_eq!(record[0]["executionId"], find("executionId"));
    let document = &record[0]["documents"][0];
    assert_eq!(document["filePath"], "a.yaml");
    assert_eq!(document["phases"][0]["steps"][0]["name"], "Hello");
    assert_eq!(document["phases"][0]["steps"][0]["status"], "success");
}

/// A document whose text cannot be kept while the machine restarts: as JSON it
/// is longer than what may be.
#[test]
fn documents_that_are_too_long_do_not_restart_the_machine() {
    let folder = tempfile::tempdir().unwrap();
    let machine = Machine { folder: folder.path().to_owned(), ..Machine::default() };
    let document = |step: &str, quotes: usize| {
        let quotes = "\"".repeat(quotes);
        format!("schemaVersion: 1.0\nphases: [{{name: build, steps: [{step}]}}]\n# {quotes}\n")
    };
    let execute = |path: &str| {
        format!("{{name: Execute, action: ExecuteDocument, inputs: {{document: {path}}}}}")
    };
    let long = 2 * SIZE_LIMIT / 3;
    fs::write(folder.path().join("b"), document("{name: Restart, action: Reboot}", long)).unwrap();
    fs::write(folder.path().join("a"), document(&execute("b"), long)).unwrap();
    let run = |text: String| {
        let request = Execute {
            component: "case".into(),
            phases: vec!["build".into()],
            document: text.clone(),
            parameters: Vec::new(),
            stored: Vec::new(),
            components: BTreeMap::new(),
            resume: None,
        };
        crate::run(&Component::parse(&text).unwrap().value, &request, &machine, &mut |_| {})
    };
    let restarted = run(document(&execute("b"), 0)).unwrap();
    assert!(matches!(restarted, Outcome::Reboot { .. }));
    let message = "phase build: step Execute (ExecuteDocument) failed: it asked for a restart, but \
        with the documents it executes, what is to be kept is longer than 2097152 bytes";
    let (status, message) = (Status::Failed, message.to_owned());
    assert_eq!(run(document(&execute("a"), 0)).unwrap(), Outcome::Ended { status, message });
}

#[test]
fn executions_are_told_apart() {
    assert_ne!(execution_id(), execution_id());
}
