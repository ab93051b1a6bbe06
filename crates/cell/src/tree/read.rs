//! Reads one file of a layered tree.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};

use crate::overlay;

/// Copies `file` of the tree that `layers` make to `out`. Links lead to places
/// inside the tree only.
pub(crate) fn read(layers: &[PathBuf], file: &Path, out: &mut impl Write) -> io::Result<()> {
    let at = Path::new("/tmp/tree");
    overlay::mount_readable(layers, at)?;
    let root = openat(CWD, at, OFlags::PATH | OFlags::DIRECTORY, Mode::empty())?;
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let found = openat2(&root, file, flags, Mode::empty(), ResolveFlags::IN_ROOT)
        .map_err(|error| io::Error::other(format!("{}: {error}", file.display())))?;
    io::copy(&mut File::from(found), out)?;
    Ok(())
}
