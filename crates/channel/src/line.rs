//! Framing: one message a line, none longer than [`LINE_LIMIT`].

use std::io::{self, BufRead, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The longest line either side accepts, in bytes.
///
/// A document of the largest size, escaped, fits many times over; a component
/// that writes into the agent's stream cannot make the factory buffer more.
pub const LINE_LIMIT: usize = 4 << 20;

/// A line could not be read as a message.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// The stream failed.
    #[error("failed to read from the agent's stream")]
    Read(#[source] io::Error),
    /// The line has no end within [`LINE_LIMIT`].
    #[error("a line is longer than {LINE_LIMIT} bytes")]
    TooLong,
    /// The line is no message.
    #[error("`{line}` is not a message")]
    NotAMessage {
        /// The first 200 characters of the line.
        line: String,
        /// What the parser expected.
        #[source]
        source: serde_json::Error,
    },
}

/// Reads messages off a stream until it ends.
pub struct Lines<R>(R);

impl<R: BufRead> Lines<R> {
    /// Reads from `stream`.
    pub fn new(stream: R) -> Self {
        Self(stream)
    }

    /// Returns the next message, or `None` at the end of the stream.
    ///
    /// Empty lines are passed over: a serial port may echo line ends.
    pub fn read<M: DeserializeOwned>(&mut self) -> Result<Option<M>, LineError> {
        loop {
            let mut line = Vec::new();
            let limit = LINE_LIMIT as u64 + 1;
            self.0.by_ref().take(limit).read_until(b'\n', &mut line).map_err(LineError::Read)?;
            if line.len() > LINE_LIMIT {
                return Err(LineError::TooLong);
            }
            if line.is_empty() {
                return Ok(None);
            }
            let text = line.trim_ascii();
            if text.is_empty() {
                continue;
            }
            return serde_json::from_slice(text).map(Some).map_err(|source| {
                let line = String::from_utf8_lossy(text).chars().take(200).collect();
                LineError::NotAMessage { line, source }
            });
        }
    }
}

/// Writes `message` as one line and flushes it.
pub fn write_line(out: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message).map_err(io::Error::other)?;
    line.push(b'\n');
    out.write_all(&line)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, Request, Status};

    #[test]
    fn messages_round_trip() {
        let sent = Event::Ended { status: Status::Success, message: String::new() };
        let mut bytes = Vec::new();
        write_line(&mut bytes, &sent).unwrap();
        assert_eq!(
            String::from_utf8_lossy(&bytes),
            "{\"event\":\"ended\",\"status\":\"success\",\"message\":\"\"}\n"
        );
        let mut lines = Lines::new(&bytes[..]);
        assert_eq!(lines.read().unwrap(), Some(sent));
        assert_eq!(lines.read::<Event>().unwrap(), None);
    }

    #[test]
    fn endless_lines_are_refused() {
        let mut lines = Lines::new(io::BufReader::new(io::repeat(b'x')));
        assert!(matches!(lines.read::<Request>(), Err(LineError::TooLong)));
    }

    proptest::proptest! {
        #[test]
        fn noise_never_panics(noise: Vec<u8>) {
            let mut lines = Lines::new(&noise[..]);
            while let Ok(Some(_)) = lines.read::<Event>() {}
        }
    }
}
