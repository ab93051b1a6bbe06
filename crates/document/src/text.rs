//! Values that documents write as text and that mean more than their letters.
//!
//! Each one names its `format`, by which the schema refers to its rule.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

/// How the text of a file becomes bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    #[default]
    Utf8,
    /// UTF-16, low byte first; also what plain `utf16` means.
    Utf16Le,
    /// UTF-16, high byte first.
    Utf16Be,
    /// UTF-32, low byte first; also what plain `utf32` means.
    Utf32Le,
    /// UTF-32, high byte first.
    Utf32Be,
}

impl Encoding {
    /// Returns `text` in this encoding, without a byte order mark.
    pub fn encode(self, text: &str) -> Vec<u8> {
        match self {
            Self::Utf8 => text.as_bytes().to_vec(),
            Self::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Self::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Self::Utf32Le => text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect(),
            Self::Utf32Be => text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect(),
        }
    }

    /// Returns the text that `bytes` are in this encoding, without a byte
    /// order mark; fails if they are none.
    pub fn decode(self, bytes: &[u8]) -> Result<String, DecodeTextError> {
        let text = match self {
            Self::Utf8 => str::from_utf8(bytes).ok().map(str::to_owned),
            Self::Utf16Le => decode_utf16(bytes, u16::from_le_bytes),
            Self::Utf16Be => decode_utf16(bytes, u16::from_be_bytes),
            Self::Utf32Le => decode_utf32(bytes, u32::from_le_bytes),
            Self::Utf32Be => decode_utf32(bytes, u32::from_be_bytes),
        };
        let text = text.ok_or(DecodeTextError(self))?;
        Ok(text.strip_prefix('\u{feff}').map_or_else(|| text.clone(), str::to_owned))
    }
}

fn decode_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let (pairs, rest) = bytes.as_chunks();
    let text = char::decode_utf16(pairs.iter().map(|pair| unit(*pair))).collect::<Result<_, _>>();
    text.ok().filter(|_| rest.is_empty())
}

fn decode_utf32(bytes: &[u8], unit: fn([u8; 4]) -> u32) -> Option<String> {
    let (units, rest) = bytes.as_chunks();
    let text = units.iter().map(|bytes| char::from_u32(unit(*bytes))).collect::<Option<_>>();
    text.filter(|_| rest.is_empty())
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le => "UTF-16-LE",
            Self::Utf16Be => "UTF-16-BE",
            Self::Utf32Le => "UTF-32-LE",
            Self::Utf32Be => "UTF-32-BE",
        })
    }
}

/// Bytes are no text of an encoding.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is no text in {0}")]
pub struct DecodeTextError(Encoding);

/// A text names no encoding.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an encoding: expected utf8, utf16 or utf32, optionally with -LE or -BE")]
pub struct ParseEncodingError(String);

impl FromStr for Encoding {
    type Err = ParseEncodingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_lowercase().as_str() {
            "utf8" | "utf-8" => Ok(Self::Utf8),
            "utf16" | "utf-16" | "utf16-le" | "utf-16-le" => Ok(Self::Utf16Le),
            "utf16-be" | "utf-16-be" => Ok(Self::Utf16Be),
            "utf32" | "utf-32" | "utf32-le" | "utf-32-le" => Ok(Self::Utf32Le),
            "utf32-be" | "utf-32-be" => Ok(Self::Utf32Be),
            _ => Err(ParseEncodingError(text.to_owned())),
        }
    }
}

/// The permission bits of a file, written in octal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode(u32);

impl Mode {
    /// Returns the bits, at most `0o7777`.
    pub fn bits(self) -> u32 {
        self.0
    }
}

/// A text is no permissions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not file permissions: expected three or four octal digits, as in `0644`")]
pub struct ParseModeError(String);

impl FromStr for Mode {
    type Err = ParseModeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let octal = text.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
        match u32::from_str_radix(text, 8) {
            Ok(bits) if octal && text.len() >= 3 && bits <= 0o7777 => Ok(Self(bits)),
            Ok(_) | Err(_) => Err(ParseModeError(text.to_owned())),
        }
    }
}

/// Lets a type be read from one scalar by its `FromStr`, under a schema format.
macro_rules! scalar {
    ($type:ty, $format:literal, $types:tt) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
                String::deserialize(source)?.parse().map_err(de::Error::custom)
            }
        }

        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": $types, "format": $format })
            }
        }
    };
}

scalar!(Encoding, "encoding", "string");
scalar!(Mode, "file-mode", ["string", "integer"]);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Encoding; 5] = [
        Encoding::Utf8,
        Encoding::Utf16Le,
        Encoding::Utf16Be,
        Encoding::Utf32Le,
        Encoding::Utf32Be,
    ];

    proptest! {
        /// A byte order mark at the beginning is the only thing that is lost.
        #[test]
        fn what_is_encoded_is_decoded(text: String) {
            for encoding in ALL {
                let decoded = encoding.decode(&encoding.encode(&text));
                let expected = text.strip_prefix('\u{feff}').unwrap_or(&text);
                prop_assert_eq!(decoded.as_deref(), Ok(expected));
                prop_assert_eq!(encoding.to_string().parse(), Ok(encoding));
            }
        }

        #[test]
        fn noise_is_decoded_or_refused(bytes: Vec<u8>) {
            for encoding in ALL {
                if let Ok(text) = encoding.decode(&bytes) {
                    prop_assert!(bytes.ends_with(&encoding.encode(&text)));
                }
            }
        }
    }

    #[test]
    fn bytes_of_another_encoding_are_refused() {
        let check = |encoding: Encoding, bytes: &[u8], expected: &str| {
            let error = encoding.decode(bytes).unwrap_err();
            assert_eq!(error.to_string(), expected);
        };
        check(Encoding::Utf8, b"\xff", "it is no text in UTF-8");
        check(Encoding::Utf16Le, b"odd", "it is no text in UTF-16-LE");
        check(Encoding::Utf16Be, b"\xd8\x00", "it is no text in UTF-16-BE");
        check(Encoding::Utf32Le, b"\0\xd8\0\0", "it is no text in UTF-32-LE");
        check(Encoding::Utf32Be, b"text\0", "it is no text in UTF-32-BE");
    }

    #[test]
    fn modes_are_octal() {
        assert_eq!("0644".parse(), Ok(Mode(0o644)));
        assert_eq!("755".parse(), Ok(Mode(0o755)));
        assert_eq!("4755".parse(), Ok(Mode(0o4755)));
        for bad in ["", "8", "0", "0o644", "+644", "u+x", "77777", "0689"] {
            assert!(bad.parse::<Mode>().is_err(), "{bad}");
        }
    }

    #[test]
    fn encodings_differ_in_width_and_order() {
        let encode = |name: &str| name.parse::<Encoding>().unwrap().encode("é");
        assert_eq!(encode("UTF8"), [0xc3, 0xa9]);
        assert_eq!(encode("utf16"), [0xe9, 0]);
        assert_eq!(encode("utf-16-BE"), [0, 0xe9]);
        assert_eq!(encode("utf-32-LE"), [0xe9, 0, 0, 0]);
        assert_eq!(encode("utf32-be"), [0, 0, 0, 0xe9]);
        assert!("latin1".parse::<Encoding>().is_err());
    }
}
