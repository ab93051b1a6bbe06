//! `goldsmith component` on this machine: what it prints, its exit codes and
//! what it leaves. Instances are tested end to end.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use expect_test::{expect, expect_file};
use serde_json::Value;
use tempfile::TempDir;

/// A folder to run documents in, and what the command says there.
struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Copies a document of this folder's; `FOLDER` in it means the bench.
    fn document(&self, name: &str) -> PathBuf {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/component").join(name);
        let text = fs::read_to_string(from).unwrap();
        self.write(name, &text.replace("FOLDER", &self.path().to_string_lossy()))
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.goldsmith();
        command.arg("component").args(args);
        command
    }

    #[expect(clippy::disallowed_methods, reason = "the command under test is a program")]
    fn goldsmith(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_goldsmith"));
        command.current_dir(self.path());
        command.env("TZ", "UTC").env_remove("GOLDSMITH_AGENT").stdin(Stdio::null());
        // A runner that is killed leaves its scratch folder.
        command.env("TMPDIR", self.path());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs the command, which must end with `code`; returns its JSON, with
    /// what differs from time to time made the same.
    #[track_caller]
    fn json(&self, args: &[&str], code: i32) -> Value {
        let output = self.run(args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        let mut value = serde_json::from_slice(&output.stdout).unwrap();
        self.normalise(&mut value);
        value
    }

    /// Returns the only log folder.
    fn log(&self) -> PathBuf {
        let entries = fs::read_dir(self.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut folders = entries.filter(|path| path.to_string_lossy().contains("/TOE_"));
        let folder = folders.next().unwrap();
        assert_eq!(folders.next(), None, "one log folder is expected");
        folder
    }

    fn detailed(&self) -> Value {
        let text = fs::read_to_string(self.log().join("detailedoutput.json")).unwrap();
        let mut value = serde_json::from_str(&text).unwrap();
        self.normalise(&mut value);
        value
    }

    fn normalise(&self, value: &mut Value) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    match (name.as_str(), &*member) {
                        ("startTime" | "endTime", Value::String(time)) => {
                            assert!(time.ends_with("+00:00"), "{time}");
                            *member = "TIME".into();
                        }
                        ("logUrl", Value::String(path)) => {
                            assert!(Path::new(path).is_dir(), "{path}");
                            *member = "LOG".into();
                        }
                        (_, _) => self.normalise(member),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.normalise(item)),
            Value::String(text) => *text = text.replace(&*self.path().to_string_lossy(), "FOLDER"),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap() + "\n"
}

#[test]
fn what_happened_is_kept_as_awstoe_keeps_it() {
    for (name, code) in [("steps", 0), ("failures", 3)] {
        let bench = Bench::new();
        let document = bench.document(&format!("{name}.yaml"));
        let summary = bench.json(&["run", document.to_str().unwrap(), "-i", name], code);
        expect_file![format!("component/{name}.summary.json")].assert_eq(&pretty(&summary));
        expect_file![format!("component/{name}.detailed.json")]
            .assert_eq(&pretty(&bench.detailed()));
    }
}

#[test]
fn the_log_folder_is_complete_and_private() {
    let bench = Bench::new();
    let document = bench.document("steps.yaml");
    let args = ["run", "-d", document.to_str().unwrap(), "--parameters", "Who=Ann"];
    bench.json(&[&args[..], &["--phases", "build", "-l", "."]].concat(), 0);
    let log = bench.log();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&log), 0o700);
    let read = |name: &str| {
        assert_eq!(mode(&log.join(name)), 0o600, "{name}");
        fs::read_to_string(log.join(name)).unwrap()
    };
    assert_eq!(read("document.yaml"), fs::read_to_string(document).unwrap());
    let lines = |text: &str| {
        text.lines().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect::<Vec<_>>()
    };
    // The two streams may come in either order.
    let mut console = lines(&read("console.log"));
    console.sort();
    let said = ["Count | 1", "Count | 2", "Count | 3", "Say | aside", "Say | hello Ann"];
    assert_eq!(console, said.map(|line| format!("build {line}")));
    let notes = lines(&read("application.log"));
    assert!(notes.contains(&"step build Say ended: Success, exit code 0".to_owned()), "{notes:?}");
    let chaining: Value = serde_json::from_str(&read("chaining.json")).unwrap();
    let last = &chaining["documents"][0]["references"][2];
    assert_eq!((&last["kind"], &last["from"]), (&"output".into(), &"build.Say".into()));
    assert_eq!(bench.detailed()["documents"][0]["phases"].as_array().unwrap().len(), 1);
}

#[test]
fn documents_are_run_as_a_configuration_says() {
    let bench = Bench::new();
    let document = |name: &str| {
        let text = format!(
            "name: {name}\nschemaVersion: 1.0\nparameters:\n  - Who: {{type: string, default: none}}\n  \
             - Where: {{type: string, default: here}}\nphases:\n  - name: build\n    steps:\n      \
             - name: Say\n        action: ExecuteBash\n        inputs: {{commands: ['echo {{{{ Who }}}} {{{{ Where }}}}']}}\n"
        );
        bench.write(&format!("{name}.yaml"), &text);
    };
    document("one");
    document("two");
    let config = r#"{
        "documents": [
            {"path": "one.yaml"},
            {"path": "two.yaml", "parameters": [{"name": "Who", "value": "own"}]}
        ],
        "parameters": [{"name": "Who", "value": "all"}],
        "executionId": "configured", "logDirectory": "logs", "phases": "build,test"
    }"#;
    bench.write("config.json", config);
    let summary = bench.json(&["run", "--config", "config.json", "-l", "."], 0);
    assert_eq!(
        (&summary["executionId"], &summary["executedStepCount"]),
        (&"configured".into(), &2.into())
    );
    let outputs =
        |n: usize| bench.detailed()["documents"][n]["phases"][0]["steps"][0]["outputs"].clone();
    assert_eq!(outputs(0), r#"[{"stdout":"all here"}]"#);
    assert_eq!(outputs(1), r#"[{"stdout":"own here"}]"#);

    bench.write("config.json", r#"{"documents": [{"path": "one.yaml"}], "colour": "red"}"#);
    let refused = bench.run(&["run", "-c", "config.json"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("unknown field `colour`"));
}

#[test]
fn what_is_not_supported_is_refused_before_anything_runs() {
    let bench = Bench::new();
    bench.document("steps.yaml");
    for args in [
        &["--log-s3-bucket-name", "b"][..],
        &["-k", "logs"],
        &["--cw-log-group", "g"],
        &["--execution-id", "../x"],
        &["--parameters", "Who"],
        &["s3://bucket/document.yaml"],
        &["absent.yaml"],
        &["--in", "Debian 12"],
        &["--config", "config.json"],
    ] {
        let output = bench.run(&[&["run", "steps.yaml"], args].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty());
        assert!(String::from_utf8_lossy(&output.stderr).contains("error"), "{args:?}");
    }
    let names: Vec<_> = fs::read_dir(bench.path()).unwrap().flatten().collect();
    assert_eq!(names.len(), 1, "nothing was made");
    let args = ["run", "steps.yaml", "--cw-log-group", "g", "--cw-ignore-failures"];
    let output = bench.run(&args);
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("nothing is logged to CloudWatch"), "{said}");
}

#[test]
fn a_parameter_without_a_value_is_refused() {
    let bench = Bench::new();
    let text = fs::read_to_string(bench.document("steps.yaml")).unwrap();
    bench.write("steps.yaml", &text.replace(", default: world", ""));
    let output = bench.run(&["run", "steps.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    expect![[r#"
        warning[unreachable-step]: step `Unwanted` never runs: its `if` always skips it
          --> steps.yaml:23:9
           |
        23 |         if: {stringEquals: a, value: b}
           |         ^^

        warning[unknown-phase]: phase `check` does not run when images are built
          --> steps.yaml:29:11
           |
        29 |   - name: check
           |           ^^^^^
           = help: images run build, validate and test
        error: steps.yaml: parameter `Who` has no default and was given no value
    "#]]
    .assert_eq(&String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_restart_is_gone_on_after() {
    let bench = Bench::new();
    let document = bench.document("restarts.yaml");
    let document = document.to_str().unwrap();
    let again = ["run", document, "--state-directory", "state", "-i", "restarts"];
    let first = bench.run(&again);
    assert_eq!(first.status.code(), Some(194), "{}", String::from_utf8_lossy(&first.stderr));
    assert!(first.stdout.is_empty(), "it is not over");
    let state = bench.path().join("state/state.json");
    assert_eq!(fs::metadata(&state).unwrap().permissions().mode() & 0o777, 0o600);
    // The same command again, as the Systems Manager's agent does it; then
    // what is told to a person.
    assert_eq!(bench.run(&again).status.code(), Some(194));
    let state_directory = bench.path().join("state");
    let told = ["run", "--state-directory", state_directory.to_str().unwrap()];
    let summary = bench.json(&told, 0);
    assert_eq!(summary["executionId"], "restarts");
    expect_file!["component/restarts.detailed.json"].assert_eq(&pretty(&bench.detailed()));
    assert!(!state.exists(), "it is over");
}

#[test]
fn what_waits_for_a_restart_is_not_changed_behind_its_back() {
    let bench = Bench::new();
    let document = bench.document("restarts.yaml");
    let path = document.to_str().unwrap();
    let run = |more: &[&str]| bench.run(&[&["run", "-s", "state"], more].concat());
    assert_eq!(run(&[path]).status.code(), Some(194));
    let others = run(&[path, "--phases", "test"]);
    assert_eq!(others.status.code(), Some(2));
    let text = fs::read_to_string(&document).unwrap();
    fs::write(&document, text + "# more\n").unwrap();
    let output = run(&[path]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("changed since") && said.contains("remove that file"), "{said}");
}

#[test]
fn without_a_folder_for_state_the_log_folder_has_it() {
    let bench = Bench::new();
    let document = bench.document("restarts.yaml");
    assert_eq!(bench.run(&["run", document.to_str().unwrap()]).status.code(), Some(194));
    let log = bench.log();
    let output = bench.run(&["run", "-s", log.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(194));
}

#[test]
fn a_killed_runner_leaves_what_it_had() {
    let bench = Bench::new();
    let text = "schemaVersion: 1.0\nphases:\n  - name: build\n    steps:\n      - name: First\n        \
                action: ExecuteBash\n        inputs: {commands: [echo one]}\n      - name: Second\n        \
                action: ExecuteBash\n        inputs: {commands: [echo begun, exec sleep 2]}\n";
    let path = bench.write("slow.yaml", text);
    let mut command = bench.command(&["run", path.to_str().unwrap()]);
    let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().ends_with("| begun")));
    child.kill().unwrap();
    child.wait().unwrap();
    let detailed = bench.detailed();
    let steps = &detailed["documents"][0]["phases"][0]["steps"];
    assert_eq!(steps[0]["status"], "success");
    let console = fs::read_to_string(bench.log().join("console.log")).unwrap();
    assert!(console.ends_with("build Second | begun\n"), "{console}");
}

#[test]
fn results_are_told_as_junit_too() {
    let bench = Bench::new();
    let document = bench.document("failures.yaml");
    let args = ["--output", "junit", "run", document.to_str().unwrap(), "-i", "id"];
    let output = bench.run(&args);
    assert_eq!(output.status.code(), Some(3));
    let text = String::from_utf8(output.stdout).unwrap();
    let text = text.replace(&*bench.path().to_string_lossy(), "FOLDER");
    let without = |text: &str, name: &str| {
        let start = format!(" {name}=\"");
        let mut parts = text.split(&start);
        let first = parts.next().unwrap().to_owned();
        parts.fold(first, |text, part| text + part.split_once('"').unwrap().1)
    };
    let text = without(&without(&text, "time"), "timestamp");
    expect![[r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="id" tests="2" failures="2" errors="0" skipped="0">
          <testsuite name="FOLDER/failures.yaml.build" tests="2" failures="2" errors="0" skipped="0">
            <testcase classname="FOLDER/failures.yaml.build" name="GoesOn">
              <failure message="exit code 4">no&#10;attempt 1 of 2 failed with exit code 4&#10;no</failure>
            </testcase>
            <testcase classname="FOLDER/failures.yaml.build" name="Stops">
              <failure message="the condition does not hold"/>
            </testcase>
          </testsuite>
        </testsuites>
    "#]].assert_eq(&text);
}

#[test]
fn validation_tells_every_problem_of_every_document() {
    let bench = Bench::new();
    bench.document("steps.yaml");
    bench.write("bad.yaml", "schemaVersion: 1.0\nphases:\n  - name: build\n    steps:\n      - name: A\n        action: ExecuteBahs\n        colour: red\n");
    let good = bench.json(&["validate", "steps.yaml"], 0);
    expect![[r#"
        {
          "validationStatus": "success",
          "message": "Document(s) [steps.yaml] is/are valid."
        }
    "#]]
    .assert_eq(&pretty(&good));
    let bad =
        bench.json(&["--output", "json", "validate", "-d", "steps.yaml,bad.yaml,absent.yaml"], 2);
    expect![[r#"
        {
          "validationStatus": "failed",
          "message": "Document(s) [bad.yaml, absent.yaml] is/are not valid.",
          "problems": [
            {
              "document": "steps.yaml",
              "line": 23,
              "column": 9,
              "severity": "warning",
              "code": "unreachable-step",
              "message": "step `Unwanted` never runs: its `if` always skips it",
              "help": null
            },
            {
              "document": "steps.yaml",
              "line": 29,
              "column": 11,
              "severity": "warning",
              "code": "unknown-phase",
              "message": "phase `check` does not run when images are built",
              "help": "images run build, validate and test"
            },
            {
              "document": "bad.yaml",
              "line": 6,
              "column": 17,
              "severity": "error",
              "code": "unknown-value",
              "message": "`ExecuteBahs` is not a value of `action`",
              "help": "did you mean `ExecuteBash`?"
            },
            {
              "document": "bad.yaml",
              "line": 7,
              "column": 9,
              "severity": "error",
              "code": "unknown-member",
              "message": "entry `A` of `steps` has no member `colour`",
              "help": "expected `name`, `action`, `timeoutSeconds`, `onFailure`, `maxAttempts`, `if`, `loop` or `inputs`"
            },
            {
              "document": "absent.yaml",
              "line": null,
              "column": null,
              "severity": "error",
              "code": "no-such-document",
              "message": "failed to read absent.yaml: No such file or directory (os error 2)",
              "help": null
            }
          ]
        }
    "#]].assert_eq(&pretty(&bad));
    let output = bench.run(&["validate", "bad.yaml"]);
    expect![[r#"
        error[unknown-value]: `ExecuteBahs` is not a value of `action`
         --> bad.yaml:6:17
          |
        6 |         action: ExecuteBahs
          |                 ^^^^^^^^^^^
          = help: did you mean `ExecuteBash`?

        error[unknown-member]: entry `A` of `steps` has no member `colour`
         --> bad.yaml:7:9
          |
        7 |         colour: red
          |         ^^^^^^
          = help: expected `name`, `action`, `timeoutSeconds`, `onFailure`, `maxAttempts`, `if`, `loop` or `inputs`
    "#]].assert_eq(&String::from_utf8_lossy(&output.stderr));
    let windows = bench.json(&["validate", "steps.yaml", "--platform", "windows"], 2);
    assert_eq!(windows["validationStatus"], "failed");
    let output = bench.run(&["--output", "junit", "validate", "steps.yaml", "bad.yaml"]);
    let xml = String::from_utf8_lossy(&output.stdout);
    assert!(xml.contains("tests=\"2\" failures=\"1\""), "{xml}");
}

#[test]
fn managed_components_are_named_by_arn() {
    let bench = Bench::new();
    let arn = "arn:aws:imagebuilder:local-1:aws:component/update-linux/x.x.x";
    let said = bench.json(&["validate", arn], 0);
    assert_eq!(said["message"], format!("Document(s) [{arn}] is/are valid."));
    bench.json(&["validate", &arn.replace("update", "no-such")], 2);
}

/// Stored parameters are read from the catalogue; what a secure one holds is
/// in nothing that is written. Components are executed by their ARN.
#[test]
fn stored_parameters_and_managed_components_are_at_hand() {
    let bench = Bench::new();
    let data = bench.path().join("data");
    let put = |name: &str, value: &str, more: &[&str]| {
        let mut command = bench.goldsmith();
        command.args(["parameter", "put", name, value]).args(more).arg("--data-dir").arg(&data);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    put("/app/title", "It works", &[]);
    put("/app/key", "s3cr3t-value", &["--secure"]);
    let document = bench.write(
        "stored.yaml",
        "schemaVersion: 1.0
phases:
  - name: build
    steps:
      - name: Show
        action: ExecuteBash
        inputs:
          commands:
            - 'echo \"{{ aws:ssm:/app/title }}: {{ aws:ssm:/app/key }}\"'
      - name: Boot
        action: ExecuteDocument
        inputs:
          document: 'arn:aws:imagebuilder:local-1:aws:component/simple-boot-test-linux/x.x.x'
          phases: absent
",
    );
    let run = |data: &Path| {
        let document = document.to_str().unwrap();
        bench.run(&["run", document, "--data-dir", data.to_str().unwrap()])
    };
    let output = run(&data);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("It works: ********"), "{said}");
    for entry in fs::read_dir(bench.log()).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!text.contains("s3cr3t-value"), "{text}");
    }
    assert!(!said.contains("s3cr3t-value"), "{said}");

    let output = run(&bench.path().join("elsewhere"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("needs the stored parameter `/app/title`"), "{said}");
}
