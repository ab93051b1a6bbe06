//! `MoveFile`: moves files, by name or by pattern.

use std::fs::{self, FileTimes};
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;

use document::MoveFile;

use super::FileError;
use super::copy_file::{pairs, prepare};
use crate::Machine;

pub(crate) fn perform(inputs: &MoveFile, machine: &Machine) -> Result<(), FileError> {
    for (source, destination) in pairs(&inputs.source, &inputs.destination, machine)? {
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
    chown(destination, Some(metadata.uid()), Some(metadata.gid()))?;
    // Changing the owner clears set-id bits, so the mode comes after it.
    fs::set_permissions(destination, metadata.permissions())?;
    let times =
        FileTimes::new().set_accessed(metadata.accessed()?).set_modified(metadata.modified()?);
    fs::File::options().write(true).open(destination)?.set_times(times)?;
    fs::remove_file(source)
}
