//! The files that documents read and write, which are regular ones.
//!
//! A pipe would be waited for until somebody else opens it, whatever a step's
//! timeout says; a device may have no end.

use std::fs::{self, Metadata};
use std::path::Path;

use crate::action::FileError;

/// Looks at the file at `path`, links resolved; `None` if there is none.
pub(crate) fn find(path: &Path) -> Result<Option<Metadata>, FileError> {
    let Ok(metadata) = fs::metadata(path) else { return Ok(None) };
    if metadata.is_dir() {
        return Err(FileError::Folder(path.to_owned()));
    }
    if !metadata.is_file() {
        return Err(FileError::Special(path.to_owned()));
    }
    Ok(Some(metadata))
}

/// Looks at the file at `path`, links resolved, which has to be there.
pub(crate) fn require(path: &Path) -> Result<Metadata, FileError> {
    find(path)?.ok_or_else(|| FileError::Absent(path.to_owned()))
}
