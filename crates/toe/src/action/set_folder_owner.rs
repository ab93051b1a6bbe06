//! `SetFolderOwner`: changes who owns folders and what is in them.

use std::os::unix::fs::{chown, lchown};

use document::SetFolderOwner;

use super::FileError;
use super::set_folder_permissions::require_folder;
use crate::Machine;
use crate::account::{group, user};
use crate::limit::Limit;
use crate::tree::walk;

pub(crate) fn perform(
    inputs: &SetFolderOwner,
    machine: &Machine,
    limit: &Limit,
) -> Result<(), FileError> {
    let path = require_folder(machine.path(&inputs.path))?;
    let owner = user(&inputs.owner)?;
    let gid = inputs.group.as_deref().map(group).transpose()?.or(owner.gid);
    let failed = "change the owner of";
    if !inputs.recursive {
        return chown(&path, Some(owner.uid), gid).map_err(FileError::io(failed, &path));
    }
    walk(&path, limit, &mut |path, _| {
        lchown(path, Some(owner.uid), gid).map_err(FileError::io(failed, path))
    })
}
