//! The youngest time of any file, and who chose it.

/// Seconds since 1970 that no file of a base is younger than.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Epoch {
    /// A project's: its bases are for that time only, as it shapes what
    /// programs leave behind.
    Given(i64),
    /// A day's, as none was given: a base of any day will do.
    Day(i64),
}

impl Epoch {
    /// Returns the seconds since 1970.
    pub fn seconds(self) -> i64 {
        match self {
            Self::Given(seconds) | Self::Day(seconds) => seconds,
        }
    }
}
