//! What programs that wait for results get when nothing could be begun, and
//! what is told when they have gone away.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs::{self, File};
use std::process::Stdio;

use expect_test::expect;

use super::bench::{AGENT, Bench};
use super::{succeed, text};

/// Builds what is refused with `code`; returns the results as JSON and XML.
#[track_caller]
fn refused(bench: &Bench, code: i32) -> (String, String) {
    let file = bench.write("junit.xml", "<testsuites name=\"green\"/>");
    let [json, junit] = ["json", "junit"].map(|format| {
        let args = ["--output", format, "build", "--junit", "junit.xml"];
        let output = bench.run(&args, "/nowhere/goldsmith-agent", Stdio::piped());
        assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
        text(&output.stdout)
    });
    assert_eq!(undated(&fs::read_to_string(&file).unwrap()), undated(&junit));
    assert!(!bench.data().exists());
    (json, undated(&junit))
}

/// Returns JUnit XML without the time at which it was written.
fn undated(text: &str) -> String {
    let Some((before, after)) = text.split_once(" timestamp=\"") else { return text.to_owned() };
    let (_, after) = after.split_once('"').unwrap();
    format!("{before}{after}")
}

#[test]
fn a_refusal_is_a_result() {
    let bench = Bench::new();
    bench.project("debian-server-99", "");
    let (json, junit) = refused(&bench, 2);
    expect![[r#"
        {
          "state": "REFUSED",
          "message": "the project has 1 problem",
          "hint": null,
          "problems": [
            {
              "document": "./goldsmith.yaml",
              "line": 4,
              "column": 16,
              "severity": "error",
              "code": "no-such-image",
              "message": "there is no managed image `debian-server-99`",
              "help": "the managed images are debian-minimal-12, debian-minimal-13, debian-server-12, debian-server-13"
            }
          ]
        }
    "#]].assert_eq(&json);
    expect![[r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="." tests="1" failures="0" errors="1" skipped="0" time="0.000">
          <testsuite name="goldsmith" tests="1" failures="0" errors="1" skipped="0" time="0.000">
            <testcase classname="goldsmith" name="build" time="0.000">
              <error message="the project has 1 problem">error[no-such-image]: there is no managed image `debian-server-99`&#10; --&gt; ./goldsmith.yaml:4:16&#10;  |&#10;4 |   parentImage: debian-server-99&#10;  |                ^^^^^^^^^^^^^^^^&#10;  = help: the managed images are debian-minimal-12, debian-minimal-13, debian-server-12, debian-server-13&#10;&#10;error: the project has 1 problem</error>
            </testcase>
          </testsuite>
        </testsuites>
    "#]].assert_eq(&junit);

    bench.project("debian-server-12", "");
    let (json, junit) = refused(&bench, 6);
    expect![[r#"
        {
          "state": "REFUSED",
          "message": "the agent goldsmith-agent is not at /nowhere/goldsmith-agent",
          "hint": "run `make build` in Goldsmith's source, or set GOLDSMITH_AGENT to its path",
          "problems": []
        }
    "#]]
    .assert_eq(&json);
    expect![[r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="." tests="1" failures="0" errors="1" skipped="0" time="0.000">
          <testsuite name="goldsmith" tests="1" failures="0" errors="1" skipped="0" time="0.000">
            <testcase classname="goldsmith" name="build" time="0.000">
              <error message="the agent goldsmith-agent is not at /nowhere/goldsmith-agent">error: the agent goldsmith-agent is not at /nowhere/goldsmith-agent&#10;hint: run `make build` in Goldsmith's source, or set GOLDSMITH_AGENT to its path</error>
            </testcase>
          </testsuite>
        </testsuites>
    "#]].assert_eq(&junit);
}

/// Returns standard outputs that nobody reads and that have no room.
fn lost() -> [(Stdio, &'static str); 2] {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let full = File::options().write(true).open("/dev/full").unwrap();
    [(writer.into(), "Broken pipe"), (full.into(), "No space left on device")]
}

#[test]
fn what_went_wrong_is_told_whoever_reads_the_results() {
    let bench = Bench::new();
    bench.project_without_disk();
    bench.write(
        "fail.yaml",
        "schemaVersion: 1.0\nphases:\n  - name: build\n    steps:\n      - name: Fail\n        \
         action: ExecuteBash\n        inputs: {commands: ['exit 7']}\n",
    );
    bench.write("wrong.yaml", "schemaVersion: 3\n");
    let build = ["--output", "json", "build", "--junit", "no/junit.xml"];
    for (args, code, told) in [
        (&build[..], 1, &["disk.raw", "error: failed to write no/junit.xml"][..]),
        (&["component", "run", "fail.yaml"], 3, &["exit code 7"]),
        (&["component", "validate", "wrong.yaml"], 2, &["not a schema version"]),
        (&["component", "validate", "fail.yaml"], 1, &[]),
    ] {
        for (stdout, why) in lost() {
            let output = bench.run(args, AGENT, stdout);
            let said = text(&output.stderr);
            assert_eq!(output.status.code(), Some(code), "{args:?} {why}: {said}");
            for part in told {
                assert!(said.contains(part), "{part} is not in\n{said}");
            }
            let lost = format!("error: failed to write the output: {why}");
            assert!(said.contains(&lost), "{args:?} {why}: {said}");
        }
    }
}

/// As `head` does.
#[test]
fn whoever_reads_a_list_may_stop() {
    let bench = Bench::new();
    succeed(&bench.data(), &["account", "create", "team"]);
    for args in [&["account", "list"][..], &["--output", "json", "images"], &["completion", "bash"]]
    {
        let [(closed, _), (full, _)] = lost();
        let output = bench.run(args, AGENT, closed);
        assert_eq!(
            (output.status.code(), text(&output.stderr).as_str()),
            (Some(0), ""),
            "{args:?}"
        );
        assert_eq!(bench.run(args, AGENT, full).status.code(), Some(1), "{args:?}");
    }
}

/// The file holds what an earlier run left.
#[test]
fn a_document_that_is_not_run_is_a_result() {
    let bench = Bench::new();
    bench.write("wrong.yaml", "schemaVersion: 3\nphases: []\n");
    for args in [&["wrong.yaml"][..], &["absent.yaml"], &["s3://bucket"]] {
        let file = bench.write("junit.xml", "<testsuites name=\"green\"/>");
        let run = ["--output", "junit", "component", "run", "--junit", "junit.xml"];
        let output = bench.run(&[&run, args].concat(), AGENT, Stdio::piped());
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        let printed = text(&output.stdout);
        let kept = fs::read_to_string(&file).unwrap();
        assert_eq!(undated(&kept), undated(&printed));
        let error = said.lines().find_map(|line| line.strip_prefix("error: ")).unwrap();
        assert!(kept.contains("tests=\"1\" failures=\"0\" errors=\"1\""), "{kept}");
        assert!(kept.contains(error), "{error} is not in\n{kept}");
    }
}
