//! Reads one file of a layered tree.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;

use crate::overlay;

/// Copies `file` of the tree that `layers` make to `out`; nothing if there is
/// no such file. Links lead to places inside the tree only.
pub(crate) fn read(layers: &[PathBuf], file: &Path, out: &mut impl Write) -> io::Result<()> {
    let at = Path::new("/tmp/tree");
    overlay::mount_readable(layers, at)?;
    let root = openat(CWD, at, OFlags::PATH | OFlags::DIRECTORY, Mode::empty())?;
    match open(&root, file) {
        Ok(found) => drop(io::copy(&mut File::from(found), out)?),
        Err(Errno::NOENT | Errno::NOTDIR) => {}
        Err(error) => return Err(io::Error::other(format!("{}: {error}", file.display()))),
    }
    Ok(())
}

/// Opens `file` for reading, below `root` wherever its links lead.
fn open(root: &OwnedFd, file: &Path) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    // The kernel gives up with EAGAIN when a path with `..` (here a link such
    // as os-release's) is resolved while anything on the machine is renamed
    // or mounted, and asks to be called again: openat2(2).
    loop {
        match openat2(root, file, flags, Mode::empty(), ResolveFlags::IN_ROOT) {
            Err(Errno::AGAIN) => std::thread::yield_now(),
            opened => return opened,
        }
    }
}
