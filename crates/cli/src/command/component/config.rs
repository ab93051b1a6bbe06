//! The configuration file of AWS's runner (reference §2.8).

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::order::OrderError;

/// What a configuration file may hold.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Config {
    #[serde(default)]
    pub(crate) cw_ignore_failures: bool,
    pub(crate) cw_log_group: Option<String>,
    pub(crate) cw_log_region: Option<String>,
    pub(crate) cw_log_stream: Option<String>,
    #[serde(rename = "documentS3BucketOwner")]
    pub(crate) document_s3_bucket_owner: Option<String>,
    #[serde(default)]
    pub(crate) documents: Vec<ConfigDocument>,
    pub(crate) execution_id: Option<String>,
    pub(crate) log_directory: Option<PathBuf>,
    #[serde(rename = "logS3BucketName")]
    pub(crate) log_s3_bucket_name: Option<String>,
    #[serde(rename = "logS3BucketOwner")]
    pub(crate) log_s3_bucket_owner: Option<String>,
    #[serde(rename = "logS3KeyPrefix")]
    pub(crate) log_s3_key_prefix: Option<String>,
    #[serde(default)]
    pub(crate) parameters: Vec<ConfigParameter>,
    pub(crate) phases: Option<String>,
    pub(crate) state_directory: Option<PathBuf>,
    #[serde(default)]
    pub(crate) trace: bool,
}

/// A document and the parameters that it gets besides those of all.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfigDocument {
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) parameters: Vec<ConfigParameter>,
}

/// A parameter's value.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfigParameter {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl Config {
    /// Reads the file at `path`.
    pub(crate) fn read(path: &Path) -> Result<Self, OrderError> {
        if path.to_string_lossy().starts_with("s3://") {
            return Err(OrderError::RemoteConfig(path.to_owned()));
        }
        let text = fs::read_to_string(path)
            .map_err(|source| OrderError::ReadConfig { path: path.to_owned(), source })?;
        let config: Self = serde_json::from_str(&text)
            .map_err(|source| OrderError::Config { path: path.to_owned(), source })?;
        if config.documents.is_empty() {
            return Err(OrderError::NoDocument);
        }
        Ok(config)
    }
}
