//! `DeleteFolder`: deletes folders.

use std::fs;
use std::io;

use document::DeleteFolder;

use super::FileError;
use crate::Machine;

/// Deletes what is there; a folder that is not there is no failure.
pub(crate) fn perform(inputs: &DeleteFolder, machine: &Machine) -> Result<(), FileError> {
    let path = machine.path(inputs.path.trim_end_matches('/'));
    match fs::symlink_metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        there => {
            if !there.map_err(FileError::io("look at", &path))?.is_dir() {
                return Err(FileError::NotAFolder(path));
            }
        }
    }
    let removed = if inputs.force { fs::remove_dir_all(&path) } else { fs::remove_dir(&path) };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
            Err(FileError::NotEmpty(path))
        }
        removed => removed.map_err(FileError::io("delete", &path)),
    }
}
