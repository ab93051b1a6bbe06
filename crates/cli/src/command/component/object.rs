//! What of a run is in S3: the documents it reads, the bucket its logs go to.
//!
//! What documents themselves read and store there is the runner's to do.

use std::path::{Path, PathBuf};

use document::{ParseS3AddressError, S3Address};
use name::Account;
use serde::{Deserialize, Serialize};
use toe::aws::{Service, Settings};
use toe::s3::{TransferError, read_object, store_folder};

use crate::environment::Environment;

/// The largest document or configuration that is read, in bytes.
const SIZE_LIMIT: usize = 1 << 20;

/// The longest prefix of logs, in bytes: a key has at most 1,024, and those of
/// the folder and its files are to be among them.
const PREFIX_LIMIT: usize = 768;

/// Where documents and configurations are read from.
#[derive(Debug)]
pub(crate) struct Objects {
    settings: Settings,
    /// The account that must own the buckets.
    owner: Option<Account>,
}

/// A document or a configuration cannot be read from S3.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ObjectError {
    #[error(transparent)]
    Address(#[from] ParseS3AddressError),
    #[error("`{0}` is a bucket: expected `s3://bucket/key`")]
    NoKey(String),
    #[error(transparent)]
    Transfer(#[from] TransferError),
    #[error("`{0}` is no text in UTF-8")]
    NotText(String),
}

impl Objects {
    /// Returns the objects that `environment` leads to, in buckets of `owner`.
    pub(crate) fn of(environment: &Environment, owner: Option<Account>) -> Self {
        Self { settings: settings(environment), owner }
    }

    /// Says whether `text` is meant as an object's address.
    pub(crate) fn is_address(text: &str) -> bool {
        text.starts_with("s3://")
    }

    /// Returns the text of the object at `text`.
    pub(crate) fn read(&self, text: &str) -> Result<String, ObjectError> {
        let address: S3Address = text.parse()?;
        if address.key.is_empty() {
            return Err(ObjectError::NoKey(text.to_owned()));
        }
        let owner = self.owner.as_ref().map(Account::as_str);
        let bytes = read_object(&self.settings, &address, owner, SIZE_LIMIT)?;
        String::from_utf8(bytes).map_err(|_| ObjectError::NotText(text.to_owned()))
    }
}

/// Where the log folder is stored when a run is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogBucket {
    name: String,
    /// The account that must own the bucket.
    owner: Option<Account>,
    /// What the keys begin with, without slashes around it; may be empty.
    prefix: String,
}

/// Logs cannot be stored as it is asked.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LogBucketError {
    #[error("{0} needs --log-s3-bucket-name")]
    NoBucket(&'static str),
    #[error(
        "`{0}` is not a bucket: expected its name, 3 to 255 letters, digits, `.`, `-` and `_` \
         that begin and end with a letter or digit"
    )]
    Name(String),
    #[error("the prefix of logs is longer than {PREFIX_LIMIT} bytes")]
    Prefix,
}

/// Logs could not be stored.
#[derive(Debug, thiserror::Error)]
#[error("failed to store the logs in {url}")]
pub(crate) struct LogBucketFailure {
    url: String,
    /// Where they are.
    pub(crate) folder: PathBuf,
    #[source]
    source: TransferError,
}

impl LogBucket {
    /// Returns where logs go, if that is said.
    pub(crate) fn of(
        name: Option<String>,
        owner: Option<Account>,
        prefix: Option<String>,
    ) -> Result<Option<Self>, LogBucketError> {
        let Some(name) = name else {
            return match (owner, prefix) {
                (Some(_), _) => Err(LogBucketError::NoBucket("--log-s3-bucket-owner")),
                (None, Some(_)) => Err(LogBucketError::NoBucket("--log-s3-key-prefix")),
                (None, None) => Ok(None),
            };
        };
        let parsed = format!("s3://{name}").parse::<S3Address>();
        let has_ends = name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.ends_with(|c: char| c.is_ascii_alphanumeric());
        if !has_ends || parsed.map_or(true, |address| address.bucket != name) {
            return Err(LogBucketError::Name(name));
        }
        let prefix = prefix.as_deref().unwrap_or_default().trim_matches('/').to_owned();
        if prefix.len() > PREFIX_LIMIT {
            return Err(LogBucketError::Prefix);
        }
        Ok(Some(Self { name, owner, prefix }))
    }

    /// Stores the log folder `folder`; returns where, as in
    /// `s3://bucket/prefix/TOE_…`.
    pub(crate) fn store(
        &self,
        folder: &Path,
        environment: &Environment,
    ) -> Result<String, LogBucketFailure> {
        let (address, url) = (self.address(folder), self.url(folder));
        let owner = self.owner.as_ref().map(Account::as_str);
        match store_folder(&settings(environment), folder, &address, owner) {
            Ok(()) => Ok(url),
            Err(source) => Err(LogBucketFailure { url, folder: folder.to_owned(), source }),
        }
    }

    fn url(&self, folder: &Path) -> String {
        let S3Address { bucket, key } = self.address(folder);
        format!("s3://{bucket}/{key}")
    }

    fn address(&self, folder: &Path) -> S3Address {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let separator = if self.prefix.is_empty() { "" } else { "/" };
        S3Address { bucket: self.name.clone(), key: format!("{}{separator}{name}", self.prefix) }
    }
}

/// Returns how S3 is reached.
pub(crate) fn settings(environment: &Environment) -> Settings {
    Settings::of(Service::S3, |name| environment.variable(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, prefix: Option<&str>, expected: Result<&str, &str>) {
        let bucket = LogBucket::of(Some(name.to_owned()), None, prefix.map(str::to_owned));
        let url = bucket.map(|bucket| bucket.unwrap().url(Path::new("/var/TOE_1_id")));
        let url = url.map_err(|error| error.to_string());
        match expected {
            Ok(expected) => assert_eq!(url.as_deref(), Ok(expected)),
            Err(part) => assert!(url.as_ref().is_err_and(|error| error.contains(part)), "{url:?}"),
        }
    }

    #[test]
    fn logs_go_below_the_prefix() {
        check("logs", None, Ok("s3://logs/TOE_1_id"));
        check("logs", Some("/"), Ok("s3://logs/TOE_1_id"));
        check("my.logs-1", Some("/a/b c/"), Ok("s3://my.logs-1/a/b c/TOE_1_id"));
    }

    #[test]
    fn what_cannot_be_a_bucket_is_refused() {
        for bad in ["", "ab", "a/b", "s3://logs", "log s", "-logs", "logs.", "...", "é-logs"] {
            check(bad, None, Err("is not a bucket"));
        }
        check("logs", Some(&"x".repeat(769)), Err("longer than 768 bytes"));
        let owner = Some("123456789012".parse().unwrap());
        for (owner, prefix, option) in [
            (owner, None, "--log-s3-bucket-owner"),
            (None, Some("a".to_owned()), "--log-s3-key-prefix"),
        ] {
            let refused = LogBucket::of(None, owner, prefix);
            assert_eq!(refused, Err(LogBucketError::NoBucket(option)));
        }
        assert_eq!(LogBucket::of(None, None, None), Ok(None));
    }
}
