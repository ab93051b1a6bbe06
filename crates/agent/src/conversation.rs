//! The conversation with the factory: a request, its events, the next request.
//!
//! One thread writes, so that lines never mix.

use std::io::{self, BufRead, Write};
use std::path::PathBuf;
use std::time::Duration;

use channel::{Event, Execute, LineError, Lines, Request, write_line};
use document::Component;
use toe::{Machine, Outcome};

use crate::system;

/// Why a conversation ended in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The factory closed the stream.
    Closed,
    /// The factory asked for it.
    PowerOff,
    /// A document asked for it; the factory was told.
    Reboot {
        /// How long to wait first.
        delay: Duration,
    },
}

/// A conversation broke off.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConversationError {
    #[error("failed to open the port `{device}`")]
    Open { device: PathBuf, source: io::Error },
    #[error("failed to read a request")]
    Read(#[source] LineError),
    #[error("failed to write an event")]
    Write(#[source] io::Error),
    #[error("failed to restart or power off the machine")]
    System(#[source] io::Error),
}

/// Answers requests until the stream or the machine ends.
pub(crate) fn hold(
    input: impl BufRead,
    mut output: impl Write,
    machine: &Machine,
) -> Result<End, ConversationError> {
    let mut requests = Lines::new(input);
    say(&mut output, &Event::Ready { uptime_seconds: system::uptime() })?;
    loop {
        let ending = match requests.read() {
            Ok(None) => return Ok(End::Closed),
            Ok(Some(Request::PowerOff)) => return Ok(End::PowerOff),
            Ok(Some(Request::Execute(request))) => execute(&request, &mut output, machine)?,
            // The line was read to its end, so the next one may be good.
            Err(error @ LineError::NotAMessage { .. }) => refusal(&error),
            Err(error @ (LineError::Read(_) | LineError::TooLong)) => {
                return Err(ConversationError::Read(error));
            }
        };
        if machine.adopts_orphans {
            toe::reap(None);
        }
        say(&mut output, &ending)?;
        if let Event::Reboot { delay_seconds, .. } = ending {
            return Ok(End::Reboot { delay: Duration::from_secs(delay_seconds) });
        }
    }
}

/// Executes a document and returns the last event.
fn execute(
    request: &Execute,
    output: &mut impl Write,
    machine: &Machine,
) -> Result<Event, ConversationError> {
    let document = match Component::parse(&request.document) {
        Ok(parsed) => parsed.value,
        Err(problems) => {
            let message = problems.render(&request.component, &request.document);
            return Ok(Event::Refused { message });
        }
    };
    let mut broken = None;
    let outcome = toe::run(&document, request, machine, &mut |event| {
        // The document goes on, but nobody will hear of it.
        if broken.is_none() {
            broken = write_line(output, &event).err();
        }
    });
    if let Some(error) = broken {
        return Err(ConversationError::Write(error));
    }
    Ok(outcome.map_or_else(|error| refusal(&error), |outcome: Outcome| outcome.into()))
}

fn refusal(error: &dyn std::error::Error) -> Event {
    Event::Refused { message: toe::chain(error) }
}

fn say(output: &mut impl Write, event: &Event) -> Result<(), ConversationError> {
    write_line(output, event).map_err(ConversationError::Write)
}
