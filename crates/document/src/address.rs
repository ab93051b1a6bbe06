//! Where documents and objects are, as inputs of actions write it.
//!
//! Only the form is known here; whether something is there, the runner finds out.

use std::str::FromStr;

use name::{Arn, Kind, ParseArnError};

/// An object or a prefix in S3: `s3://bucket/key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Address {
    /// The bucket's name.
    pub bucket: String,
    /// The object's key, or the prefix of several; may be empty.
    pub key: String,
}

/// A text is no address in S3.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an address in S3: expected `s3://bucket/key`")]
pub struct ParseS3AddressError(String);

impl FromStr for S3Address {
    type Err = ParseS3AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || ParseS3AddressError(text.to_owned());
        let rest = text.strip_prefix("s3://").ok_or_else(refuse)?;
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        let allowed = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
        if !(3..=255).contains(&bucket.len()) || !bucket.chars().all(allowed) {
            return Err(refuse());
        }
        Ok(Self { bucket: bucket.to_owned(), key: key.to_owned() })
    }
}

/// Where a component document is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentAddress {
    /// In a file of the machine.
    Path(String),
    /// In an object.
    S3(S3Address),
    /// In a component, by its ARN.
    Component(String),
}

/// A text says where no document can be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseDocumentAddressError {
    /// It begins as an address in S3 and is none.
    #[error(transparent)]
    S3(#[from] ParseS3AddressError),
    /// It begins as an ARN and is none.
    #[error(transparent)]
    Arn(#[from] ParseArnError),
    /// It is the ARN of something else.
    #[error("`{0}` is not a component: expected `arn:aws:imagebuilder:…:component/…`")]
    NoComponent(String),
}

impl FromStr for DocumentAddress {
    type Err = ParseDocumentAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with("s3://") {
            return Ok(Self::S3(object(text)?));
        }
        if text.starts_with("arn:") {
            let arn: Arn = text.parse()?;
            return match arn.kind() {
                Kind::Component => Ok(Self::Component(text.to_owned())),
                _ => Err(ParseDocumentAddressError::NoComponent(text.to_owned())),
            };
        }
        Ok(Self::Path(text.to_owned()))
    }
}

/// Parses an address that has a key.
pub(crate) fn object(text: &str) -> Result<S3Address, ParseS3AddressError> {
    let address: S3Address = text.parse()?;
    if address.key.is_empty() {
        return Err(ParseS3AddressError(text.to_owned()));
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_s3_have_a_bucket_and_a_key() {
        let check = |text: &str, expected: Option<(&str, &str)>| {
            let address = text.parse::<S3Address>().ok();
            let parts = address.as_ref().map(|it| (it.bucket.as_str(), it.key.as_str()));
            assert_eq!(parts, expected, "{text}");
        };
        check("s3://bucket/key", Some(("bucket", "key")));
        check("s3://bucket/a/b/*", Some(("bucket", "a/b/*")));
        check("s3://bucket/", Some(("bucket", "")));
        check("s3://bucket", Some(("bucket", "")));
        for bad in ["s3://", "s3:///key", "s3://b/k", "s3://buc ket/k", "https://bucket/key", ""] {
            check(bad, None);
        }
        assert!(object("s3://bucket/").is_err());
    }

    #[test]
    fn documents_are_files_objects_or_components() {
        let arn = "arn:aws:imagebuilder:eu-west-1:123456789012:component/web/1.0.0/1";
        let check = |text: &str, expected: Option<DocumentAddress>| {
            assert_eq!(text.parse().ok(), expected, "{text}");
        };
        check("a.yaml", Some(DocumentAddress::Path("a.yaml".to_owned())));
        check(arn, Some(DocumentAddress::Component(arn.to_owned())));
        let (bucket, key) = ("bucket".to_owned(), "a.yaml".to_owned());
        check("s3://bucket/a.yaml", Some(DocumentAddress::S3(S3Address { bucket, key })));
        check("s3://bucket", None);
        check("arn:aws:s3:::bucket", None);
        check("arn:aws:imagebuilder:eu-west-1:123456789012:image/web/1.0.0/1", None);
    }
}
