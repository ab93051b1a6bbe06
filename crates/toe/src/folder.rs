//! The folder that an execution leaves its logs in, as AWS's runner lays it out
//! (reference §2.9). Everything is written as it happens.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

use crate::Record;
use crate::clock::now;

/// A log folder, open for writing.
#[derive(Debug)]
pub struct LogFolder {
    path: PathBuf,
    console: File,
    application: File,
    pace: Pace,
}

/// A log folder cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write the log {}", path.display())]
pub struct LogFolderError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl LogFolder {
    /// Makes the folder of an execution that begins at `at`, in microseconds
    /// since 1970, below `parent`, which is made when absent. Nobody but this
    /// user can read it.
    pub fn create(parent: &Path, execution_id: &str, at: i64) -> Result<Self, LogFolderError> {
        let path = parent.join(name(execution_id, at));
        let made = fs::create_dir_all(parent)
            .and_then(|()| DirBuilder::new().mode(0o700).create(&path))
            .and_then(|()| fs::canonicalize(&path));
        match made {
            Ok(path) => Self::open(&path),
            Err(source) => Err(LogFolderError { path, source }),
        }
    }

    /// Opens the folder of an execution that goes on.
    pub fn open(path: &Path) -> Result<Self, LogFolderError> {
        let append = |name: &str| {
            let path = path.join(name);
            let opened = private().append(true).open(&path);
            opened.map_err(|source| LogFolderError { path, source })
        };
        Ok(Self {
            console: append("console.log")?,
            application: append("application.log")?,
            path: path.to_owned(),
            pace: Pace::default(),
        })
    }

    /// Returns the folder's path, which is absolute.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps the text of document `n`, counted from 0: the first as
    /// `document.yaml`, the next as `document-2.yaml`.
    pub fn keep_document(&self, n: usize, text: &str) -> Result<(), LogFolderError> {
        let name = match n {
            0 => "document.yaml".to_owned(),
            n => format!("document-{}.yaml", n + 1),
        };
        self.replace(&name, text.as_bytes())
    }

    /// Keeps `value` as `chaining.json`.
    pub fn keep_chaining(&self, value: &impl Serialize) -> Result<(), LogFolderError> {
        self.replace("chaining.json", &pretty(value))
    }

    /// Keeps the record as `detailedoutput.json`, unless that took too much
    /// of the time since the last change: a later one brings it up to date.
    pub fn keep_record_soon(&mut self, record: &Record) -> Result<(), LogFolderError> {
        if self.pace.may_write() { self.keep_record(record) } else { Ok(()) }
    }

    /// Keeps the record as `detailedoutput.json`.
    pub fn keep_record(&mut self, record: &Record) -> Result<(), LogFolderError> {
        self.pace.begin();
        let written = self.replace("detailedoutput.json", &pretty(record));
        self.pace.end();
        written
    }

    /// Adds a line to `console.log`. It is with the kernel when this returns,
    /// so a killed runner has lost nothing.
    pub fn add_output(&mut self, line: &str) -> Result<(), LogFolderError> {
        add(&mut self.console, line)
            .map_err(|source| LogFolderError { path: self.path.join("console.log"), source })
    }

    /// Adds a line to `application.log`, dated `at`.
    pub fn add_note(&mut self, at: i64, text: &str) -> Result<(), LogFolderError> {
        let time = Timestamp::from_microsecond(at).unwrap_or_default();
        add(&mut self.application, &format!("{time:.6} {text}"))
            .map_err(|source| LogFolderError { path: self.path.join("application.log"), source })
    }

    /// Writes a file whole or not at all.
    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), LogFolderError> {
        let path = self.path.join(name);
        let partial = self.path.join(format!(".{name}.partial"));
        let written = private()
            .write(true)
            .truncate(true)
            .open(&partial)
            .and_then(|mut file| file.write_all(bytes))
            .and_then(|()| fs::rename(&partial, &path));
        written.map_err(|source| LogFolderError { path, source })
    }
}

/// Keeps what grows with every step from being written with every step: as
/// long as was spent on writing, nothing is written.
#[derive(Debug, Default)]
struct Pace {
    began: Option<std::time::Instant>,
    ended: Option<std::time::Instant>,
}

impl Pace {
    fn begin(&mut self) {
        self.began = Some(now());
    }

    fn end(&mut self) {
        self.ended = Some(now());
    }

    fn may_write(&self) -> bool {
        let (Some(began), Some(ended)) = (self.began, self.ended) else { return true };
        ended.elapsed() >= ended.duration_since(began)
    }
}

fn name(execution_id: &str, at: i64) -> String {
    let time = Timestamp::from_microsecond(at).unwrap_or_default();
    format!("TOE_{}_UTC-0_{execution_id}", time.strftime("%Y-%m-%d_%H-%M-%S"))
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).mode(0o600);
    options
}

fn pretty(value: &impl Serialize) -> Vec<u8> {
    let mut bytes =
        serde_json::to_vec_pretty(value).expect("records hold text keys and plain values");
    bytes.push(b'\n');
    bytes
}

fn add(file: &mut File, line: &str) -> io::Result<()> {
    file.write_all(format!("{line}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// 2023-11-14T22:13:20Z.
    const AT: i64 = 1_700_000_000_000_000;

    #[test]
    fn the_folder_is_private_and_grows_as_things_happen() {
        let parent = tempfile::tempdir().unwrap();
        let below = parent.path().join("made/now");
        let mut folder = LogFolder::create(&below, "some-id", AT).unwrap();
        let path = below.join("TOE_2023-11-14_22-13-20_UTC-0_some-id");
        assert_eq!(folder.path(), fs::canonicalize(&path).unwrap());
        folder.add_output("one").unwrap();
        folder.add_note(AT, "it began").unwrap();
        folder.keep_document(0, "a: 1\n").unwrap();
        folder.keep_document(1, "b: 1\n").unwrap();
        folder.keep_record(&Record::new("some-id", AT)).unwrap();
        folder.keep_chaining(&[1]).unwrap();
        drop(folder);
        LogFolder::open(&path).unwrap().add_output("two").unwrap();

        let read = |name: &str| fs::read_to_string(path.join(name)).unwrap();
        assert_eq!(read("console.log"), "one\ntwo\n");
        assert_eq!(read("application.log"), "2023-11-14T22:13:20.000000Z it began\n");
        assert_eq!(read("document-2.yaml"), "b: 1\n");
        assert!(read("detailedoutput.json").contains("\"status\": \"running\""));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o700);
        let mut names: Vec<_> =
            fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert!(names.iter().all(|name| mode(&path.join(name)) == 0o600));
        assert_eq!(
            names,
            [
                "application.log",
                "chaining.json",
                "console.log",
                "detailedoutput.json",
                "document-2.yaml",
                "document.yaml",
            ]
        );
        assert!(LogFolder::create(&below, "some-id", AT).is_err(), "it is there already");
    }
}
