//! What goes wrong with files and folders, whichever module works on them.

use std::io;
use std::path::{Path, PathBuf};
use std::str::Utf8Error;

use document::DecodeTextError;

use crate::account::AccountError;
use crate::limit::LimitError;

/// Work on a file or folder failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("`{0}` exists already and `overwrite` is false")]
    Exists(PathBuf),
    #[error("`{0}` does not exist")]
    Absent(PathBuf),
    #[error("`{0}` exists already and `force` is false")]
    LinkExists(PathBuf),
    #[error("`{0}` exists and is not a link")]
    NotALink(PathBuf),
    #[error("nothing matches `{0}`")]
    NoMatch(PathBuf),
    #[error("`{0}` matches several files, so `destination` must be a folder and end in `/`")]
    Several(PathBuf),
    #[error("`{0}` is a folder")]
    Folder(PathBuf),
    #[error("`{0}` is not a folder")]
    NotAFolder(PathBuf),
    #[error("`{0}` is the root, which cannot be deleted")]
    Root(PathBuf),
    #[error("`{0}` is not empty and `force` is false")]
    NotEmpty(PathBuf),
    #[error("`{0}` is neither a file nor a folder")]
    Special(PathBuf),
    #[error("`{0}` and the destination are the same file")]
    Same(PathBuf),
    #[error("the destination lies in `{0}` itself")]
    Within(PathBuf),
    #[error("`{path}` is larger than {limit} bytes")]
    TooLarge { path: PathBuf, limit: usize },
    #[error("failed to read `{path}`")]
    Text { path: PathBuf, source: DecodeTextError },
    #[error("`{path}` is no text in UTF-8")]
    NotUtf8 { path: PathBuf, source: Utf8Error },
    #[error("failed to {doing} `{path}`")]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error(transparent)]
    Limit(#[from] LimitError),
}

impl FileError {
    /// Returns what wraps the system's error while `doing` something to `path`.
    pub(crate) fn io<E: Into<io::Error>>(
        doing: &'static str,
        path: &Path,
    ) -> impl FnOnce(E) -> Self {
        let path = path.to_owned();
        move |error| Self::Io { doing, path, source: error.into() }
    }
}
