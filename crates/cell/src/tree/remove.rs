//! Removes trees.

use std::fs;
use std::io;
use std::path::PathBuf;

/// Removes `paths` and all they hold; those that do not exist are passed over.
pub(crate) fn remove(paths: &[PathBuf]) -> io::Result<()> {
    for path in paths {
        match fs::remove_dir_all(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(io::Error::other(format!(
                    "failed to remove {}: {error}",
                    path.display()
                )));
            }
        }
    }
    Ok(())
}
