//! One document's execution, as the factory hears it from the agent.

use std::io::{BufRead, Write};
use std::time::Duration;

use channel::{Event, Execute, LineError, Lines, Request, Resume, Status, write_line};

/// How often a document may restart its instance. AWS's runner stops at the
/// Systems Manager agent's retry limit (reference §2.7).
pub(crate) const MAX_REBOOTS: u32 = 15;

/// Sees what happens in an instance while it happens, and may stop it.
pub trait Watch: Sync {
    /// Takes note of an event.
    fn event(&self, event: &Event);

    /// Says whether the execution should be given up.
    fn cancelled(&self) -> bool;
}

/// How a document's execution ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The phases ran.
    Ended {
        /// Success or failure.
        status: Status,
        /// Names the first failure; empty on success.
        message: String,
    },
    /// The instance must restart, then go on.
    Reboot {
        /// Where to go on.
        resume: Resume,
        /// How long to wait first.
        delay: Duration,
    },
}

/// A document could not be executed; its own failures are an [`Outcome`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecuteError {
    /// The instance could not be started.
    #[error("failed to start the {instance}")]
    Start {
        /// `sandbox` or `machine`.
        instance: &'static str,
        /// Why.
        #[source]
        source: cell::SpawnError,
    },
    /// A file of the instance could not be made.
    #[error("failed to prepare the {instance}")]
    Prepare {
        /// `sandbox` or `machine`.
        instance: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The agent's stream broke.
    #[error("lost the agent")]
    Stream(#[source] LineError),
    /// The instance ended while the agent should have been at work.
    #[error("the instance ended unexpectedly: {0}")]
    Died(String),
    /// The instance used up its memory.
    #[error("the instance ran out of memory ({memory_mib} MiB); a larger instance type has more")]
    OutOfMemory {
        /// What it had.
        memory_mib: u64,
    },
    /// The agent refused the request.
    #[error("the agent refused the request: {0}")]
    Refused(String),
    /// The watcher gave the execution up.
    #[error("cancelled")]
    Cancelled,
}

/// Asks the agent to execute a document and listens until that has ended.
pub(crate) fn converse(
    request: &Execute,
    lines: &mut Lines<impl BufRead>,
    out: &mut impl Write,
    watch: &dyn Watch,
) -> Result<Outcome, ExecuteError> {
    // A broken pipe shows as the end of the other stream, which says more.
    let _ = write_line(out, &Request::Execute(Box::new(request.clone())));
    loop {
        let event = match lines.read::<Event>().map_err(ExecuteError::Stream)? {
            Some(event) => event,
            None => return Err(ExecuteError::Died("the agent went away".to_owned())),
        };
        watch.event(&event);
        match event {
            Event::Ready { .. }
            | Event::StepStarted { .. }
            | Event::Output { .. }
            | Event::StepEnded { .. } => {}
            Event::Reboot { resume, delay_seconds } => {
                let delay = Duration::from_secs(delay_seconds);
                return Ok(Outcome::Reboot { resume, delay });
            }
            Event::Ended { status, message } => return Ok(Outcome::Ended { status, message }),
            Event::Refused { message } => return Err(ExecuteError::Refused(message)),
        }
    }
}
