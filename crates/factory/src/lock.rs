//! Locks on folders: who holds one has what is in the folder for itself, until its process ends.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Waits for the lock on a folder, which is made if absent; it is held until the file is dropped.
pub(crate) fn lock_folder(path: &Path) -> io::Result<File> {
    fs::create_dir_all(path)?;
    let lock = File::open(path)?;
    lock.lock()?;
    Ok(lock)
}
