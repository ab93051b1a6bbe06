//! Reads one file of a layered tree.

use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use crate::{Folder, overlay};

/// The largest file that is read, in bytes. The reader holds it in memory.
const MOST: u64 = 1 << 20;

/// Copies `file` of the tree that `layers` make to `out`; nothing if there is
/// no such file. Links lead to places inside the tree only.
pub(crate) fn read(layers: &[PathBuf], file: &Path, out: &mut impl Write) -> io::Result<()> {
    let at = Path::new("/tmp/tree");
    overlay::mount_readable(layers, at)?;
    match copy(&Folder::open(at)?, file, out) {
        Err(error) if [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&error.kind()) => {
            Ok(())
        }
        copied => copied.map_err(|error| io::Error::other(format!("{}: {error}", file.display()))),
    }
}

fn copy(tree: &Folder, file: &Path, out: &mut impl Write) -> io::Result<()> {
    let found = tree.file(file)?;
    if io::copy(&mut found.take(MOST + 1), out)? > MOST {
        return Err(io::Error::other(format!("it has more than {MOST} bytes")));
    }
    Ok(())
}
