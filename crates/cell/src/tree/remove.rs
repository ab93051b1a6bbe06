//! Removes trees.

use std::fs;
use std::io;
use std::path::PathBuf;

/// Removes `paths` and all they hold; those that do not exist are passed over.
/// Goes on after a failure, and then tells the first.
pub(crate) fn remove(paths: &[PathBuf]) -> io::Result<()> {
    let mut result = Ok(());
    for path in paths {
        match fs::remove_dir_all(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                let told = format!("failed to remove {}: {error}", path.display());
                result = result.and(Err(io::Error::other(told)));
            }
        }
    }
    result
}
