//! `ListFiles`: tells which files are in folders.

use std::path::{Path, PathBuf};

use document::ListFiles;

use super::{ActionError, Bench, Done, FileError, output_name};
use crate::files::require_any;
use crate::limit::Limit;
use crate::paths::matches;
use crate::tree::entries;

pub(crate) fn perform(list: &[ListFiles], bench: &mut Bench<'_>) -> Result<Done, ActionError> {
    let limit = bench.limit();
    let mut outputs = Vec::new();
    for (index, inputs) in list.iter().enumerate() {
        let folder = bench.machine.path(&inputs.path);
        let mut found = Vec::new();
        collect(inputs, &folder, &limit, &mut found)?;
        let names: Vec<_> = found.iter().map(|path| path.to_string_lossy()).collect();
        outputs.push((output_name("files", index), names.join(",")));
    }
    Ok(Done { outputs, ..Done::default() })
}

fn collect(
    inputs: &ListFiles,
    folder: &Path,
    limit: &Limit,
    found: &mut Vec<PathBuf>,
) -> Result<(), FileError> {
    limit.check()?;
    if !require_any(folder)?.is_dir() {
        return Err(FileError::NotAFolder(folder.to_owned()));
    }
    for path in entries(folder)? {
        let name = path.file_name().unwrap_or_default();
        if path.is_file() && matches(inputs.file_name_pattern.as_ref(), name) {
            found.push(path);
        } else if inputs.recursive && path.is_dir() && !path.is_symlink() {
            collect(inputs, &path, limit, found)?;
        }
    }
    Ok(())
}
