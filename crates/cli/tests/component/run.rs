//! Documents that run: what is printed and what is left.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;

use expect_test::{expect, expect_file};
use serde_json::Value;

use crate::bench::{Bench, pretty};

#[test]
fn what_happened_is_kept_as_awstoe_keeps_it() {
    for (name, code) in [("steps", 0), ("failures", 3)] {
        let bench = Bench::new();
        let document = bench.document(&format!("{name}.yaml"));
        let summary = bench.json(&["run", document.to_str().unwrap(), "-i", name], code);
        expect_file![format!("{name}.summary.json")].assert_eq(&pretty(&summary));
        expect_file![format!("{name}.detailed.json")].assert_eq(&pretty(&bench.detailed()));
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
          document: 'arn:aws:imagebuilder:local-1:aws:component/reboot-linux/x.x.x'
          phases: validate
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
