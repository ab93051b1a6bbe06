//! A folder to run documents in, and what the command says there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A folder to run documents in.
pub(crate) struct Bench(TempDir);

impl Bench {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Copies a document of this folder's; `FOLDER` in it means the bench.
    pub(crate) fn document(&self, name: &str) -> PathBuf {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/component").join(name);
        let text = fs::read_to_string(from).unwrap();
        self.write(name, &text.replace("FOLDER", &self.path().to_string_lossy()))
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.goldsmith();
        command.arg("component").args(args);
        command
    }

    #[expect(clippy::disallowed_methods, reason = "the command under test is a program")]
    pub(crate) fn goldsmith(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_goldsmith"));
        command.current_dir(self.path());
        command.env("TZ", "UTC").env_remove("GOLDSMITH_AGENT").stdin(Stdio::null());
        // A runner that is killed leaves its scratch folder.
        command.env("TMPDIR", self.path());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs the command, which must end with `code`; returns its JSON, with
    /// what differs from time to time made the same.
    #[track_caller]
    pub(crate) fn json(&self, args: &[&str], code: i32) -> Value {
        let output = self.run(args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        let mut value = serde_json::from_slice(&output.stdout).unwrap();
        self.normalise(&mut value);
        value
    }

    /// Returns the only log folder.
    pub(crate) fn log(&self) -> PathBuf {
        let entries = fs::read_dir(self.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut folders = entries.filter(|path| path.to_string_lossy().contains("/TOE_"));
        let folder = folders.next().unwrap();
        assert_eq!(folders.next(), None, "one log folder is expected");
        folder
    }

    pub(crate) fn detailed(&self) -> Value {
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

/// Returns a value as it is kept beside the tests.
pub(crate) fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap() + "\n"
}

/// Returns a document with one step.
pub(crate) fn one_step(commands: &str) -> String {
    format!(
        "schemaVersion: 1.0\nphases:\n  - name: build\n    steps:\n      - name: Say\n        \
         action: ExecuteBash\n        inputs: {{commands: ['{commands}']}}\n"
    )
}
