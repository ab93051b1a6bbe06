//! When a request is sent again: after failures that may pass, a few times,
//! with pauses that grow. Each time is told.

use std::time::Duration;

use ureq::http::StatusCode;

use crate::cause::chain;
use crate::limit::Limit;

/// How often one request is tried, independent of a step's attempts.
const ATTEMPTS: u32 = 5;

/// The wait after the first failed attempt; it doubles each time.
const PAUSE: Duration = Duration::from_secs(1);

/// An error after which the same request may succeed a little later.
pub(crate) trait Passing: std::error::Error {
    /// Says whether it is such an error.
    fn is_passing(&self) -> bool;
}

/// How long to keep trying.
#[derive(Debug, Clone)]
pub(crate) struct Retry {
    limit: Limit,
    pause: Duration,
}

impl Retry {
    /// Tries until `limit`, or until it was often enough.
    pub(crate) fn until(limit: Limit) -> Self {
        Self { limit, pause: PAUSE }
    }

    /// Tries as often, without pauses.
    #[cfg(test)]
    pub(crate) fn impatient(self) -> Self {
        Self { pause: Duration::ZERO, ..self }
    }

    /// Calls `attempt` until something lasting happens, its limit has come, or
    /// it was often enough, and `tell` before each pause; both get `with`.
    pub(crate) fn run<W, T, E: Passing>(
        &self,
        with: &mut W,
        mut attempt: impl FnMut(&mut W) -> Result<T, E>,
        mut tell: impl FnMut(&mut W, &str),
    ) -> Result<T, E> {
        let (mut number, mut pause) = (1, self.pause);
        loop {
            let error = match attempt(with) {
                Err(error) if error.is_passing() && number < ATTEMPTS => error,
                settled => return settled,
            };
            let is_too_long = self.limit.left().is_some_and(|left| left < pause);
            if is_too_long || self.limit.check().is_err() {
                return Err(error);
            }
            let (reason, seconds) = (chain(&error), pause.as_secs());
            tell(
                with,
                &format!("attempt {number} of {ATTEMPTS}: {reason}; trying again in {seconds} s"),
            );
            if self.limit.pause(pause).is_err() {
                return Err(error);
            }
            number += 1;
            pause *= 2;
        }
    }
}

/// Says whether a server that answers `status` may change its mind.
pub(crate) fn is_passing_status(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429)
}

/// Says whether a request that got no answer may get one.
pub(crate) fn is_passing_failure(error: &ureq::Error) -> bool {
    !matches!(error, ureq::Error::BadUri(_))
}
