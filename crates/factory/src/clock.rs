//! The time, read here and nowhere else in this crate, and told as a calendar does.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use model::BuildTime;

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

/// Returns a time as a calendar in UTC shows it.
pub(crate) fn build_time(micros: i64) -> BuildTime {
    let time = jiff::Timestamp::from_microsecond(micros).unwrap_or_default();
    let time = time.to_zoned(jiff::tz::TimeZone::UTC);
    BuildTime {
        year: time.year().unsigned_abs(),
        month: time.month().unsigned_abs(),
        day: time.day().unsigned_abs(),
        hour: time.hour().unsigned_abs(),
        minute: time.minute().unsigned_abs(),
        second: time.second().unsigned_abs(),
        millisecond: time.millisecond().unsigned_abs(),
    }
}
