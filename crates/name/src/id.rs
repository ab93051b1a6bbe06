//! Ids of things the factory makes, in EC2's form: a prefix and 17 hex digits.
//!
//! They are made from bytes the caller drew; nothing here is random.

use std::fmt;
use std::str::FromStr;

use crate::text::text_serde;

/// A text is not an id of the kind that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not the id of {what}: expected `{prefix}-` and 17 hex digits")]
pub struct ParseIdError {
    text: String,
    what: &'static str,
    prefix: &'static str,
}

macro_rules! id {
    ($($(#[$doc:meta])* $type:ident, $prefix:literal, $what:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(u128);

        impl $type {
            /// Returns the id for eight random bytes; like EC2's it begins with 0.
            pub fn from_random(bytes: [u8; 8]) -> Self {
                Self(u128::from(u64::from_be_bytes(bytes)))
            }

            /// Returns the eight bytes it was made of.
            pub fn to_random(self) -> [u8; 8] {
                // Ids that were read may be longer by a digit; none is drawn so.
                let [.., a, b, c, d, e, f, g, h] = self.0.to_be_bytes();
                [a, b, c, d, e, f, g, h]
            }
        }

        impl FromStr for $type {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let hex = text.strip_prefix(concat!($prefix, "-"));
                let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
                hex.filter(|hex| hex.len() == 17 && hex.bytes().all(is_hex))
                    .and_then(|hex| u128::from_str_radix(hex, 16).ok())
                    .map(Self)
                    .ok_or_else(|| ParseIdError {
                        text: text.to_owned(),
                        what: $what,
                        prefix: $prefix,
                    })
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "-{:017x}"), self.0)
            }
        }

        text_serde!($type);
    )*};
}

id! {
    /// An AMI: a catalogue entry that names snapshots.
    AmiId, "ami", "an AMI";
    /// A snapshot: an immutable volume.
    SnapshotId, "snap", "a snapshot";
    /// An instance: a machine that a run works on.
    InstanceId, "i", "an instance";
    /// A run: one execution that makes one image build version.
    RunId, "run", "a run";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_made_of_given_bytes() {
        let bytes = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];
        assert_eq!(AmiId::from_random(bytes).to_string(), "ami-00123456789abcdef");
        assert_eq!(AmiId::from_random(bytes).to_random(), bytes);
        assert_eq!(SnapshotId::from_random([0xff; 8]).to_string(), "snap-0ffffffffffffffff");
    }

    #[test]
    fn ids_round_trip() {
        for good in ["ami-00123456789abcdef", "ami-fffffffffffffffff"] {
            assert_eq!(good.parse::<AmiId>().unwrap().to_string(), good);
        }
        for bad in ["", "ami-", "ami-0123", "snap-00123456789abcdef", "ami-00123456789ABCDEF"] {
            assert!(bad.parse::<AmiId>().is_err(), "{bad}");
        }
    }
}
