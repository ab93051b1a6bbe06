//! Locks on files and folders: who holds one has it, or what is in it, for itself, until its
//! process ends.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;

/// How often those who wait for a file's lock look up.
const GLANCE: Duration = Duration::from_millis(100);

/// Waits for the lock on a folder, which is made if absent; it is held until the file is dropped.
pub(crate) fn lock_folder(path: &Path) -> io::Result<File> {
    fs::create_dir_all(path)?;
    let lock = File::open(path)?;
    lock.lock()?;
    Ok(lock)
}

/// Waits for the lock on a file, which is made if absent; it is held until the file is dropped.
/// Calls `waits` if another one holds it, and returns `None` once `given_up` says so.
pub(crate) fn lock_file(
    path: &Path,
    given_up: &dyn Fn() -> bool,
    waits: impl FnOnce(),
) -> io::Result<Option<File>> {
    let lock = File::options().create(true).append(true).open(path)?;
    let mut waits = Some(waits);
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(Some(lock)),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) => {}
        }
        if let Some(waits) = waits.take() {
            waits();
        }
        if given_up() {
            return Ok(None);
        }
        thread::sleep(GLANCE);
    }
}
