//! `SetFilePermissions`: changes the mode of files.

use document::SetFilePermissions;
use rustix::fs::{Mode, chmod};

use super::FileError;
use crate::Machine;
use crate::files::require_any;

pub(crate) fn perform(inputs: &SetFilePermissions, machine: &Machine) -> Result<(), FileError> {
    let path = machine.path(&inputs.path);
    require_any(&path)?;
    chmod(&path, Mode::from_raw_mode(inputs.permissions.bits()))
        .map_err(FileError::io("change the permissions of", &path))
}
