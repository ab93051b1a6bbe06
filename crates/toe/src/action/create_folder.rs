//! `CreateFolder`: makes folders, with their parents.

use std::fs;

use document::CreateFolder;
use rustix::fs::{Mode, chmod, chown};

use super::FileError;
use crate::Machine;
use crate::account::owners;
use crate::files::find_any;

pub(crate) fn perform(inputs: &CreateFolder, machine: &Machine) -> Result<(), FileError> {
    let path = machine.path(&inputs.path);
    match find_any(&path)? {
        Some(there) if !there.is_dir() => return Err(FileError::NotAFolder(path)),
        Some(_) if !inputs.overwrite => return Err(FileError::Exists(path)),
        Some(_) | None => {}
    }
    let (owner, group) = owners(inputs.owner.as_deref(), inputs.group.as_deref())?;
    fs::create_dir_all(&path).map_err(FileError::io("create", &path))?;
    if owner.is_some() || group.is_some() {
        chown(&path, owner, group).map_err(FileError::io("change the owner of", &path))?;
    }
    if let Some(mode) = inputs.permissions {
        chmod(&path, Mode::from_raw_mode(mode.bits()))
            .map_err(FileError::io("change the permissions of", &path))?;
    }
    Ok(())
}
