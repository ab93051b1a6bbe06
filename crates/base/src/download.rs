//! Fetches a file whose digest is known beforehand.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

use name::Digest;
use sha2::Digest as _;

use crate::receipt::Watch;

/// A file could not be fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// The server refused or could not be reached.
    #[error("failed to fetch {url}")]
    Fetch {
        /// What was asked for.
        url: String,
        /// Why.
        #[source]
        source: Box<ureq::Error>,
    },
    /// Reading or writing failed midway.
    #[error("failed to copy {from}")]
    Copy {
        /// The URL or path.
        from: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The bytes are others than were asked for.
    #[error("{from} has the digest {actual}, expected {expected}")]
    WrongDigest {
        /// The URL or path.
        from: String,
        /// What was asked for.
        expected: Digest,
        /// What came.
        actual: Digest,
    },
    /// The watcher gave up.
    #[error("cancelled")]
    Cancelled,
}

/// Opens `url` for reading.
pub(crate) fn open(url: &str) -> Result<impl Read, DownloadError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ureq::tls::TlsConfig::builder()
        .provider(ureq::tls::TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(provider)
        .build();
    let agent: ureq::Agent = ureq::Agent::config_builder().tls_config(tls).build().into();
    let response = agent
        .get(url)
        .call()
        .map_err(|source| DownloadError::Fetch { url: url.to_owned(), source: Box::new(source) })?;
    Ok(response.into_body().into_reader())
}

/// Copies `source` to the new file `to` and checks that it has the digest `expected`.
pub(crate) fn copy(
    from: &str,
    source: &mut impl Read,
    to: &Path,
    expected: &Digest,
    watch: &dyn Watch,
) -> Result<(), DownloadError> {
    let fail = |source| DownloadError::Copy { from: from.to_owned(), source };
    let mut file = File::create(to).map_err(fail)?;
    let mut hash = sha2::Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        if watch.cancelled() {
            return Err(DownloadError::Cancelled);
        }
        let n = source.read(&mut buffer).map_err(fail)?;
        if n == 0 {
            break;
        }
        hash.update(&buffer[..n]);
        file.write_all(&buffer[..n]).map_err(fail)?;
    }
    let actual = Digest::from_bytes(hash.finalize().into());
    if actual != *expected {
        let from = from.to_owned();
        return Err(DownloadError::WrongDigest { from, expected: *expected, actual });
    }
    Ok(())
}
