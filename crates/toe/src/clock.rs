//! The one place where this crate reads the time, and deadlines made of it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Returns the present moment of the monotonic clock.
#[expect(clippy::disallowed_methods, reason = "steps are timed on the machine they run on")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Returns the time since 1970, as signatures and records have to tell it.
#[expect(clippy::disallowed_methods, reason = "requests are signed on the machine they come from")]
pub(crate) fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The moment by which something has to be done, or never.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    /// Ends `limit` from now; `None` never ends.
    pub(crate) fn after(limit: Option<Duration>) -> Self {
        Self(limit.and_then(|limit| now().checked_add(limit)))
    }

    /// Returns what is left, zero once it has passed, or `None` if there is no end.
    pub(crate) fn left(self) -> Option<Duration> {
        self.0.map(|end| end.saturating_duration_since(now()))
    }

    pub(crate) fn has_passed(self) -> bool {
        self.left().is_some_and(|left| left.is_zero())
    }

    /// Returns the earlier of this deadline and `limit` from now.
    pub(crate) fn within(self, limit: Duration) -> Duration {
        self.left().map_or(limit, |left| left.min(limit))
    }
}
