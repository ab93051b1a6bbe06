//! Writes and reads files that a machine's cell shares with the factory.
//!
//! The cell could have put anything in their place: links are not followed.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{OpenOptionsExt, fchown};
use std::path::Path;

use cell::Cells;
use rustix::fs::OFlags;

/// Writes a file that only the cells' root may read. `path` is relative to the
/// data folder.
pub(super) fn put(cells: &Cells, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(cells.data().join(path))?;
    let (user, group) = cells.ids().root();
    fchown(&file, Some(user), Some(group))?;
    file.write_all(bytes)
}

/// Returns the size of a file in bytes, 0 where there is none.
pub(super) fn size(path: &Path) -> u64 {
    path.symlink_metadata().map_or(0, |meta| meta.len())
}

/// Returns up to `limit` bytes of the end of a file, nothing where there is none.
pub(super) fn end(path: &Path, limit: u64) -> Vec<u8> {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::from(rustix::fs::open(
            path,
            // A pipe in its place would keep the factory waiting.
            OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC,
            rustix::fs::Mode::empty(),
        )?);
        let start = file.metadata()?.len().saturating_sub(limit);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    // What is read here only illustrates an error that is told anyway.
    read().unwrap_or_default()
}
