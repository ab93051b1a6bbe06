//! `CreateSymlink`: makes symbolic links, with their parents.

use std::fs;
use std::os::unix::fs::symlink;

use document::CreateSymlink;

use super::FileError;
use crate::Machine;
use crate::files::{find_itself, require_any};
use crate::paths::names_folder;
use crate::tree::make_parents;

pub(crate) fn perform(inputs: &CreateSymlink, machine: &Machine) -> Result<(), FileError> {
    let path = machine.path(&inputs.path);
    if names_folder(&inputs.path) {
        return Err(FileError::Folder(path));
    }
    let parent = path.parent().unwrap_or(&path);
    let there = find_itself(&path)?;
    match &there {
        Some(there) if !there.is_symlink() => return Err(FileError::NotALink(path)),
        Some(_) if !inputs.force => return Err(FileError::LinkExists(path)),
        Some(_) | None => {}
    }
    make_parents(&path)?;
    // A relative target is what the link will mean, seen from its folder.
    require_any(&parent.join(&inputs.target))?;
    if there.is_some() {
        fs::remove_file(&path).map_err(FileError::io("replace", &path))?;
    }
    symlink(&inputs.target, &path).map_err(FileError::io("create", &path))
}
