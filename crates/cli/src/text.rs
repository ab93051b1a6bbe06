//! Sizes, durations, times and tables as people read them.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Returns a number of bytes, as in `1.3 GiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64 / 1024.0;
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    for unit in UNITS {
        // Where rounding would show 1024 the next unit is the better one.
        if value < 999.95 || unit == "TiB" {
            return format!("{value:.1} {unit}");
        }
        value /= 1024.0;
    }
    unreachable!("the last unit takes every value");
}

/// Returns a duration, as in `12.3 s` or `4 min 05 s`.
pub(crate) fn duration(time: Duration) -> String {
    // Compared after rounding, so that no time is shown as 60.0 s.
    let tenths = (time.as_secs_f64() * 10.0).round() as u64;
    if tenths < 600 {
        return format!("{}.{} s", tenths / 10, tenths % 10);
    }
    let seconds = time.as_secs_f64().round() as u64;
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    if minutes < 60 {
        return format!("{minutes} min {seconds:02} s");
    }
    format!("{} h {:02} min", minutes / 60, minutes % 60)
}

/// Returns a rough duration, as in `12 s` or `4 min`.
pub(crate) fn about(time: Duration) -> String {
    let seconds = time.as_secs_f64().round() as u64;
    match seconds {
        0..90 => format!("{seconds} s"),
        90..5400 => format!("{} min", (seconds + 30) / 60),
        _ => format!("{} h", (seconds + 1800) / 3600),
    }
}

/// Returns how long ago something was, as in `3 days ago`.
pub(crate) fn ago(time: Duration) -> String {
    let seconds = time.as_secs();
    let (count, unit) = match seconds {
        0..60 => return "just now".to_owned(),
        60..3600 => (seconds / 60, "minute"),
        3600..86_400 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{s} ago")
}

/// Returns how long before `now` something was; both are in microseconds.
pub(crate) fn ago_at(then: i64, now: i64) -> String {
    ago(Duration::from_micros(u64::try_from(now - then).unwrap_or(0)))
}

/// Returns a time in a zone, as in `2025-11-22 15:51:02`.
pub(crate) fn time(micros: i64, zone: &TimeZone) -> String {
    civil(micros, zone, "%Y-%m-%d %H:%M:%S")
}

/// Returns a time of day, as in `15:51:02`.
pub(crate) fn time_of_day(micros: i64, zone: &TimeZone) -> String {
    civil(micros, zone, "%H:%M:%S")
}

/// Returns a time as JSON has it (RFC 3339, UTC).
pub(crate) fn stamp(micros: i64) -> String {
    Timestamp::from_microsecond(micros).unwrap_or_default().to_string()
}

fn civil(micros: i64, zone: &TimeZone, format: &str) -> String {
    let time = Timestamp::from_microsecond(micros).unwrap_or_default();
    time.to_zoned(zone.clone()).strftime(format).to_string()
}

/// Returns rows as lines with aligned columns and no trailing spaces.
pub(crate) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |n: usize| rows.iter().map(|row| row[n].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_one_decimal() {
        let sizes = [0, 1023, 1024, 1536, (1 << 20) - 1, 5 << 30, 1 << 50];
        assert_eq!(
            sizes.map(size),
            ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "1.0 MiB", "5.0 GiB", "1024.0 TiB"]
        );
    }

    #[test]
    fn durations_are_short() {
        let millis = [0, 949, 59_949, 59_951, 61_000, 3_599_400, 7_260_000];
        assert_eq!(
            millis.map(|millis| duration(Duration::from_millis(millis))),
            ["0.0 s", "0.9 s", "59.9 s", "1 min 00 s", "1 min 01 s", "59 min 59 s", "2 h 01 min"]
        );
        let seconds = [0, 12, 89, 90, 5399, 5400];
        assert_eq!(
            seconds.map(|seconds| about(Duration::from_secs(seconds))),
            ["0 s", "12 s", "89 s", "2 min", "90 min", "2 h"]
        );
        let seconds = [5, 60, 7200, 86_400, 900_000];
        assert_eq!(
            seconds.map(|seconds| ago(Duration::from_secs(seconds))),
            ["just now", "1 minute ago", "2 hours ago", "1 day ago", "10 days ago"]
        );
    }

    #[test]
    fn times_are_shown_in_the_zone() {
        assert_eq!(time(1_700_000_000_000_000, &TimeZone::UTC), "2023-11-14 22:13:20");
        assert_eq!(time_of_day(1_700_000_000_000_000, &TimeZone::UTC), "22:13:20");
        assert_eq!(stamp(1_700_000_000_500_000), "2023-11-14T22:13:20.5Z");
    }

    #[test]
    fn columns_are_aligned() {
        let rows = [["a", "long one", "x"], ["bcd", "", ""]].map(|row| row.map(str::to_owned));
        assert_eq!(table(&rows), "a    long one  x\nbcd\n");
    }
}
