//! Parameters, plain and secret.

use std::io::Write as _;
use std::path::Path;
use std::process::{Output, Stdio};

use expect_test::expect;

use super::identity::json;
use super::{fail, prepared, succeed, text};

/// Runs the command with something on its standard input.
fn feed(data: &Path, args: &[&str], input: &str) -> Output {
    let mut child = prepared(env!("CARGO_BIN_EXE_goldsmith"), data)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut stdin = child.stdin.take().expect("the input is a pipe");
    stdin.write_all(input.as_bytes()).expect("the command reads its input");
    drop(stdin);
    child.wait_with_output().expect("the command ends")
}

#[test]
fn values_are_put_and_got() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    assert_eq!(succeed(data, &["--output", "json", "parameter", "list"]), "[]\n");
    fail(data, &["parameter", "get", "/web/port"], 5);
    assert_eq!(std::fs::read_dir(data).unwrap().count(), 0, "looking makes nothing");

    expect![[r#"
        put /web/port, version 1 (String)
    "#]]
    .assert_eq(&succeed(data, &["parameter", "put", "/web/port", "80"]));
    expect![[r#"
        error: failed to record the parameter: the parameter `/web/port` has a value already
        hint: add --overwrite to replace its value
    "#]]
    .assert_eq(&fail(data, &["parameter", "put", "/web/port", "81"], 2));
    expect![[r#"
        error: failed to record the parameter: the parameter `/web/port` is a String, not a StringList
        hint: delete it first if it shall be of another type
    "#]]
    .assert_eq(&fail(
        data,
        &["parameter", "put", "/web/port", "81,82", "--list", "--overwrite"],
        2,
    ));
    succeed(data, &["parameter", "put", "/web/port", "81", "--overwrite"]);
    assert_eq!(succeed(data, &["parameter", "get", "/web/port"]), "81\n");
    let got = json(data, &["parameter", "get", "/web/port"]);
    assert_eq!((&got["value"], &got["version"]), (&"81".into(), &2.into()));
    succeed(data, &["parameter", "put", "hosts", "a,b", "--list"]);
    let listed = json(data, &["parameter", "list"]);
    assert_eq!((&listed[0]["name"], &listed[0]["type"]), (&"/web/port".into(), &"String".into()));
    assert_eq!((&listed[1]["type"], &listed[1]["value"]), (&"StringList".into(), &().into()));
    let table = succeed(data, &["parameter", "list"]);
    assert!(table.contains("/web/port  String      2        just now"), "{table}");

    fail(data, &["parameter", "delete", "hosts"], 2);
    assert_eq!(succeed(data, &["parameter", "delete", "hosts", "--yes"]), "deleted hosts\n");
    fail(data, &["parameter", "delete", "hosts", "--yes"], 5);
    for wrong in [["aws-port", "1"], ["/web/", "1"], ["port", ""], ["port", "{{ ssm:x }}"]] {
        fail(data, &[&["parameter", "put"], &wrong[..]].concat(), 2);
    }
}

#[test]
fn a_secret_comes_from_standard_input_and_is_shown_on_demand() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    let put = ["parameter", "put", "/web/token", "--secure"];
    let output = feed(data, &put, "correct horse\nbattery\n");
    assert_eq!(text(&output.stdout), "put /web/token, version 1 (SecureString)\n");
    expect![[r#"
        error: the value of `/web/token` is a secret
        hint: add --with-decryption to see it
    "#]]
    .assert_eq(&fail(data, &["parameter", "get", "/web/token"], 2));
    let got = succeed(data, &["parameter", "get", "/web/token", "--with-decryption"]);
    assert_eq!(got, "correct horse\nbattery\n");
    for file in std::fs::read_dir(data).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(7).any(|part| part == b"correct"));
    }
    let output = feed(data, &["parameter", "put", "/web/none"], "");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        text(&output.stderr),
        "error: failed to record the parameter: the parameter `/web/none` cannot have the value: \
         the value is empty\n"
    );
}
