//! The second at which a request was signed.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;

/// A second, written as signatures have it: `20261122T183000Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(Timestamp);

const BASIC: &str = "%Y%m%dT%H%M%SZ";

impl Moment {
    /// Returns the second of a time in microseconds since 1970.
    pub(crate) fn at(micros: i64) -> Self {
        Self::at_second(micros.div_euclid(1_000_000))
    }

    /// Returns a moment written in ISO 8601's basic format, to the second and in UTC.
    pub(crate) fn parse_basic(text: &str) -> Option<Self> {
        // Parsing alone would take fewer digits too.
        let civil = (text.len() == 16).then(|| DateTime::strptime(BASIC, text).ok())??;
        let moment = Self(TimeZone::UTC.to_timestamp(civil).ok()?);
        (moment.to_string() == text).then_some(moment)
    }

    /// Returns a moment written as the `Date` header has it (RFC 9110, 5.6.7), or in basic format.
    pub(crate) fn parse_http(text: &str) -> Option<Self> {
        Self::parse_basic(text)
            .or_else(|| rfc2822::DateTimeParser::new().parse_timestamp(text).ok().map(Self))
    }

    /// Returns the day, as in `20261122`.
    pub(crate) fn date(&self) -> String {
        self.0.strftime("%Y%m%d").to_string()
    }

    /// Returns the moment so many seconds later.
    pub(crate) fn plus(self, seconds: i64) -> Self {
        Self::at_second(self.0.as_second().saturating_add(seconds))
    }

    fn at_second(second: i64) -> Self {
        let (least, most) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
        let time = Timestamp::from_second(second.clamp(least, most));
        Self(time.expect("the second is in range because it was clamped"))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.strftime(BASIC))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, basic: Option<&str>, http: Option<&str>) {
        let written = |moment: Option<Moment>| moment.map(|moment| moment.to_string());
        assert_eq!(written(Moment::parse_basic(text)).as_deref(), basic, "{text}");
        assert_eq!(written(Moment::parse_http(text)).as_deref(), http, "{text}");
    }

    #[test]
    fn moments_are_read_as_clients_write_them() {
        let moment = Some("20150830T123600Z");
        check("20150830T123600Z", moment, moment);
        check("Sun, 30 Aug 2015 12:36:00 GMT", None, moment);
        for bad in [
            "",
            "20150830",
            "20150830T123600",
            "20150830T1236000",
            "20150230T123600Z",
            "2015083 T123600Z",
            "20150830t123600z",
            "2015-08-30T12:36:00Z",
            "+0150830T123600Z",
            "20150830T12360é",
        ] {
            check(bad, None, None);
        }
    }

    #[test]
    fn moments_are_whole_seconds() {
        assert_eq!(Moment::at(1_440_938_160_999_999).to_string(), "20150830T123600Z");
        assert_eq!(Moment::at(1_440_938_160_000_000).plus(60).to_string(), "20150830T123700Z");
        assert_eq!(Moment::at(0).date(), "19700101");
        assert_eq!(Moment::at(i64::MAX).plus(i64::MAX), Moment::at_second(i64::MAX));
    }
}
