//! `CreateFolder`: makes folders, with their parents.

use std::fs;

use document::CreateFolder;
use rustix::fs::{Mode, chmod, chown};

use super::FileError;
use crate::Machine;
use crate::account::owners;

pub(crate) fn perform(inputs: &CreateFolder, machine: &Machine) -> Result<(), FileError> {
    let path = machine.path(&inputs.path);
    if path.exists() && !path.is_dir() {
        return Err(FileError::NotAFolder(path));
    }
    if !inputs.overwrite && path.exists() {
        return Err(FileError::Exists(path));
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
