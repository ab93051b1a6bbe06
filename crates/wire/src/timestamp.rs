//! Points in time on the wire: seconds since 1970 as a JSON number, thousandths as its fraction.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The last second of the year 9999, beyond which clients cannot read a time.
const LAST: f64 = 253_402_300_799.0;

/// A point in time between 1970 and 9999, to the millisecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    millis: u64,
}

/// A number that is no point in time this protocol can carry.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{seconds} is not a number of seconds between the years 1970 and 9999")]
pub struct TimestampError {
    seconds: f64,
}

impl Timestamp {
    /// Returns the time `millis` milliseconds after 1970.
    pub const fn from_millis(millis: u64) -> Self {
        Self { millis }
    }

    /// Returns the time `seconds` after 1970, rounded to the millisecond.
    ///
    /// # Errors
    /// Fails before 1970 and after the year 9999.
    pub fn from_seconds(seconds: f64) -> Result<Self, TimestampError> {
        if !(0.0..=LAST).contains(&seconds) {
            return Err(TimestampError { seconds });
        }
        // In range, so the cast neither truncates nor changes sign.
        Ok(Self { millis: (seconds * 1000.0).round() as u64 })
    }

    /// Returns the milliseconds since 1970.
    pub const fn as_millis(self) -> u64 {
        self.millis
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.millis.is_multiple_of(1000) {
            serializer.serialize_u64(self.millis / 1000)
        } else {
            serializer.serialize_f64(self.millis as f64 / 1000.0)
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_seconds(f64::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert_eq, proptest};

    use super::Timestamp;

    #[track_caller]
    fn check(millis: u64, json: &str) {
        let time = Timestamp::from_millis(millis);
        assert_eq!(serde_json::to_string(&time).unwrap(), json);
        assert_eq!(serde_json::from_str::<Timestamp>(json).unwrap(), time);
    }

    #[test]
    fn whole_seconds_have_no_fraction() {
        check(0, "0");
        check(1_700_000_000_000, "1700000000");
        check(1_700_000_000_250, "1700000000.25");
        check(1_700_000_000_001, "1700000000.001");
        check(253_402_300_799_000, "253402300799");
    }

    #[test]
    fn times_no_client_can_read_are_refused() {
        for seconds in [-1.0, -0.001, 253_402_300_800.0, f64::NAN, f64::INFINITY] {
            assert!(Timestamp::from_seconds(seconds).is_err(), "{seconds}");
        }
        assert!(serde_json::from_str::<Timestamp>("\"2026-01-01T00:00:00Z\"").is_err());
    }

    proptest! {
        #[test]
        fn every_millisecond_survives(millis in 0u64..=253_402_300_799_000) {
            let text = serde_json::to_string(&Timestamp::from_millis(millis)).unwrap();
            let read: Timestamp = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(read.as_millis(), millis);
        }
    }
}
