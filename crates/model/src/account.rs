//! Accounts: what people call them.

use std::fmt;
use std::str::FromStr;

use name::Account;

/// The name that people give an account (IAM, CreateAccountAlias).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Alias(String);

/// A text is no alias.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an alias: expected 3 to 63 lower-case letters, digits and single `-`, \
     beginning and ending in a letter or digit, and not 12 digits"
)]
pub struct ParseAliasError(String);

impl Alias {
    /// Returns the alias.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Alias {
    type Err = ParseAliasError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let fine = (3..=63).contains(&text.len())
            && text.bytes().all(|byte| is_plain(byte) || byte == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-')
            && !text.contains("--")
            // It would be taken for an account.
            && text.parse::<Account>().is_err();
        if fine { Ok(Self(text.to_owned())) } else { Err(ParseAliasError(text.to_owned())) }
    }
}

impl fmt::Display for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_are_iam_s() {
        for good in ["lab", "my-team-2", "0ab", &"a".repeat(63), "1234567890123"] {
            assert_eq!(good.parse::<Alias>().unwrap().as_str(), good);
        }
        for bad in ["", "ab", "Lab", "a b", "-ab", "ab-", "a--b", "123456789012", &"a".repeat(64)] {
            assert!(bad.parse::<Alias>().is_err(), "{bad}");
        }
    }
}
