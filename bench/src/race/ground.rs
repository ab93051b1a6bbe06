//! Where a race runs: a folder for each tool, programs timed, and everything gone afterwards,
//! also what belongs to the users of cells.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cell::{Cells, Ids, Task};
use tempfile::TempDir;

use super::tool::{Input, Line};

/// Not below `/tmp`, which may be memory.
const PARENT: &str = "/var/tmp";

/// How much of its output a failed program is told with.
const LAST_LINES: usize = 5;

/// A folder that is removed at the end of the race, however that ends.
#[derive(Debug)]
pub(super) struct Ground {
    // Emptied first, then removed.
    folder: TempDir,
    cells: Cells,
}

impl Ground {
    /// Makes the folder.
    pub(super) fn new() -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("goldsmith-bench-").permissions(Permissions::from_mode(0o755));
        let folder = builder.tempdir_in(PARENT)?;
        let ids = Ids::of_this_user().map_err(io::Error::other)?;
        let cells = Cells::new(folder.path(), ids)?;
        Ok(Self { folder, cells })
    }

    /// Returns whether root races.
    pub(super) fn is_roots(&self) -> bool {
        self.cells.ids().privileged
    }

    /// Returns the folder of `tool`.
    pub(super) fn of(&self, tool: &str) -> PathBuf {
        self.folder.path().join(tool)
    }

    /// Writes the files of `tool` into its folder, which is made if absent.
    pub(super) fn lay_out(&self, tool: &str, inputs: &[Input]) -> io::Result<()> {
        let folder = self.of(tool);
        fs::create_dir_all(&folder)?;
        for input in inputs {
            let path = folder.join(input.name);
            fs::write(&path, &input.text)?;
            fs::set_permissions(&path, Permissions::from_mode(input.mode))?;
        }
        Ok(())
    }

    /// Removes the folder of `tool`, if it is there.
    pub(super) fn clear(&self, tool: &str) -> io::Result<()> {
        // In a cell, as files may be its users'. What is left is ours.
        let task = Task::Remove { paths: vec![PathBuf::from(tool)] };
        let _ = self.cells.run("clear", task, &mut io::empty());
        match fs::remove_dir_all(self.of(tool)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    /// Runs programs one after the other and returns how long they took
    /// together.
    ///
    /// # Errors
    /// Tells the last lines of the program that failed.
    #[expect(clippy::disallowed_methods, reason = "a benchmark runs programs and reads the clock")]
    pub(super) fn time(&self, tool: &str, lines: &[Line]) -> io::Result<Duration> {
        let log = self.folder.path().join(format!("{tool}.log"));
        let began = Instant::now();
        for line in lines {
            let Some((program, arguments)) = line.split_first() else { continue };
            let output = File::create(&log)?;
            let status = Command::new(program)
                .args(arguments)
                .stdin(Stdio::null())
                .stdout(output.try_clone()?)
                .stderr(output)
                .status()
                .map_err(|error| {
                    io::Error::other(format!("`{program}` does not start: {error}"))
                })?;
            if !status.success() {
                let told = last_lines(&log)?;
                return Err(io::Error::other(format!("`{program}` failed with {status}\n{told}")));
            }
        }
        Ok(began.elapsed())
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        for entry in fs::read_dir(self.folder.path()).into_iter().flatten().flatten() {
            if let Some(tool) = entry.file_name().to_str() {
                // What cannot be removed stays below /var/tmp, where others look after it.
                let _ = self.clear(tool);
            }
        }
    }
}

fn last_lines(log: &Path) -> io::Result<String> {
    let bytes = fs::read(log)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    Ok(lines[lines.len().saturating_sub(LAST_LINES)..].join("\n"))
}

#[cfg(test)]
mod tests {
    use super::Ground;
    use crate::race::tool::Input;

    fn line(script: &str) -> Vec<String> {
        ["sh", "-c", script].map(str::to_owned).to_vec()
    }

    #[test]
    fn a_race_that_fails_leaves_nothing() {
        let ground = Ground::new().unwrap();
        let script = Input { name: "a", text: "true\n".to_owned(), mode: 0o755 };
        ground.lay_out("tool", &[script]).unwrap();
        let folder = ground.of("tool");
        ground.time("tool", &[vec![folder.join("a").to_string_lossy().into_owned()]]).unwrap_err();
        ground.time("tool", &[line(&format!("sh {}/a", folder.display()))]).unwrap();
        let failed = "for n in 1 2 3 4 5 6; do echo $n; done; exit 3";
        let error = ground.time("tool", &[line(failed)]).unwrap_err();
        assert_eq!(error.to_string(), "`sh` failed with exit status: 3\n2\n3\n4\n5\n6");
        drop(ground);
        assert!(!folder.parent().unwrap().exists());
    }
}
