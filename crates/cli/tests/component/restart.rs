//! Documents that ask for a restart of this machine.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use expect_test::expect_file;

use crate::bench::{Bench, pretty};

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
    expect_file!["restarts.detailed.json"].assert_eq(&pretty(&bench.detailed()));
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
