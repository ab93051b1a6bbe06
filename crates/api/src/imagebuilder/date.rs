//! Dates as Image Builder writes them in texts (reference §1.1).

use jiff::Timestamp;

use store::resource::Entry;

/// Returns `at`, in microseconds since 1970, as `2026-09-09T19:12:23.418Z`.
pub(crate) fn date(at: i64) -> String {
    let at = Timestamp::from_microsecond(at).unwrap_or(Timestamp::MAX);
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Returns when a resource was last changed, in microseconds, if it ever was.
pub(crate) fn updated(entry: &Entry) -> Option<i64> {
    (entry.updated_at != entry.created_at).then_some(entry.updated_at)
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn dates_have_milliseconds_and_a_z() {
        assert_eq!(date(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(date(1_788_981_143_418_999), "2026-09-09T19:12:23.418Z");
    }
}
