//! A run's log: one JSON object a line, written as things happen.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::private;

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// When, in microseconds since 1970.
    pub at: i64,
    /// The run's step it belongs to.
    pub label: String,
    /// The document's phase and step, where it comes from one.
    pub place: Option<(String, String)>,
    /// The text, without control characters.
    pub text: String,
}

/// A log could not be written or read.
#[derive(Debug, thiserror::Error)]
#[error("failed to keep the log {}", path.display())]
pub struct LogError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// Where the logs of all runs are, below the data folder.
const LOGS: &str = "logs";

/// How many bytes of the log a step of a run may fill.
const STEP_ROOM: usize = 64 << 20;

/// Appends to a run's log.
#[derive(Debug)]
pub(crate) struct Log {
    file: File,
    path: PathBuf,
    /// How many bytes the step may still add; none once its log was cut.
    room: Option<usize>,
}

impl Log {
    /// Begins the log of the run whose folder is `run`, or goes on with that of an earlier attempt.
    pub(crate) fn create(data: &Path, run: &str) -> Result<Self, LogError> {
        let path = path(data, run);
        let open = || {
            private::take_folder(&data.join(LOGS))?;
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            let mut file = private::append(&path)?;
            end_line(&mut file)?;
            Ok(file)
        };
        match open() {
            Ok(file) => Ok(Self { file, path, room: Some(STEP_ROOM) }),
            Err(source) => Err(LogError { path, source }),
        }
    }

    /// Gives the step that begins now as much room as any has.
    pub(crate) fn begin_step(&mut self) {
        self.room = Some(STEP_ROOM);
    }

    /// Adds a line. It is with the kernel when this returns, so that a killed
    /// factory has lost nothing.
    ///
    /// Where the step has filled its room, the log says so, once, and has no
    /// more of it: a program that writes without end must not fill the disk.
    pub(crate) fn add(&mut self, line: &Line) -> Result<(), LogError> {
        let Some(room) = self.room else { return Ok(()) };
        let mut text = json(line);
        self.room = room.checked_sub(text.len());
        if self.room.is_none() {
            let mib = STEP_ROOM >> 20;
            let word = format!("the log of this step is cut here: it has more than {mib} MiB");
            text = json(&Line { text: word, ..line.clone() });
        }
        let written = self.file.write_all(&text);
        written.map_err(|source| LogError { path: self.path.clone(), source })
    }
}

fn json(line: &Line) -> Vec<u8> {
    let mut text = serde_json::to_vec(line).expect("lines hold only what JSON can");
    text.push(b'\n');
    text
}

/// Returns the lines of the log of a run, by the name of its work folder: none if it has not begun.
/// Lines that a crash or a full disk cut short are left out, wherever they are.
pub fn read_log(data: &Path, work: &str) -> Result<impl Iterator<Item = Line> + use<>, LogError> {
    let path = path(data, work);
    let file = match File::open(&path) {
        Ok(file) => Some(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(source) => return Err(LogError { path, source }),
    };
    // As bytes: a line may be cut within a character.
    let lines = file.into_iter().flat_map(|file| BufReader::new(file).split(b'\n'));
    let lines = lines.map_while(Result::ok);
    Ok(lines.filter_map(|line| serde_json::from_slice(&line).ok()))
}

/// Ends a last line that a crash cut short, so that the next one is apart from it.
fn end_line(file: &mut File) -> io::Result<()> {
    let mut last = [b'\n'];
    if file.metadata()?.len() > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    if last == *b"\n" { Ok(()) } else { file.write_all(b"\n") }
}

fn path(data: &Path, run: &str) -> PathBuf {
    data.join(LOGS).join(run).join("log.jsonl")
}

/// Returns what a component wrote, fit for a terminal: no control characters,
/// and of a line that redraws itself only its last state.
pub fn clean(text: &str) -> String {
    let text = text.trim_end_matches(['\r', '\n']);
    let last = text.rsplit('\r').next().unwrap_or(text);
    last.chars().map(|c| if c == '\t' { ' ' } else { c }).filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn lines_come_back_and_a_torn_one_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let line = Line {
            at: 1,
            label: "build nginx".to_owned(),
            place: Some(("build".to_owned(), "Install".to_owned())),
            text: "ok".to_owned(),
        };
        let mut log = Log::create(dir.path(), "r").unwrap();
        log.add(&line).unwrap();
        log.file.write_all("{\"at\":2,\"label\":\"é".as_bytes().split_last().unwrap().1).unwrap();
        assert_eq!(read_log(dir.path(), "r").unwrap().next().as_ref(), Some(&line));
        assert_eq!(read_log(dir.path(), "r").unwrap().count(), 1);
        assert_eq!(read_log(dir.path(), "other").unwrap().count(), 0);

        // Another attempt goes on after the torn line.
        let again = Line { at: 3, ..line.clone() };
        Log::create(dir.path(), "r").unwrap().add(&again).unwrap();
        assert_eq!(read_log(dir.path(), "r").unwrap().collect::<Vec<_>>(), [line, again]);
    }

    /// Also in a folder of an earlier version, which everybody could read.
    #[test]
    fn logs_are_for_their_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let logs = dir.path().join(LOGS);
        fs::create_dir(&logs).unwrap();
        fs::set_permissions(&logs, fs::Permissions::from_mode(0o755)).unwrap();
        Log::create(dir.path(), "r").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&logs), mode(&path(dir.path(), "r"))), (0o700, 0o600));
    }

    #[test]
    fn a_step_cannot_fill_the_disk_with_its_log() {
        let dir = tempfile::tempdir().unwrap();
        let (label, text) = ("build".to_owned(), "y".repeat(1 << 10));
        let line = Line { at: 1, label, place: None, text };
        let mut log = Log::create(dir.path(), "r").unwrap();
        assert_eq!(log.room, Some(STEP_ROOM));
        log.room = Some(5 << 10);
        for _ in 0..9 {
            log.add(&line).unwrap();
        }
        let last = read_log(dir.path(), "r").unwrap().last().unwrap();
        assert_eq!(last.text, "the log of this step is cut here: it has more than 64 MiB");
        assert_eq!(read_log(dir.path(), "r").unwrap().count(), 5);

        log.begin_step();
        let next = Line { label: "create image".to_owned(), text: "made".to_owned(), ..line };
        log.add(&next).unwrap();
        assert_eq!(read_log(dir.path(), "r").unwrap().last(), Some(next));
    }

    #[test]
    fn terminals_are_safe_from_components() {
        assert_eq!(clean("10%\r50%\r100%\r\n"), "100%");
        assert_eq!(clean("\u{1b}[31mred\tx\u{7}"), "[31mred x");
    }
}
