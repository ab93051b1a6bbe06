//! `ExecuteBash`: runs commands as one script of `/bin/bash`.

use std::fs::{DirBuilder, OpenOptions, remove_dir_all};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use document::ExecuteBash;

use super::{ActionError, Bench, Done, settle};
use crate::process::Program;

const BASH: &str = "/bin/bash";

/// A script could not be run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BashError {
    #[error("exit code 127: {BASH} is not installed on this machine")]
    NoBash,
    #[error("failed to write the script below `{folder}`")]
    Write { folder: PathBuf, source: io::Error },
}

pub(crate) fn perform(inputs: &ExecuteBash, bench: &mut Bench<'_>) -> Result<Done, ActionError> {
    if !Path::new(BASH).exists() {
        return Err(BashError::NoBash.into());
    }
    let folder = &bench.machine.scratch;
    let script = Script::write(folder, &inputs.commands)
        .map_err(|source| BashError::Write { folder: folder.clone(), source })?;
    let path = script.folder.join(Script::NAME).to_string_lossy().into_owned();
    let program = Program { name: BASH.to_owned(), arguments: vec![path], environment: &[] };
    settle(bench.run(&program)?)
}

/// A script in a folder of its own, which is removed in the end.
struct Script {
    folder: PathBuf,
}

impl Script {
    const NAME: &str = "input.sh";

    fn write(scratch: &Path, commands: &[String]) -> io::Result<Self> {
        let mut private = DirBuilder::new();
        private.mode(0o700);
        private.recursive(true).create(scratch)?;
        let folder = claim(scratch, private.recursive(false))?;
        let script = Self { folder };
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o700)
            .open(script.folder.join(Self::NAME))?;
        for command in commands {
            writeln!(file, "{command}")?;
        }
        Ok(script)
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        // What cannot be removed is in a folder for temporary files anyway.
        let _left_behind = remove_dir_all(&self.folder);
    }
}

/// Makes a folder with a name that nobody has taken.
fn claim(scratch: &Path, private: &DirBuilder) -> io::Result<PathBuf> {
    let mut number = 0_u32;
    loop {
        let folder = scratch.join(format!("step-{number}"));
        match private.create(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < u32::MAX => {
                number += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn scripts_are_private_and_do_not_stay() {
        let scratch = tempfile::tempdir().unwrap();
        let below = scratch.path().join("run");
        let first = Script::write(&below, &["one".into(), "two\nthree".into()]).unwrap();
        let second = Script::write(&below, &[]).unwrap();
        assert_ne!(first.folder, second.folder);
        let path = first.folder.join(Script::NAME);
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\nthree\n");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&below), mode(&first.folder), mode(&path)), (0o700, 0o700, 0o700));
        drop((first, second));
        assert_eq!(fs::read_dir(&below).unwrap().count(), 0);
    }
}
