//! `DeleteFolder`: deletes folders.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use document::DeleteFolder;

use super::FileError;
use crate::Machine;
use crate::files::{find_itself, require_any};
use crate::limit::Limit;
use crate::tree::remove;

/// Deletes what is there; a folder that is not there is no failure.
pub(crate) fn perform(
    inputs: &DeleteFolder,
    machine: &Machine,
    limit: &Limit,
) -> Result<(), FileError> {
    let name = inputs.path.trim_end_matches('/');
    // Nothing but slashes is the root, not the working directory.
    let path = machine.path(if name.is_empty() { &inputs.path } else { name });
    let Some(there) = find_itself(&path)? else { return Ok(()) };
    if !there.is_dir() {
        return Err(FileError::NotAFolder(path));
    }
    let root = require_any(Path::new("/"))?;
    if (there.dev(), there.ino()) == (root.dev(), root.ino()) {
        return Err(FileError::Root(path));
    }
    if inputs.force {
        return remove(&path, limit);
    }
    match fs::remove_dir(&path) {
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
            Err(FileError::NotEmpty(path))
        }
        removed => removed.map_err(FileError::io("delete", &path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::chain;
    use crate::clock::Deadline;

    /// Without `force`, so that a mistake here deletes nothing.
    #[test]
    fn the_root_is_no_folder_to_delete() {
        let folder = tempfile::tempdir().unwrap();
        let machine = Machine { folder: folder.path().to_owned(), ..Machine::default() };
        let limit = Limit::new(Deadline::after(None), &machine.stop);
        for path in ["/", "//", "/.", "/tmp/.."] {
            let inputs = DeleteFolder { path: path.into(), force: false };
            let error = perform(&inputs, &machine, &limit).unwrap_err();
            assert!(chain(&error).ends_with("is the root, which cannot be deleted"), "{error}");
        }
        assert!(folder.path().exists());
    }
}
