//! The stream between the factory and the agent in a machine.
//!
//! Threads do the reading and writing, so that a machine that hangs, floods or
//! dies never keeps the factory from hearing of a deadline or a cancellation.

use std::io::{BufReader, Write};
use std::path::PathBuf;
use std::process::{ChildStdin, ChildStdout};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use cell::{Cell, Folder};
use channel::{Event, LineError, Lines, Request, write_line};

use crate::conversation::{ExecuteError, Watch};

use super::{file, now, tail};

/// How often the watcher is asked whether to go on.
const TICK: Duration = Duration::from_millis(100);

/// How many events wait for the factory before the machine has to.
const BACKLOG: usize = 256;

/// What a console may write, in bytes; a machine could fill the host's disk.
const CONSOLE_LIMIT: u64 = 256 << 20;

/// A machine's process and its agent's stream.
#[derive(Debug)]
pub(super) struct Link {
    cell: Cell,
    requests: Sender<Vec<u8>>,
    events: Receiver<Result<Event, LineError>>,
    complaints: Option<JoinHandle<Vec<u8>>>,
    data: Folder,
    console: PathBuf,
}

impl Link {
    /// Talks to the agent over the standard streams of `cell`, whose machine
    /// writes its console to the file `console` of the data folder.
    pub(super) fn new(mut cell: Cell, data: Folder, console: PathBuf) -> Self {
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (cell.stdin.take(), cell.stdout.take(), cell.stderr.take())
        else {
            unreachable!("the cell was spawned with pipes");
        };
        let complaints = std::thread::spawn(move || tail::read(stderr));
        Self {
            cell,
            requests: speaker(stdin),
            events: listener(stdout),
            complaints: Some(complaints),
            data,
            console,
        }
    }

    /// Sends a request, without waiting for the machine to take it.
    pub(super) fn say(&self, request: &Request) {
        let mut line = Vec::new();
        write_line(&mut line, request).expect("requests hold only what JSON can, in memory");
        // The speaker is gone when the machine is, which `hear` tells better.
        let _ = self.requests.send(line);
    }

    /// Returns the next event, or `None` when `deadline` has passed.
    pub(super) fn hear(
        &mut self,
        deadline: Option<Instant>,
        watch: &dyn Watch,
    ) -> Result<Option<Event>, ExecuteError> {
        loop {
            if watch.cancelled() {
                return Err(ExecuteError::Cancelled);
            }
            if deadline.is_some_and(|deadline| now() >= deadline) {
                return Ok(None);
            }
            // Also while it talks: one may keep the other company.
            if file::size(&self.data, &self.console) > CONSOLE_LIMIT {
                return Err(self.died("the machine's console does not stop writing"));
            }
            match self.events.recv_timeout(TICK) {
                Ok(event) => return event.map(Some).map_err(ExecuteError::Stream),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    self.cell.finish();
                    let what = match self.cell.try_wait() {
                        Ok(Some(status)) if status.success() => "it powered off".to_owned(),
                        Ok(Some(status)) => format!("QEMU ended with {status}"),
                        Ok(None) | Err(_) => "QEMU closed the agent's stream".to_owned(),
                    };
                    return Err(self.died(&what));
                }
            }
        }
    }

    /// Ends the machine and returns the error that tells `what` happened and
    /// the last words of QEMU and of the console.
    pub(super) fn died(&mut self, what: &str) -> ExecuteError {
        self.cell.kill();
        let complaints = self.complaints.take().map(JoinHandle::join);
        let complaints = complaints.and_then(Result::ok).unwrap_or_default();
        let console = file::end(&self.data, &self.console, tail::BYTES as u64);
        ExecuteError::Died(report(what, &tail::lines(&complaints), &tail::lines(&console)))
    }
}

fn report(what: &str, complaints: &[String], console: &[String]) -> String {
    let mut report = what.to_owned();
    if !complaints.is_empty() {
        report = format!("{report}: {}", complaints.join("; "));
    }
    if !console.is_empty() {
        report = format!("{report}; its console ends with:\n{}", console.join("\n"));
    }
    report
}

/// Starts a thread that writes what it is sent, and ends with the machine or
/// the sender.
fn speaker(mut stdin: ChildStdin) -> Sender<Vec<u8>> {
    let (sender, lines) = mpsc::channel::<Vec<u8>>();
    std::thread::spawn(move || {
        for line in lines {
            if stdin.write_all(&line).is_err() {
                return;
            }
        }
    });
    sender
}

/// Starts a thread that reads events, and ends with the machine or the receiver.
fn listener(stdout: ChildStdout) -> Receiver<Result<Event, LineError>> {
    let (sender, events) = mpsc::sync_channel(BACKLOG);
    std::thread::spawn(move || {
        let mut lines = Lines::new(BufReader::new(stdout));
        while let Some(event) = lines.read().transpose() {
            let is_last = matches!(event, Err(LineError::Read(_) | LineError::TooLong));
            if sender.send(event).is_err() || is_last {
                return;
            }
        }
    });
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_tell_all_that_is_known() {
        let lines =
            |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        assert_eq!(report("it powered off", &[], &[]), "it powered off");
        assert_eq!(
            report(
                "QEMU ended with exit status: 1",
                &lines(&["no such disk"]),
                &lines(&["a", "b"])
            ),
            "QEMU ended with exit status: 1: no such disk; its console ends with:\na\nb"
        );
    }
}
