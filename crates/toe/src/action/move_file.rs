//! `MoveFile`: moves files, by name or by pattern.

use std::path::Path;

use document::MoveFile;

use super::FileError;
use super::copy_file::{pairs, prepare};
use crate::Machine;
use crate::limit::Limit;
use crate::tree::shift;

pub(crate) fn perform(
    inputs: &MoveFile,
    machine: &Machine,
    limit: &Limit,
) -> Result<(), FileError> {
    for (source, destination) in pairs(&inputs.source, &inputs.destination, machine, Path::is_file)?
    {
        prepare(&source, &destination, inputs.overwrite)?;
        shift(&source, &destination, limit)?;
    }
    Ok(())
}
