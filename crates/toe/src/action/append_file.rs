//! `AppendFile`: adds text at the end of files that exist.

use std::fs::OpenOptions;
use std::io::Write;

use document::AppendFile;

use super::FileError;
use crate::Machine;
use crate::files::require;

pub(crate) fn perform(inputs: &AppendFile, machine: &Machine) -> Result<(), FileError> {
    let path = machine.path(&inputs.path);
    require(&path)?;
    let mut file =
        OpenOptions::new().append(true).open(&path).map_err(FileError::io("open", &path))?;
    file.write_all(&inputs.encoding.encode(&inputs.content))
        .map_err(FileError::io("append to", &path))
}
