//! `MoveFile`: moves files, by name or by pattern.

use std::fs;
use std::io;
use std::path::Path;

use document::MoveFile;

use super::FileError;
use super::copy_file::{pairs, prepare};
use crate::Machine;
use crate::tree::keep_owner;

pub(crate) fn perform(inputs: &MoveFile, machine: &Machine) -> Result<(), FileError> {
    for (source, destination) in pairs(&inputs.source, &inputs.destination, machine, Path::is_file)?
    {
        prepare(&source, &destination, inputs.overwrite)?;
        match fs::rename(&source, &destination) {
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                carry(&source, &destination)
            }
            renamed => renamed,
        }
        .map_err(FileError::io("move", &source))?;
    }
    Ok(())
}

/// Moves a file to another file system, with its owner, mode and times.
fn carry(source: &Path, destination: &Path) -> io::Result<()> {
    let metadata = fs::metadata(source)?;
    fs::copy(source, destination)?;
    keep_owner(destination, &metadata)?;
    fs::remove_file(source)
}
