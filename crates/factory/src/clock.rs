//! The time, read here and nowhere else in this crate.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Returns the microseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "this is the factory's one clock")]
pub(crate) fn now_micros() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// Returns a moment to measure durations from.
#[expect(clippy::disallowed_methods, reason = "this is the factory's one clock")]
pub(crate) fn instant() -> Instant {
    Instant::now()
}
