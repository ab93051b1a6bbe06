//! `scripts/install-packages` where it may not install: what it says to run, and
//! what that finds when it runs. Programs of root's are played by others.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;

use super::{prepared, text};

/// A checkout whose path has a space, with a package that nobody has.
struct Checkout {
    folder: tempfile::TempDir,
}

impl Checkout {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts");
        let own = folder.path().join("gold smith");
        for made in [&own, &folder.path().join("bin")] {
            fs::create_dir(made).unwrap();
        }
        fs::copy(scripts.join("install-packages"), own.join("install-packages")).unwrap();
        fs::write(own.join("packages.txt"), "# what\nsource  x  goldsmith-none  none\n").unwrap();
        let checkout = Self { folder };
        checkout.program("gold smith/apt-install", "printf '%s\\n' \"$PATH\" \"$@\"");
        checkout.program("bin/sudo", "exit 1");
        checkout
    }

    fn program(&self, name: &str, lines: &str) {
        let path = self.folder.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{lines}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Runs `script` in a plain user's path, where `id` tells of `uid`. Its name
    /// is root's, who needs no subordinate ids.
    fn run(&self, script: &str, uid: u32) -> Output {
        self.program("bin/id", &format!("case $1 in -un) echo root ;; *) echo {uid} ;; esac"));
        let mut bash = prepared("bash", self.folder.path());
        let path = format!("{}/bin:/usr/bin:/bin", self.folder.path().display());
        bash.args(["-c", script]).current_dir(&self.folder).env("PATH", path);
        bash.env_remove("SUDO_USER").output().unwrap()
    }
}

#[test]
fn the_one_command_to_run_can_be_run() {
    let checkout = Checkout::new();
    let output = checkout.run("'gold smith/install-packages'", 1000);
    assert_eq!(output.status.code(), Some(6));
    let said = text(&output.stderr);
    assert!(said.starts_with("this machine lacks: goldsmith-none"), "{said}");
    let command = said.lines().last().unwrap().trim();

    checkout.program("bin/su", "printf '%s\\n' \"$@\" && exec sh -c \"$2\"");
    let output = checkout.run(command, 0);
    let folder = checkout.folder.path().canonicalize().unwrap().display().to_string();
    let escaped = format!("{folder}/gold\\ smith/install-packages root");
    let path = format!("{folder}/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin");
    let ran = text(&output.stdout);
    assert_eq!(ran, format!("-c\n{escaped}\n{path}\ngoldsmith-none\n"), "{command}");
}
