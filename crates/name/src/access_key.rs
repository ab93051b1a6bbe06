//! Ids of access keys: who signs a request, as far as the request tells.

use std::fmt;
use std::str::FromStr;

use crate::text::text_serde;

/// The id of an access key: `AKIA` and 16 characters of base 32.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccessKeyId(String);

const PREFIX: &str = "AKIA";

/// The alphabet of RFC 4648, section 6.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

impl AccessKeyId {
    /// Returns the id for ten random bytes.
    pub fn from_random(bytes: [u8; 10]) -> Self {
        let mut number = 0_u128;
        for byte in bytes {
            number = number << 8 | u128::from(byte);
        }
        let letter = |n: u32| char::from(ALPHABET[(number >> (5 * (15 - n)) & 31) as usize]);
        Self(PREFIX.chars().chain((0..16).map(letter)).collect())
    }

    /// Returns the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text is not the id of an access key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the id of an access key: expected `AKIA` and 16 of A-Z and 2-7")]
pub struct ParseAccessKeyIdError(String);

impl FromStr for AccessKeyId {
    type Err = ParseAccessKeyIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text.strip_prefix(PREFIX).unwrap_or_default();
        if rest.len() == 16 && rest.bytes().all(|byte| ALPHABET.contains(&byte)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseAccessKeyIdError(text.to_owned()))
        }
    }
}

impl fmt::Display for AccessKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_serde!(AccessKeyId);

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    #[test]
    fn ids_have_aws_s_form() {
        assert_eq!(AccessKeyId::from_random([0; 10]).as_str(), "AKIAAAAAAAAAAAAAAAAA");
        assert_eq!(AccessKeyId::from_random([0xff; 10]).as_str(), "AKIA7777777777777777");
        let bytes = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23];
        assert_eq!(AccessKeyId::from_random(bytes).as_str(), "AKIAAERUKZ4JVPG66AJD");
        for bad in
            ["", "AKIA", "ASIAAAAAAAAAAAAAAAAA", "AKIAaaaaaaaaaaaaaaaa", "AKIA1111111111111111"]
        {
            assert!(bad.parse::<AccessKeyId>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn ids_are_read_back(bytes in any::<[u8; 10]>()) {
            let id = AccessKeyId::from_random(bytes);
            prop_assert_eq!(id.as_str().parse(), Ok(id.clone()));
        }
    }
}
