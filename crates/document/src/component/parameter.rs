//! Parameters of components: what they are called and which values they take.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

use crate::Span;

/// A parameter of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What its values are.
    pub kind: ParameterType,
    /// Its value when none is given; without one it must be given.
    pub default: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Where its name is written.
    pub span: Span,
}

/// What the values of a parameter or constant are.
///
/// Documents of AWS's runner know `string` alone; the API knows the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterType {
    /// Any text.
    String,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// Texts joined by commas.
    StringList,
}

impl ParameterType {
    /// Returns whether `value` is one of this type's.
    pub fn takes(self, value: &str) -> bool {
        match self {
            Self::String | Self::StringList => true,
            Self::Integer => {
                let digits = value.strip_prefix(['-', '+']).unwrap_or(value);
                !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
            }
            Self::Boolean => {
                value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false")
            }
        }
    }

    /// Returns what its values are, in words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::String => "a text",
            Self::Integer => "a whole number",
            Self::Boolean => "true or false",
            Self::StringList => "a list of texts",
        }
    }
}

impl fmt::Display for ParameterType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::StringList => "stringList",
        })
    }
}

/// A text names no type of parameters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a type: expected string, integer, boolean or stringList")]
pub struct ParseParameterTypeError(String);

impl FromStr for ParameterType {
    type Err = ParseParameterTypeError;

    /// The API writes `String`, documents write `string`: case does not count.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_lowercase().as_str() {
            "string" => Ok(Self::String),
            "integer" => Ok(Self::Integer),
            "boolean" => Ok(Self::Boolean),
            "stringlist" => Ok(Self::StringList),
            _ => Err(ParseParameterTypeError(text.to_owned())),
        }
    }
}

impl<'de> Deserialize<'de> for ParameterType {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        String::deserialize(source)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for ParameterType {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ParameterType".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "parameter-type",
            "examples": ["string", "integer", "boolean", "stringList"],
        })
    }
}

/// A parameter has neither a value nor a default.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("parameter `{0}` has no default and was given no value")]
pub struct MissingParameter(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_known_in_any_case() {
        for text in ["string", "String", "STRINGLIST", "stringList", "Integer", "boolean"] {
            let kind: ParameterType = text.parse().unwrap();
            assert!(kind.to_string().eq_ignore_ascii_case(text));
        }
        assert!("number".parse::<ParameterType>().is_err());
    }

    #[test]
    fn values_fit_their_type() {
        use ParameterType::{Boolean, Integer, String, StringList};
        for (kind, value) in
            [(String, ""), (StringList, "a,b"), (Integer, "-12"), (Boolean, "True")]
        {
            assert!(kind.takes(value), "{kind} {value}");
        }
        for (kind, value) in [(Integer, ""), (Integer, "1.5"), (Integer, "one"), (Boolean, "yes")] {
            assert!(!kind.takes(value), "{kind} {value}");
        }
    }
}
