//! When a request is sent again: after failures that may pass, a few times,
//! with pauses that grow.

use std::time::Duration;

use ureq::http::StatusCode;

use crate::limit::Limit;

/// How often one request is tried.
const ATTEMPTS: u32 = 5;

/// The wait after the first failed attempt; it doubles each time.
const PAUSE: Duration = Duration::from_secs(1);

/// An error after which the same request may succeed a little later.
pub(crate) trait Passing {
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
    /// it was often enough.
    pub(crate) fn run<T, E: Passing>(
        &self,
        mut attempt: impl FnMut() -> Result<T, E>,
    ) -> Result<T, E> {
        let mut pause = self.pause;
        for _ in 1..ATTEMPTS {
            match attempt() {
                Err(error) if error.is_passing() => {
                    let is_too_long = self.limit.left().is_some_and(|left| left < pause);
                    if is_too_long || self.limit.pause(pause).is_err() {
                        return Err(error);
                    }
                }
                settled => return settled,
            }
            pause *= 2;
        }
        attempt()
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
