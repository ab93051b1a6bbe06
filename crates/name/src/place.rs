//! Where images are published to and who owns them: regions and accounts.

use std::fmt;
use std::str::FromStr;

use crate::text::text_serde;

/// A region, such as `local-1` or `eu-west-1`; safe as a folder's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(String);

impl Region {
    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An account: twelve digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account(String);

impl Account {
    /// Returns the account for eight random bytes. It does not begin with 0, which programs lose
    /// that take it for a number.
    pub fn from_random(bytes: [u8; 8]) -> Self {
        const LEAST: u64 = 100_000_000_000;
        Self((LEAST + u64::from_be_bytes(bytes) % (9 * LEAST)).to_string())
    }

    /// Returns the twelve digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text is no region or account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParsePlaceError {
    /// It is no region.
    #[error("`{0}` is not a region: expected lower-case letters, digits and `-`, as in `local-1`")]
    NotARegion(String),
    /// It is no account.
    #[error("`{0}` is not an account: expected 12 digits")]
    NotAnAccount(String),
}

impl FromStr for Region {
    type Err = ParsePlaceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let fine = text.len() <= 64
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.bytes().all(allowed);
        if fine {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParsePlaceError::NotARegion(text.to_owned()))
        }
    }
}

impl FromStr for Account {
    type Err = ParsePlaceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParsePlaceError::NotAnAccount(text.to_owned()))
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_serde!(Region, Account);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_safe_as_folders() {
        for good in ["local-1", "eu-west-1", "lab"] {
            assert_eq!(good.parse::<Region>().unwrap().as_str(), good);
        }
        for bad in ["", "..", "a/b", "Local-1", "1-local", "a b", &"a".repeat(65)] {
            assert!(bad.parse::<Region>().is_err(), "{bad}");
        }
    }

    #[test]
    fn accounts_are_twelve_digits() {
        assert_eq!("000000000000".parse::<Account>().unwrap().as_str(), "000000000000");
        assert_eq!(Account::from_random([0; 8]).as_str(), "100000000000");
        assert_eq!(Account::from_random([0xff; 8]).as_str(), "373709551615");
        for bad in ["", "1", "1234567890123", "12345678901a"] {
            assert!(bad.parse::<Account>().is_err(), "{bad}");
        }
    }
}
