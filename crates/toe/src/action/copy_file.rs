//! `CopyFile`: copies files, by name or by pattern.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use document::CopyFile;

use super::FileError;
use crate::Machine;
use crate::files::{copy, find, find_itself, require};
use crate::limit::Limit;
use crate::paths::{expand, names_folder};
use crate::tree::make_parents;

pub(crate) fn perform(
    inputs: &CopyFile,
    machine: &Machine,
    limit: &Limit,
) -> Result<(), FileError> {
    for (source, destination) in pairs(&inputs.source, &inputs.destination, machine, Path::is_file)?
    {
        prepare(&source, &destination, inputs.overwrite)?;
        copy(&source, &destination, limit)?;
    }
    Ok(())
}

/// Returns what goes where; a pattern stands only for what is `wanted`.
pub(super) fn pairs(
    source: &str,
    destination: &str,
    machine: &Machine,
    wanted: fn(&Path) -> bool,
) -> Result<Vec<(PathBuf, PathBuf)>, FileError> {
    let pattern = machine.path(source);
    let target = machine.path(destination);
    let is_pattern =
        pattern.file_name().is_some_and(|name| name.as_encoded_bytes().contains(&b'*'));
    let mut sources = expand(&pattern).map_err(FileError::io("search", &pattern))?;
    if is_pattern {
        sources.retain(|path| wanted(path));
    }
    if sources.is_empty() {
        return Err(FileError::NoMatch(pattern));
    }
    if names_folder(destination) {
        let into = |path: PathBuf| path.file_name().map(|name| (path.clone(), target.join(name)));
        return Ok(sources.into_iter().filter_map(into).collect());
    }
    if sources.len() > 1 {
        return Err(FileError::Several(pattern));
    }
    Ok(sources.into_iter().map(|path| (path, target.clone())).collect())
}

/// Checks that `source` can go to `destination` and makes its parents.
pub(super) fn prepare(source: &Path, destination: &Path, overwrite: bool) -> Result<(), FileError> {
    let from = require(source)?;
    let to = find(destination)?;
    if to.is_some_and(|to| (to.dev(), to.ino()) == (from.dev(), from.ino())) {
        return Err(FileError::Same(source.to_owned()));
    }
    if !overwrite && find_itself(destination)?.is_some() {
        return Err(FileError::Exists(destination.to_owned()));
    }
    make_parents(destination)
}
