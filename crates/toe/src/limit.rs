//! How long work may go on: until its time is up, or the execution is stopped.
//!
//! What waits or repeats asks between its pieces; what programs do is watched
//! in `process`.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::clock::{Deadline, now};

/// How often it is asked whether the execution shall end.
pub(crate) const STOP_INTERVAL: Duration = Duration::from_millis(200);

/// How long work may go on.
#[derive(Debug, Clone)]
pub(crate) struct Limit {
    deadline: Deadline,
    stop: Arc<AtomicBool>,
    grace: Duration,
    stopped_at: Arc<OnceLock<Instant>>,
}

/// Work has to end before it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LimitError {
    #[error("its time is up")]
    TimedOut,
    #[error("it was cancelled")]
    Stopped,
}

impl Limit {
    /// Ends at `deadline`, and once `stop` is set.
    pub(crate) fn new(deadline: Deadline, stop: &Arc<AtomicBool>) -> Self {
        let stop = Arc::clone(stop);
        Self { deadline, stop, grace: Duration::ZERO, stopped_at: Arc::default() }
    }

    /// Goes on for `grace` after it was stopped, so that an end can be told.
    pub(crate) fn with_grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// Returns the same with an earlier deadline, `limit` from now.
    pub(crate) fn within(&self, limit: Duration) -> Self {
        Self { deadline: Deadline::after(Some(self.deadline.within(limit))), ..self.clone() }
    }

    /// Says whether work may go on.
    pub(crate) fn check(&self) -> Result<(), LimitError> {
        if self.stop.load(Ordering::Acquire) {
            let since = self.stopped_at.get_or_init(now);
            if since.elapsed() >= self.grace {
                return Err(LimitError::Stopped);
            }
        }
        if self.deadline.has_passed() { Err(LimitError::TimedOut) } else { Ok(()) }
    }

    /// Returns the time until the deadline, zero once it has passed, or `None`
    /// if there is none.
    pub(crate) fn left(&self) -> Option<Duration> {
        self.deadline.left()
    }

    /// Waits for `pause`, which ends with the limit.
    pub(crate) fn pause(&self, pause: Duration) -> Result<(), LimitError> {
        let end = Deadline::after(Some(self.deadline.within(pause)));
        while !end.has_passed() {
            self.check()?;
            std::thread::sleep(end.within(STOP_INTERVAL));
        }
        self.check()
    }

    /// Reads from `source` as long as work may go on.
    pub(crate) fn reader<R: Read>(&self, source: R) -> impl Read + use<R> {
        Limited { source, limit: self.clone() }
    }
}

struct Limited<R> {
    source: R,
    limit: Limit,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.limit.check().map_err(io::Error::other)?;
        self.source.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn limit(left: Option<Duration>, is_stopped: bool) -> Limit {
        Limit::new(Deadline::after(left), &Arc::new(AtomicBool::new(is_stopped)))
    }

    #[test]
    fn work_goes_on_until_time_is_up_or_it_is_stopped() {
        let check = |limit: &Limit, expected| {
            assert_eq!(limit.check(), expected);
            if expected.is_err() {
                assert_eq!(limit.pause(HOUR), expected, "nothing waits any longer");
            }
            assert_eq!(limit.pause(Duration::ZERO), expected);
            let read = io::read_to_string(limit.reader(&b"text"[..]));
            assert_eq!(
                read.map_err(|error| error.to_string()),
                match expected {
                    Ok(()) => Ok("text".to_owned()),
                    Err(error) => Err(error.to_string()),
                }
            );
        };
        check(&limit(None, false), Ok(()));
        check(&limit(Some(HOUR), false), Ok(()));
        check(&limit(Some(Duration::ZERO), false), Err(LimitError::TimedOut));
        check(&limit(Some(HOUR), true), Err(LimitError::Stopped));
        check(&limit(None, true).with_grace(HOUR), Ok(()));
        check(&limit(Some(HOUR), false).within(Duration::ZERO), Err(LimitError::TimedOut));
        check(&limit(Some(Duration::ZERO), false).within(HOUR), Err(LimitError::TimedOut));
    }

    #[test]
    fn a_pause_ends_when_it_is_stopped() {
        let limit = limit(None, false);
        let stop = Arc::clone(&limit.stop);
        let waiting = std::thread::spawn(move || limit.pause(HOUR));
        stop.store(true, Ordering::Release);
        assert_eq!(waiting.join().unwrap(), Err(LimitError::Stopped));
    }
}
