//! `SetFileEncoding`: converts files from UTF-8 to another encoding.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::Path;

use document::{Encoding, SetFileEncoding};

use super::FileError;
use crate::Machine;
use crate::files::{require, resolve};
use crate::limit::Limit;
use crate::part::Part;

pub(crate) fn perform(
    inputs: &SetFileEncoding,
    machine: &Machine,
    limit: &Limit,
) -> Result<(), FileError> {
    let path = resolve(&machine.path(&inputs.path))?;
    let metadata = require(&path)?;
    let source = File::open(&path).map_err(FileError::io("read", &path))?;
    let mut part = Part::create(&path)?;
    let owned = fchown(&part.file, Some(metadata.uid()), Some(metadata.gid()))
        .and_then(|()| part.file.set_permissions(metadata.permissions()));
    owned.map_err(FileError::io("keep the owner of", &path))?;
    convert(limit.reader(source), &mut part, inputs.encoding, &path)?;
    part.keep()
}

/// Writes what `source` holds as UTF-8 to `part` in `encoding`, piece by piece.
fn convert(
    mut source: impl Read,
    part: &mut Part,
    encoding: Encoding,
    path: &Path,
) -> Result<(), FileError> {
    let mut buffer = vec![0; 64 << 10];
    // Bytes of a character whose end is still to come.
    let mut held = 0;
    loop {
        let read = match source.read(&mut buffer[held..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read.map_err(FileError::io("read", path))?,
        };
        let bytes = &buffer[..held + read];
        let whole = match str::from_utf8(bytes) {
            Err(error) if error.error_len().is_none() && read > 0 => error.valid_up_to(),
            Ok(_) | Err(_) => bytes.len(),
        };
        let text = str::from_utf8(&bytes[..whole]);
        let text = text.map_err(|source| FileError::NotUtf8 { path: path.to_owned(), source })?;
        part.file
            .write_all(&encoding.encode(text))
            .map_err(FileError::io("write to", part.path()))?;
        if read == 0 {
            return Ok(());
        }
        held = held + read - whole;
        buffer.copy_within(whole..whole + held, 0);
    }
}
