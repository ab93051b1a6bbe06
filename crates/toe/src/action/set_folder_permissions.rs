//! `SetFolderPermissions`: changes the mode of folders and of what is in them.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use document::SetFolderPermissions;

use super::FileError;
use crate::Machine;
use crate::files::resolve;
use crate::limit::Limit;
use crate::tree::walk;

pub(crate) fn perform(
    inputs: &SetFolderPermissions,
    machine: &Machine,
    limit: &Limit,
) -> Result<(), FileError> {
    let path = require_folder(machine.path(&inputs.path))?;
    let permissions = Permissions::from_mode(inputs.permissions.bits());
    let failed = "change the permissions of";
    if !inputs.recursive {
        return fs::set_permissions(&path, permissions).map_err(FileError::io(failed, &path));
    }
    walk(&path, limit, &mut |path, metadata| {
        // Links have no mode of their own.
        if metadata.is_symlink() {
            return Ok(());
        }
        fs::set_permissions(path, permissions.clone()).map_err(FileError::io(failed, path))
    })
}

/// Returns the folder at `path`, links resolved.
pub(super) fn require_folder(path: PathBuf) -> Result<PathBuf, FileError> {
    let folder = resolve(&path)?;
    if folder.is_dir() { Ok(folder) } else { Err(FileError::NotAFolder(path)) }
}
