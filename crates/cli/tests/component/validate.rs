//! `goldsmith component validate`.

use expect_test::expect;

use crate::bench::{Bench, pretty};

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
