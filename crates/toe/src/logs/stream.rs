//! A stream that lines are added to while a run goes on: they are queued,
//! gathered and sent by a thread of their own.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::batch::{Batch, LogEvent};
use super::client::{Client, LogsError};
use crate::aws::Settings;
use crate::clock::Deadline;
use crate::limit::Limit;

/// How many lines may wait to be sent. A line has a few KiB at most.
const QUEUE_LIMIT: usize = 1024;

/// How long a line waits for others to go with it.
const GATHER: Duration = Duration::from_secs(1);

/// How long the last lines may take once the run was cancelled.
const GRACE: Duration = Duration::from_secs(5);

/// A stream of CloudWatch Logs, open for lines.
#[derive(Debug)]
pub struct LogStream {
    name: String,
    lines: SyncSender<Line>,
    sender: JoinHandle<Result<(), LogsError>>,
}

/// Lines cannot be kept in CloudWatch Logs.
#[derive(Debug, thiserror::Error)]
#[error("failed to log to {name} in CloudWatch Logs")]
pub struct LogStreamError {
    name: String,
    #[source]
    cause: Cause,
}

#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error(transparent)]
    Logs(#[from] LogsError),
    #[error("failed to start a thread")]
    Thread(#[from] io::Error),
}

/// A line, and when it was written, in microseconds since 1970.
struct Line {
    at: i64,
    text: String,
}

impl LogStream {
    /// Opens `stream` in `group`, which are made when absent.
    ///
    /// Once `stop` is set, what is not sent yet gets five seconds more.
    pub fn open(
        settings: &Settings,
        group: &str,
        stream: &str,
        stop: &Arc<AtomicBool>,
    ) -> Result<Self, LogStreamError> {
        let name = format!("{group}/{stream}");
        let limit = Limit::new(Deadline::after(None), stop).with_grace(GRACE);
        let client = Client::new(settings, group, stream, &limit);
        let opened = client.map_err(Cause::from).and_then(|client| Self::start(&name, client));
        opened.map_err(|cause| LogStreamError { name, cause })
    }

    fn start(name: &str, client: Client) -> Result<Self, Cause> {
        client.create()?;
        let (lines, waiting) = sync_channel(QUEUE_LIMIT);
        let sender = thread::Builder::new().spawn(move || send(&waiting, &client))?;
        Ok(Self { name: name.to_owned(), lines, sender })
    }

    /// Adds a line that was written at `at`, in microseconds since 1970.
    ///
    /// Waits while too many lines are not sent yet. After a failure lines are
    /// dropped: [`finish`](Self::finish) tells of it.
    pub fn add(&self, at: i64, line: &str) {
        let _failed = self.lines.send(Line { at, text: line.to_owned() });
    }

    /// Waits until the last line is sent, and returns the first failure.
    pub fn finish(self) -> Result<(), LogStreamError> {
        drop(self.lines);
        let sent = self.sender.join().expect("the thread ends because sending does not panic");
        sent.map_err(|error| LogStreamError { name: self.name, cause: error.into() })
    }
}

/// Sends the lines that come, until nobody adds any.
fn send(lines: &Receiver<Line>, client: &Client) -> Result<(), LogsError> {
    let mut batch = Batch::default();
    let mut due = Deadline::after(None);
    loop {
        let next = match due.left() {
            Some(left) => lines.recv_timeout(left),
            None => lines.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match next {
            Ok(Line { at, text }) => {
                for event in LogEvent::of_line(at, text) {
                    if !batch.takes(&event) {
                        client.put(&std::mem::take(&mut batch))?;
                    }
                    if batch.is_empty() {
                        due = Deadline::after(Some(GATHER));
                    }
                    batch.push(event);
                }
            }
            Err(reason) => {
                if !batch.is_empty() {
                    client.put(&std::mem::take(&mut batch))?;
                }
                if reason == RecvTimeoutError::Disconnected {
                    return Ok(());
                }
                due = Deadline::after(None);
            }
        }
    }
}

#[cfg(test)]
mod tests;
