//! `MoveFolder`: moves folders with all that is in them, by name or by pattern.

use std::path::Path;

use document::MoveFolder;

use super::FileError;
use super::copy_file::pairs;
use super::copy_folder::prepare;
use crate::Machine;
use crate::limit::Limit;
use crate::tree::shift;

pub(crate) fn perform(
    inputs: &MoveFolder,
    machine: &Machine,
    limit: &Limit,
) -> Result<(), FileError> {
    let pairs = pairs(&inputs.source, &inputs.destination, machine, Path::is_dir)?;
    for (source, destination) in pairs {
        prepare(&source, &destination, inputs.overwrite)?;
        shift(&source, &destination, limit)?;
    }
    Ok(())
}
