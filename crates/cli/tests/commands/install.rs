//! What `make build` and `make install` leave, as whoever uses it finds it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::{Path, PathBuf};

use expect_test::expect;

use super::{prepared, text};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Installs below `to`, or removes what was installed.
#[track_caller]
fn install(to: &Path, args: &[&str]) {
    let mut command = prepared(root().join("scripts/install").to_str().unwrap(), to);
    command
        .args(args)
        .env("DESTDIR", to)
        .env("PREFIX", "/opt/gold smith")
        .env("GOLDSMITH_BIN", env!("CARGO_BIN_EXE_goldsmith"))
        // Nothing is built here, so whatever is at hand will do.
        .env("GOLDSMITH_AGENT", env!("CARGO_MANIFEST_PATH"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "");
}

/// Returns the files below `folder`, but for the manual pages of commands.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                folders.push(path);
            } else if !name.contains("man1/goldsmith-") {
                found.push(name);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn what_is_installed_works_and_can_be_removed() {
    let to = tempfile::tempdir().unwrap();
    install(to.path(), &[]);
    expect![[r#"
        opt/gold smith/bin/goldsmith
        opt/gold smith/libexec/goldsmith/goldsmith-agent
        opt/gold smith/share/bash-completion/completions/goldsmith
        opt/gold smith/share/fish/vendor_completions.d/goldsmith.fish
        opt/gold smith/share/man/man1/goldsmith.1
        opt/gold smith/share/zsh/site-functions/_goldsmith"#]]
    .assert_eq(&files(to.path()).join("\n"));
    let prefix = to.path().join("opt/gold smith");
    assert!(prefix.join("share/man/man1/goldsmith-build.1").is_file());

    let data = tempfile::tempdir().unwrap();
    let mut gc = prepared(prefix.join("bin/goldsmith").to_str().unwrap(), data.path());
    let output = gc.arg("gc").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));

    install(to.path(), &["--remove"]);
    assert_eq!(files(to.path()), Vec::<String>::new());
    assert!(!prefix.join("share/man/man1/goldsmith-build.1").exists());
    install(to.path(), &["--remove"]);
}

/// The program looks for its agent there, without GOLDSMITH_AGENT.
#[test]
fn make_puts_the_agent_beside_the_program() {
    let mut make = prepared("make", Path::new("/nowhere"));
    // Not those of the make that runs this test.
    make.env_remove("MAKEFLAGS").env_remove("MAKELEVEL");
    make.args(["--dry-run", "--no-print-directory", "build", "CARGO_TARGET_DIR=/t"]);
    let output = make.current_dir(root()).output().unwrap();
    expect![[r#"
        cargo build --locked --package agent --profile agent --target x86_64-unknown-linux-gnu
        cargo build --locked --release --package cli
        install -m 0755 /t/x86_64-unknown-linux-gnu/agent/goldsmith-agent /t/release/
    "#]]
    .assert_eq(&text(&output.stdout));
}
