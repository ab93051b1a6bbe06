//! A folder with a project, data and results, and what the command says there.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::PathBuf;
use std::process::{Output, Stdio};

use super::prepared;

/// No instance is started, so whatever is at hand will do.
pub(crate) const AGENT: &str = env!("CARGO_BIN_EXE_goldsmith");

/// A folder for a project, data and results.
pub(crate) struct Bench(tempfile::TempDir);

impl Bench {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn project(&self, parent: &str, more: &str) {
        self.write(
            "goldsmith.yaml",
            &format!(
                "recipe:\n  name: web\n  semanticVersion: 1.0.0\n  parentImage: {parent}\n\
                 imageTestsConfiguration:\n  imageTestsEnabled: false\n\
                 distributions:\n  - region: local-1\n{more}"
            ),
        );
    }

    pub(crate) fn run(&self, args: &[&str], agent: &str, stdout: Stdio) -> Output {
        let mut command = prepared(env!("CARGO_BIN_EXE_goldsmith"), &self.data());
        command.args(args).current_dir(&self.0).stdout(stdout).stderr(Stdio::piped());
        command.env("GOLDSMITH_AGENT", agent).spawn().unwrap().wait_with_output().unwrap()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    /// Makes a project whose parent has no partitions, so that building it fails
    /// at its first step.
    pub(crate) fn project_without_disk(&self) {
        self.write("disk.raw", "no disk");
        // Printed by sha256sum.
        let digest = "db0223176f75c41d311f11aa90dcffbf8f080ef7fd84ad7e1f195465d659b788";
        self.project("./disk.raw", &format!("goldsmith:\n  parentImageSha256: {digest}\n"));
    }
}
