//! The command as its users see it: output, exit codes and help. Builds have
//! tests of their own.

#[path = "commands/bench.rs"]
mod bench;
#[path = "commands/identity.rs"]
mod identity;
#[path = "commands/install.rs"]
mod install;
#[path = "commands/packages.rs"]
mod packages;
#[path = "commands/parameter.rs"]
mod parameter;
#[path = "commands/results.rs"]
mod results;
#[path = "commands/serve.rs"]
mod serve;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use expect_test::{expect, expect_file};
use model::ImageState;
use name::RunId;
use store::{Db, StoreError, run};
use tempfile::TempDir;

use bench::{AGENT, Bench};

/// Runs the command over a data folder.
fn goldsmith(data: &Path, args: &[&str]) -> Output {
    let mut command = prepared(env!("CARGO_BIN_EXE_goldsmith"), data);
    command.args(args).output().expect("the command starts")
}

/// Returns a program that finds its data in a folder.
fn prepared(program: &str, data: &Path) -> Command {
    #[expect(clippy::disallowed_methods, reason = "the command under test is a program")]
    let mut command = Command::new(program);
    command
        .env("GOLDSMITH_DATA_DIR", data)
        .env("TZ", "UTC")
        .env_remove("COLUMNS")
        .env_remove("GOLDSMITH_AGENT");
    command
}

#[track_caller]
fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("the command prints text")
}

/// Runs the command and expects it to succeed; returns what it printed.
#[track_caller]
fn succeed(data: &Path, args: &[&str]) -> String {
    let output = goldsmith(data, args);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// Runs the command and expects it to fail; returns what it said.
#[track_caller]
fn fail(data: &Path, args: &[&str], code: i32) -> String {
    let output = goldsmith(data, args);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "");
    text(&output.stderr)
}

/// A data folder with one build, which failed.
fn with_failed_build() -> TempDir {
    let data = tempfile::tempdir().expect("there is room for a folder");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let recorded = record_failed_build(data.path());
    runtime.expect("a runtime starts").block_on(recorded).expect("a new catalogue takes a run");
    data
}

async fn record_failed_build(data: &Path) -> Result<(), StoreError> {
    let db = Db::open(&data.join("goldsmith.db")).await?;
    let new = run::NewRun {
        id: RunId::from_random([0x12; 8]),
        image: "web".to_owned(),
        version: "1.0.0".parse().expect("this is a version"),
        project: "examples/web".to_owned(),
        recipe: serde_json::json!({ "name": "Web" }),
        work: "run-01212121212121212".to_owned(),
        owner: "owner".to_owned(),
        started_at: 1_700_000_000_000_000,
        shown: store::image::New::of(
            "000000000000".parse().expect("this is an account"),
            "local-1".parse().expect("this is a region"),
            "Web",
        ),
    };
    let run = run::create(&db, new).await?;
    let reason = "component nginx: exit code 100\nE: no such package";
    run::advance(&db, run.id, ImageState::Failed, reason, 1_700_000_012_300_000).await?;
    db.close().await;
    Ok(())
}

#[test]
fn every_command_explains_itself() {
    let data = tempfile::tempdir().unwrap();
    let commands = [
        "account",
        "build",
        "component",
        "images",
        "show",
        "logs",
        "run",
        "export",
        "delete",
        "env",
        "serve",
        "gc",
        "key",
        "parameter",
        "doctor",
        "schema",
        "completion",
        "man",
    ];
    let whole = succeed(data.path(), &["--help"]);
    expect_file!["help/goldsmith.txt"].assert_eq(&whole);
    for command in ["run", "validate"] {
        let help = succeed(data.path(), &["component", command, "--help"]);
        expect_file![format!("help/component-{command}.txt")].assert_eq(&help);
    }
    for command in commands {
        assert!(whole.contains(&format!("\n  {command} ")), "{command} is not listed");
        let help = succeed(data.path(), &[command, "--help"]);
        expect_file![format!("help/{command}.txt")].assert_eq(&help);
    }
    let listed = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/help")).unwrap();
    assert_eq!(listed.count(), commands.len() + 3, "a help text has no command");
}

#[test]
fn schemas_scripts_and_manual_pages_are_printed() {
    let data = tempfile::tempdir().unwrap();
    for kind in ["project", "component"] {
        let schema = succeed(data.path(), &["schema", kind]);
        let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
        assert!(schema["$schema"].as_str().unwrap().contains("json-schema.org"), "{kind}");
    }
    assert!(succeed(data.path(), &["completion", "bash"]).contains("_goldsmith"));
    let folder = data.path().join("man");
    succeed(data.path(), &["man", folder.to_str().unwrap()]);
    for page in ["goldsmith.1", "goldsmith-build.1", "goldsmith-export.1"] {
        assert!(folder.join(page).is_file(), "{page}");
    }
}

#[test]
fn a_wrong_project_is_refused_before_anything_starts() {
    let data = tempfile::tempdir().unwrap();
    let project = tempfile::tempdir().unwrap();
    let file = project.path().join("goldsmith.yaml");
    fs::write(
        &file,
        "recipe:\n  name: web\n  semanticVersion: 1.0.0\n  parentImage: debian-server-99\n  \
         components:\n    - componentArn: no-such-component\n    - componentArn: missing.yaml\n\
         distributions:\n  - region: local-1\n",
    )
    .unwrap();
    let data = data.path().join("data");
    let said = fail(&data, &["build", project.path().to_str().unwrap()], 2);
    expect![[r#"
        error[no-such-image]: there is no managed image `debian-server-99`
         --> PROJECT/goldsmith.yaml:4:16
          |
        4 |   parentImage: debian-server-99
          |                ^^^^^^^^^^^^^^^^
          = help: the managed images are debian-minimal-12, debian-minimal-13, debian-server-12, debian-server-13

        error[no-such-component]: there is no component `no-such-component`
         --> PROJECT/goldsmith.yaml:6:21
          |
        6 |     - componentArn: no-such-component
          |                     ^^^^^^^^^^^^^^^^^
          = help: the managed components are harden-linux, harden-linux-test, reboot-linux, simple-boot-test-linux, update-linux; a document of your own is named by its path

        error[no-such-file]: failed to read PROJECT/missing.yaml: No such file or directory (os error 2)
         --> PROJECT/goldsmith.yaml:7:21
          |
        7 |     - componentArn: missing.yaml
          |                     ^^^^^^^^^^^^

        error: the project has 3 problems
    "#]].assert_eq(&said.replace(project.path().to_str().unwrap(), "PROJECT"));
    assert!(!data.exists());

    fs::write(&file, said.replace('\n', " ")).unwrap();
    fail(&data, &["build", file.to_str().unwrap()], 2);
    let nowhere = fail(&data, &["build", "/nowhere"], 2);
    expect![[r#"
        error: failed to read /nowhere: No such file or directory (os error 2)
        hint: name a folder with a goldsmith.yaml, or such a file; `goldsmith schema project` tells what it may hold
    "#]].assert_eq(&nowhere);
    assert!(!data.exists());
}

#[test]
fn what_is_not_there_is_told() {
    let data = tempfile::tempdir().unwrap();
    let some = with_failed_build();
    for data in [data.path(), some.path()] {
        let ami = "ami-00123456789abcdef";
        for args in [
            &["show", "mail"][..],
            &["logs", "mail/1.0.0/1"],
            &["delete", "run-0ff", "--yes"],
            &["export", ami, "--format", "raw", "disk"],
            &["run", ami],
        ] {
            let said = fail(data, args, 5);
            assert!(said.starts_with("error: there is no "), "{said}");
            assert!(said.ends_with("hint: `goldsmith images` lists what there is\n"), "{said}");
        }
    }
    fail(data.path(), &["show", "not/an/image"], 2);
    assert_eq!(succeed(data.path(), &["--output", "json", "images"]), "[]\n");
    assert_eq!(fs::read_dir(data.path()).unwrap().count(), 0, "looking makes nothing");
}

#[test]
fn a_failed_build_can_be_looked_at_and_deleted() {
    let data = with_failed_build();
    let data = data.path();
    let images = succeed(data, &["images"]);
    assert!(images.contains("web/1.0.0/1  FAILED"), "{images}");
    expect![[r#"
        Image    web/1.0.0/1
        Run      run-01212121212121212
        State    FAILED
        Recipe   Web
        Project  examples/web
        Begun    2023-11-14 22:13:20
        Took     12.3 s

        Reason
          component nginx: exit code 100
          E: no such package
    "#]]
    .assert_eq(&succeed(data, &["show", "web"]));
    expect![[r#"
        error: the image web/1.0.0/1 is FAILED
        hint: `goldsmith show` tells why
    "#]]
    .assert_eq(&fail(data, &["export", "web", "--format", "qcow2", "disk"], 5));
    expect![[r#"
        error: web/1.0.0/1 is not deleted without being asked: there is no terminal
        hint: add --yes if it shall be deleted
    "#]]
    .assert_eq(&fail(data, &["delete", "web"], 2));

    expect![[r#"
        deleted web/1.0.0/1
    "#]]
    .assert_eq(&succeed(data, &["delete", "run-0121", "--yes"]));
    let listed = succeed(data, &["--output", "json", "images"]);
    assert_eq!(listed, "[]\n");
    let listed = succeed(data, &["--output", "json", "images", "--all"]);
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed[0]["state"], "DELETED");
    assert_eq!(listed[0]["dateCreated"], "2023-11-14T22:13:20Z");
    let shown = succeed(data, &["--output", "json", "show", "web/1.0.0/1"]);
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["recipe"]["name"], "Web");
}

/// Who was killed in `goldsmith run` leaves a whole disk.
#[test]
fn what_killed_machines_left_is_removed_by_the_next_build() {
    let bench = Bench::new();
    bench.project_without_disk();
    let left = bench.data().join("machines/1234");
    fs::create_dir_all(&left).unwrap();
    fs::write(left.join("disk.raw"), "disk").unwrap();
    let output = bench.run(&["build"], AGENT, Stdio::piped());
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert!(!left.exists());
}

#[test]
fn the_agent_is_asked_for_by_name() {
    let data = tempfile::tempdir().unwrap();
    #[expect(clippy::disallowed_methods, reason = "the command under test is a program")]
    let output = Command::new(env!("CARGO_BIN_EXE_goldsmith"))
        .args(["gc", "--data-dir"])
        .arg(data.path())
        .env("GOLDSMITH_AGENT", "/nowhere/goldsmith-agent")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(6));
    expect![[r#"
        error: the agent goldsmith-agent is not at /nowhere/goldsmith-agent
        hint: run `make build` in Goldsmith's source, or set GOLDSMITH_AGENT to its path
    "#]]
    .assert_eq(&text(&output.stderr));
}
