//! What is refused before anything runs.

use std::fs;

use expect_test::{Expect, expect};

use crate::bench::Bench;

#[test]
fn what_is_not_supported_is_refused_before_anything_runs() {
    let bench = Bench::new();
    bench.document("steps.yaml");
    for args in [
        &["--log-s3-bucket-name", "b"][..],
        &["-b", "s3://logs"],
        &["-k", "logs"],
        &["--log-s3-bucket-owner", "123456789012"],
        &["-b", "logs", "--log-s3-bucket-owner", "me"],
        &["--cw-log-group", "a b"],
        &["--cw-log-group", "g", "--cw-log-stream", "a:b"],
        &["--cw-log-stream", "s"],
        &["--cw-log-region", "eu-west-1"],
        &["--execution-id", "../x"],
        &["--parameters", "Who"],
        &["s3://bucket"],
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
}

#[test]
fn what_cannot_be_is_told_with_what_can() {
    let bench = Bench::new();
    bench.document("steps.yaml");
    let check = |args: &[&str], expected: Expect| {
        let output = bench.run(&[&["run", "steps.yaml"], args].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        expected.assert_eq(&said[said.find("error:").unwrap()..]);
    };
    check(
        &["--in", "https://mirror.example/a.qcow2"],
        expect![[r#"
        error: `--in https://mirror.example/a.qcow2` names no base: the disk image `https://mirror.example/a.qcow2` needs its SHA-256 beside it
        hint: download it and give its path, as in `--in ./base.qcow2`
    "#]],
    );
    check(
        &["--in", "ssm:/base"],
        expect![[r#"
        error: `--in ssm:/base` names no base: `ssm:/base` is not supported yet: parents are not looked up in the parameter store
        hint: name a managed image as in `debian-server-12`, an image's ARN, an AMI or a disk image's path
    "#]],
    );
    check(
        &["--in", "Debian 12"],
        expect![[r#"
        error: `--in Debian 12` names no base: `Debian 12` is not a parent image: expected an image's ARN, a managed image's name as in `debian-server-12`, or a disk image as in `./base.qcow2`
    "#]],
    );
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
