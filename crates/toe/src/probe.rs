//! Answers what conditions ask about this machine.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::Path;

use document::{Algorithm, Condition, Probe};
use rustix::fs::{Access, access};

use crate::Machine;
use crate::action::ActionError;
use crate::digest;
use crate::limit::Limit;
use crate::process::PATH;

/// Looks at a machine, as long as `limit` lets it.
pub(crate) struct Senses<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) limit: Limit,
}

impl Senses<'_> {
    /// Says whether `condition` holds.
    pub(crate) fn holds(&self, condition: &Condition) -> Result<bool, ActionError> {
        let found = condition.evaluate(self);
        // A digest that came to no end counts as none, and says nothing.
        self.limit.check()?;
        Ok(found?)
    }
}

impl Probe for Senses<'_> {
    fn binary_exists(&self, name: &str) -> bool {
        if name.contains('/') {
            return is_program(&self.machine.path(name));
        }
        !name.is_empty() && is_on(self.machine.search_path(), name)
    }

    fn file_exists(&self, path: &str) -> bool {
        self.machine.path(path).is_file()
    }

    fn folder_exists(&self, path: &str) -> bool {
        self.machine.path(path).is_dir()
    }

    fn file_digest(&self, path: &str, algorithm: Algorithm) -> Option<String> {
        let path = self.machine.path(path);
        // Anything but a file may have no end, or never begin.
        if !fs::metadata(&path).ok()?.is_file() {
            return None;
        }
        digest::of(&mut self.limit.reader(File::open(path).ok()?), algorithm).ok()
    }
}

/// Returns whether a program called `name` is on the search path of steps.
pub(crate) fn find_program(name: &str) -> bool {
    !name.is_empty() && is_on(OsStr::new(PATH), name)
}

fn is_on(search_path: &OsStr, name: &str) -> bool {
    std::env::split_paths(search_path).any(|folder| is_program(&folder.join(name)))
}

fn is_program(path: &Path) -> bool {
    path.is_file() && access(path, Access::EXEC_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cause::chain;
    use crate::clock::Deadline;

    #[test]
    fn only_what_is_there_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let machine = Machine {
            scratch: folder.path().join("scratch"),
            folder: folder.path().to_owned(),
            ..Machine::default()
        };
        let limit = Limit::new(Deadline::after(None), &machine.stop);
        let machine = Senses { machine: &machine, limit };
        fs::write(folder.path().join("some-file"), "abc").unwrap();
        assert!(machine.binary_exists("sh"));
        assert!(machine.binary_exists("/bin/sh"));
        for absent in ["", "no-such-program", "/etc/passwd", "some-file", "/bin"] {
            assert!(!machine.binary_exists(absent), "{absent}");
        }
        assert!(machine.file_exists("some-file") && !machine.file_exists("."));
        assert!(machine.folder_exists("/") && !machine.folder_exists("some-file"));
        let md5 = machine.file_digest("some-file", Algorithm::Md5);
        assert_eq!(md5.as_deref(), Some("900150983cd24fb0d6963f7d28e17f72"));
        assert_eq!(machine.file_digest("/dev/zero", Algorithm::Md5), None);
        assert_eq!(machine.file_digest("absent", Algorithm::Md5), None);
    }

    #[test]
    fn nothing_is_said_when_time_is_up() {
        let machine = Machine::default();
        let limit = Limit::new(Deadline::after(Some(Duration::ZERO)), &machine.stop);
        let senses = Senses { machine: &machine, limit };
        assert_eq!(senses.file_digest("/etc/passwd", Algorithm::Sha256), None);
        let condition = Condition::FileExists("/etc/passwd".into());
        assert_eq!(chain(&senses.holds(&condition).unwrap_err()), "its time is up");
    }
}
