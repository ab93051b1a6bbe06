//! `CopyFolder`: copies folders with all that is in them, by name or by pattern.

use std::path::Path;

use document::CopyFolder;

use super::FileError;
use super::copy_file::pairs;
use crate::Machine;
use crate::files::{find_itself, resolve};
use crate::limit::Limit;
use crate::tree::{Owners, copy, make_parents};

pub(crate) fn perform(
    inputs: &CopyFolder,
    machine: &Machine,
    limit: &Limit,
) -> Result<(), FileError> {
    let pairs = pairs(&inputs.source, &inputs.destination, machine, Path::is_dir)?;
    for (source, destination) in pairs {
        prepare(&source, &destination, inputs.overwrite)?;
        copy(&source, &destination, Owners::New, limit)?;
    }
    Ok(())
}

/// Checks that the folder `source` can go to `destination` and makes its parents.
pub(super) fn prepare(source: &Path, destination: &Path, overwrite: bool) -> Result<(), FileError> {
    let from = resolve(source)?;
    if !from.is_dir() {
        return Err(FileError::NotAFolder(source.to_owned()));
    }
    if find_itself(destination)?.is_some() {
        if !destination.is_dir() {
            return Err(FileError::NotAFolder(destination.to_owned()));
        }
        if !overwrite {
            return Err(FileError::Exists(destination.to_owned()));
        }
    }
    let nearest = destination.ancestors().find_map(|path| path.canonicalize().ok());
    if nearest.is_some_and(|nearest| nearest.starts_with(&from)) {
        return Err(FileError::Within(source.to_owned()));
    }
    make_parents(destination)
}
