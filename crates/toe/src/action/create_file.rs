//! `CreateFile`: writes files, with their parents.

use std::fs::OpenOptions;
use std::io::Write;

use document::CreateFile;
use rustix::fs::{Mode, fchmod, fchown};

use super::FileError;
use crate::Machine;
use crate::account::owners;
use crate::files::{find, find_itself};
use crate::paths::names_folder;
use crate::tree::make_parents;

pub(crate) fn perform(inputs: &CreateFile, machine: &Machine) -> Result<(), FileError> {
    let path = machine.path(&inputs.path);
    if names_folder(&inputs.path) {
        return Err(FileError::Folder(path));
    }
    find(&path)?;
    if !inputs.overwrite && find_itself(&path)?.is_some() {
        return Err(FileError::Exists(path));
    }
    let (owner, group) = owners(inputs.owner.as_deref(), inputs.group.as_deref())?;
    make_parents(&path)?;
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&path)
        .map_err(FileError::io("create", &path))?;
    // Before the content, which the permissions may have to protect. The
    // owner comes first because changing it clears the set-id bits.
    if owner.is_some() || group.is_some() {
        fchown(&file, owner, group).map_err(FileError::io("change the owner of", &path))?;
    }
    if let Some(mode) = inputs.permissions {
        fchmod(&file, Mode::from_raw_mode(mode.bits()))
            .map_err(FileError::io("change the permissions of", &path))?;
    }
    file.write_all(&inputs.encoding.encode(&inputs.content))
        .map_err(FileError::io("write to", &path))
}
