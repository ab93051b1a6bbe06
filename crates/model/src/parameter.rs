//! Parameters: named values that documents refer to, as in SSM's Parameter Store.

use std::fmt;
use std::str::FromStr;

/// The name of a parameter, as in `/web/port` (SSM, PutParameter).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParameterName(String);

/// What a parameter's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterType {
    /// A text.
    String,
    /// Texts, with commas between them.
    StringList,
    /// A text that is a secret.
    SecureString,
}

/// A text is no name of a parameter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseParameterNameError {
    /// It is too long or has other characters.
    #[error(
        "`{0}` is not a parameter's name: expected 1 to 1011 letters, digits and _.-, \
         with / before each part if there are several"
    )]
    Form(String),
    /// It has too many parts.
    #[error("the parameter name `{0}` has more than 15 parts")]
    Deep(String),
    /// It begins as AWS's own do.
    #[error("the parameter name `{0}` begins with `aws` or `ssm`, which is reserved")]
    Reserved(String),
}

/// A value cannot be a parameter's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParameterValueError {
    /// It is empty.
    #[error("the value is empty")]
    Empty,
    /// It is too long.
    #[error("the value has {0} bytes; at most 8192 are allowed")]
    Long(usize),
    /// It refers to another parameter.
    #[error("the value has a reference in it: values may not contain `{{{{`")]
    Reference,
}

impl ParameterName {
    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ParameterType {
    /// Every type.
    pub const ALL: [Self; 3] = [Self::String, Self::StringList, Self::SecureString];

    /// Returns SSM's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "String",
            Self::StringList => "StringList",
            Self::SecureString => "SecureString",
        }
    }

    /// Says whether values are secrets.
    pub fn is_secure(self) -> bool {
        self == Self::SecureString
    }

    /// Fails if `value` breaks SSM's rules for values; all types have the same.
    pub fn check_value(value: &str) -> Result<(), ParameterValueError> {
        match value.len() {
            0 => Err(ParameterValueError::Empty),
            1..=8192 if value.contains("{{") => Err(ParameterValueError::Reference),
            1..=8192 => Ok(()),
            length => Err(ParameterValueError::Long(length)),
        }
    }
}

impl FromStr for ParameterName {
    type Err = ParseParameterNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = || ParseParameterNameError::Form(text.to_owned());
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        let path = text.strip_prefix('/');
        let parts: Vec<&str> = path.map_or(vec![text], |path| path.split('/').collect());
        if text.len() > 1011
            || parts.iter().any(|part| part.is_empty() || !part.bytes().all(allowed))
        {
            return Err(form());
        }
        if parts.len() > 15 {
            return Err(ParseParameterNameError::Deep(text.to_owned()));
        }
        let start = parts[0].get(..3).unwrap_or_default().to_ascii_lowercase();
        if start == "aws" || start == "ssm" {
            return Err(ParseParameterNameError::Reserved(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for ParameterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ParameterType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ssm_s() {
        for good in ["port", "/web/port", "/a.b/c_d-E", "/web/aws", &"/a".repeat(15)] {
            assert_eq!(good.parse::<ParameterName>().unwrap().as_str(), good);
        }
        for bad in ["", "/", "web/port", "/web/", "//web", "a b", "/é", &"a".repeat(1012)] {
            let error = ParseParameterNameError::Form(bad.to_owned());
            assert_eq!(bad.parse::<ParameterName>(), Err(error));
        }
        for bad in ["awsome", "/aws/service/x", "SSM", "/Ssm-x"] {
            let error = ParseParameterNameError::Reserved(bad.to_owned());
            assert_eq!(bad.parse::<ParameterName>(), Err(error));
        }
        let deep = "/a".repeat(16);
        assert_eq!(deep.parse::<ParameterName>(), Err(ParseParameterNameError::Deep(deep)));
    }

    #[test]
    fn values_are_bounded_and_plain() {
        let check = ParameterType::check_value;
        assert_eq!(check(""), Err(ParameterValueError::Empty));
        assert_eq!(check(&"x".repeat(8192)), Ok(()));
        assert_eq!(check(&"x".repeat(8193)), Err(ParameterValueError::Long(8193)));
        assert_eq!(check("{{ssm:x}}"), Err(ParameterValueError::Reference));
        let told = ParameterValueError::Reference.to_string();
        assert_eq!(told, "the value has a reference in it: values may not contain `{{`");
    }
}
