//! Documents that are executed from files, buckets and states.

use std::fs;

use super::*;
use crate::Machine;
use crate::cause::chain;
use crate::clock::Deadline;
use crate::mask::Mask;
use crate::s3::server::{OWNER, Server};

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

#[test]
fn a_broken_state_is_refused() {
    let inputs = ExecuteDocument {
        document: "a.yaml".into(),
        bucket_owner: None,
        phases: None,
        parameters: Vec::new(),
    };
    let machine = Machine::default();
    let mut bench = Bench {
        machine: &machine,
        deadline: Deadline::after(None),
        tell: &mut |_| {},
        mask: &Mask::default(),
        requests: &[],
        resume: Some(serde_json::json!({ "document": TEXT })),
    };
    let error = perform(&inputs, &mut bench).unwrap_err();
    assert!(chain(&error).starts_with("the state to resume from is not of this step: missing"));
}

#[test]
fn executions_are_told_apart() {
    assert_ne!(execution_id(), execution_id());
}
