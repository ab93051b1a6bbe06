//! A file in the making: it takes its name when it is whole.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::action::FileError;

/// A file that is removed unless it was [kept](Part::keep).
pub(crate) struct Part {
    path: PathBuf,
    target: PathBuf,
    pub(crate) file: File,
}

impl Part {
    /// Begins what is to become `target`, in the same folder.
    pub(crate) fn create(target: &Path) -> Result<Self, FileError> {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let path = target.with_file_name(format!(".{name}.part"));
        // What an interrupted step left; `create_new` then makes sure that
        // nobody put a link in its place.
        let _absent = fs::remove_file(&path);
        let file = File::create_new(&path).map_err(FileError::io("create", &path))?;
        Ok(Self { path, target: target.to_owned(), file })
    }

    /// Returns where the part is until then.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file its name, replacing what has it.
    pub(crate) fn keep(self) -> Result<(), FileError> {
        fs::rename(&self.path, &self.target).map_err(FileError::io("create", &self.target))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _renamed = fs::remove_file(&self.path);
    }
}
