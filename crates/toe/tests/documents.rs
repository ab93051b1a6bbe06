//! Every document in `documents` is a test: what happens when it is executed is
//! exactly what the text file beside it says.
//!
//! With `UPDATE_EXPECT` set, the text files are written instead.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use channel::{Event, Execute, Resume, Status, Stored, Stream};
use document::Component;
use toe::{Machine, Outcome, run};

/// The one component that nested documents can name.
const ARN: &str = "arn:aws:imagebuilder:eu-west-1:123456789012:component/hello/1.0.0/1";

const COMPONENT: &str = "schemaVersion: 1.0
phases:
  - name: build
    steps:
      - {name: Hello, action: ExecuteBash, inputs: {commands: [echo hello]}}
";

#[test]
fn documents_do_what_is_written_beside_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents");
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    assert!(!paths.is_empty());
    let wrong: Vec<_> = paths.iter().filter_map(|path| check(path).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[expect(clippy::disallowed_methods, reason = "the environment says whether to update")]
fn updates() -> bool {
    std::env::vars_os().any(|(name, _)| name == "UPDATE_EXPECT")
}

/// Executes the document at `path`; tells what differs from what is expected.
fn check(path: &Path) -> Result<(), String> {
    let text = fs::read_to_string(path).unwrap();
    let actual = match Component::parse(&text) {
        Ok(parsed) => execute(&parsed.value, &text),
        Err(problems) => return Err(problems.render(&path.to_string_lossy(), &text)),
    };
    let beside = path.with_extension("txt");
    if updates() {
        fs::write(beside, actual).unwrap();
        return Ok(());
    }
    let expected = fs::read_to_string(&beside).unwrap_or_default();
    if actual == expected {
        return Ok(());
    }
    Err(format!("{} says:\n{expected}\nbut this happened:\n{actual}", beside.display()))
}

/// Executes all phases in a new folder, restarts included, and tells the story.
fn execute(document: &Component, text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let machine = Machine {
        scratch: folder.path().join("scratch"),
        folder: folder.path().join("work"),
        logs: Some(folder.path().join("logs")),
        ..Machine::default()
    };
    fs::create_dir(&machine.folder).unwrap();
    let mut story = String::new();
    let mut resume = None;
    loop {
        let request = Execute {
            component: "case".into(),
            document: text.to_owned(),
            // The other way round than in the documents, which must not matter.
            phases: ["test", "validate", "build"].map(str::to_owned).to_vec(),
            parameters: vec![("Given".into(), "by the request".into())],
            stored: stored(),
            components: BTreeMap::from([(ARN.to_owned(), COMPONENT.to_owned())]),
            resume: resume.take(),
        };
        let outcome = run(document, &request, &machine, &mut |event| tell(&mut story, event));
        match outcome {
            Ok(Outcome::Reboot { resume: state, delay }) => {
                writeln!(story, "restart in {} s", delay.as_secs()).unwrap();
                // As it comes back from the factory.
                let json = serde_json::to_string(&state).unwrap();
                for value in ["hunter2", "first line", "second line"] {
                    assert!(!json.contains(value), "no secure value is kept: {json}");
                }
                resume = Some(serde_json::from_str::<Resume>(&json).unwrap());
            }
            Ok(Outcome::Ended { status, message }) => {
                writeln!(story, "{status:?} {message}").unwrap();
                break;
            }
            Err(error) => {
                writeln!(story, "refused: {}", toe::chain(&error)).unwrap();
                break;
            }
        }
    }
    let scripts = fs::read_dir(&machine.scratch).map_or(0, Iterator::count);
    assert_eq!(scripts, 0, "no script is left");
    story.replace(&*folder.path().to_string_lossy(), "FOLDER")
}

/// A loop without programs sees that its time is up, too.
#[test]
fn turns_that_are_done_at_once_run_out_of_time() {
    let text = "schemaVersion: 1.0
phases:
  - name: build
    steps:
      - name: Counts
        action: Assert
        timeoutSeconds: 1
        loop: {for: {start: 1, end: 1000000000000, updateBy: 1}}
        inputs: {stringIsEmpty: ''}
";
    let story = execute(&Component::parse(text).unwrap().value, text);
    assert!(
        story.contains("Failed: it took longer than its timeout of 1 s (loop index "),
        "{story}"
    );
}

/// So do a loop and the entries of a list when the execution is stopped.
#[test]
fn what_is_done_at_once_is_stopped() {
    let text = "schemaVersion: 1.0
phases:
  - name: build
    steps:
      - name: Counts
        action: Assert
        loop: {for: {start: 1, end: 1000000000000, updateBy: 1}}
        inputs: {stringIsEmpty: ''}
      - name: Files
        action: CreateFile
        inputs: [{path: a, content: ''}]
";
    let folder = tempfile::tempdir().unwrap();
    let machine = Machine { folder: folder.path().to_owned(), ..Machine::default() };
    let request = Execute {
        component: "case".into(),
        document: text.to_owned(),
        phases: vec!["build".into()],
        parameters: Vec::new(),
        stored: Vec::new(),
        components: BTreeMap::new(),
        resume: None,
    };
    let document = Component::parse(text).unwrap().value;
    let mut story = String::new();
    let mut report = |event| {
        machine.stop.store(true, Ordering::Release);
        tell(&mut story, event);
    };
    let outcome = run(&document, &request, &machine, &mut report).unwrap();
    assert_eq!(
        outcome,
        Outcome::Ended {
            status: Status::Failed,
            message: "phase build: step Counts (Assert) failed: it was cancelled (loop index 0)"
                .into(),
        }
    );
    assert_eq!(story, "build Counts Assert 1\n  Failed: it was cancelled (loop index 0)\n");
    assert!(!machine.pause(Duration::from_secs(3600)), "no restart is waited for");
}

fn stored() -> Vec<Stored> {
    let stored = |name: &str, value: &str, secure| Stored {
        name: name.to_owned(),
        value: value.to_owned(),
        secure,
    };
    vec![
        stored("/app/title", "It works", false),
        stored("/app/which", "/app/password", false),
        stored("/app/password", "hunter2", true),
        stored("/app/key", "first line\nsecond line\n", true),
    ]
}

fn tell(story: &mut String, event: Event) {
    match event {
        Event::StepStarted { phase, step, action, attempt } => {
            writeln!(story, "{phase} {step} {action} {attempt}")
        }
        Event::Output { stream: Stream::Stdout, line, .. } => writeln!(story, "  | {line}"),
        Event::Output { stream: Stream::Stderr, line, .. } => writeln!(story, "  ! {line}"),
        Event::StepEnded { step, status, exit_code, message, .. } => {
            let code = exit_code.map_or(String::new(), |code| format!(" {code}"));
            let name = if status == Status::Skipped { format!(" {step}") } else { String::new() };
            let message = if message.is_empty() { message } else { format!(": {message}") };
            writeln!(story, "  {status:?}{name}{code}{message}")
        }
        Event::Ready { .. }
        | Event::Reboot { .. }
        | Event::Ended { .. }
        | Event::Refused { .. } => panic!("`run` does not report {event:?}"),
    }
    .unwrap();
}
