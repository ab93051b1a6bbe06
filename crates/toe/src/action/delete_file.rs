//! `DeleteFile`: deletes files, by name or by pattern.

use std::fs;
use std::io;

use document::DeleteFile;

use super::FileError;
use crate::Machine;
use crate::limit::Limit;
use crate::paths::expand;

/// Deletes what is there; a file that is not there is no failure (reference §2.6).
pub(crate) fn perform(
    inputs: &DeleteFile,
    machine: &Machine,
    limit: &Limit,
) -> Result<(), FileError> {
    let pattern = machine.path(&inputs.path);
    let found = match expand(&pattern) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        found => found.map_err(FileError::io("search", &pattern))?,
    };
    for path in found {
        limit.check()?;
        let is_folder = fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_dir());
        if is_folder && path == pattern {
            return Err(FileError::Folder(path));
        }
        if is_folder {
            continue;
        }
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            removed => removed.map_err(FileError::io("delete", &path))?,
        }
    }
    Ok(())
}
