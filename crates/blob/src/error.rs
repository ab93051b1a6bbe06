//! Why a blob could not be read, written or removed.

use std::io;
use std::path::{Path, PathBuf};

use name::Digest;

/// Something failed at one path of a blob store.
#[derive(Debug, thiserror::Error)]
#[error("blob store: failed at `{}`", path.display())]
pub struct BlobError {
    path: PathBuf,
    #[source]
    kind: Box<BlobErrorKind>,
}

/// What failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BlobErrorKind {
    /// The blob is not in the store.
    #[error("there is no such blob")]
    Missing,
    /// The bytes under a blob's name are not the bytes the name stands for.
    #[error("the blob is corrupt: its bytes have the digest {actual}")]
    Corrupt {
        /// The digest of the bytes found.
        actual: Digest,
    },
    /// The bytes given are not the bytes that were announced.
    #[error("expected bytes with the digest {expected}, got {actual}")]
    WrongDigest {
        /// The digest announced.
        expected: Digest,
        /// The digest of the bytes given.
        actual: Digest,
    },
    /// The file system or the user's quota is full.
    #[error("no space is left on the file system")]
    Full(#[source] io::Error),
    /// A writer or another sweeper uses the store.
    #[error("the store is in use by a build")]
    Busy,
    /// Where the bytes come from failed, not the store.
    #[error("failed to read the bytes to store")]
    Source(#[source] io::Error),
    /// The file system failed.
    #[error("failed to {action}")]
    Io {
        /// What was attempted.
        action: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl BlobError {
    /// Returns what failed.
    pub fn kind(&self) -> &BlobErrorKind {
        &self.kind
    }

    /// Returns the file or folder it failed at.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn new(path: &Path, kind: BlobErrorKind) -> Self {
        Self { path: path.to_owned(), kind: Box::new(kind) }
    }

    /// Returns a closure for `map_err` that sorts a system error into a kind.
    pub(crate) fn during<'a>(
        action: &'static str,
        path: &'a Path,
    ) -> impl FnOnce(io::Error) -> Self + 'a {
        move |source| {
            let kind = match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    BlobErrorKind::Full(source)
                }
                _ => BlobErrorKind::Io { action, source },
            };
            Self::new(path, kind)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use rustix::io::Errno;

    use super::*;

    #[test]
    fn a_full_disk_is_a_kind_of_its_own() {
        let sort = |errno: Errno| BlobError::during("write", Path::new("/x"))(errno.into());
        assert!(matches!(sort(Errno::NOSPC).kind(), BlobErrorKind::Full(_)));
        assert!(matches!(sort(Errno::DQUOT).kind(), BlobErrorKind::Full(_)));
        assert!(matches!(sort(Errno::IO).kind(), BlobErrorKind::Io { .. }));
    }

    #[test]
    fn messages_name_the_file_and_do_not_repeat_the_source() {
        let error = BlobError::new(Path::new("/data/blobs/ab/cd"), BlobErrorKind::Missing);
        assert_eq!(error.to_string(), "blob store: failed at `/data/blobs/ab/cd`");
        assert_eq!(
            error.source().map(ToString::to_string).as_deref(),
            Some("there is no such blob")
        );
    }
}
