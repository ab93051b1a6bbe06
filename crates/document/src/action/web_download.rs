//! `WebDownload`: fetches files over HTTP.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

/// One file that `WebDownload` fetches.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend(
    "dependentRequired" = { "checksum": ["algorithm"], "algorithm": ["checksum"] }
))]
pub struct WebDownload {
    /// The file's address.
    #[schemars(extend("format" = "web-address"))]
    pub source: String,
    /// Where it goes; a folder if it ends in `/`. Parents are created.
    #[schemars(length(min = 1))]
    pub destination: String,
    /// Whether an existing file is replaced; if not, it fails the step.
    #[serde(default = "super::yes")]
    pub overwrite: bool,
    /// The digest the file must have, in hex.
    pub checksum: Option<String>,
    /// What `checksum` was computed with.
    pub algorithm: Option<Algorithm>,
    /// Whether any certificate is taken.
    #[serde(default)]
    pub ignore_certificate_errors: bool,
}

/// A digest algorithm that `WebDownload` and conditions know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Algorithm {
    /// MD5, 128 bits.
    Md5,
    /// SHA-1, 160 bits.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
        })
    }
}
