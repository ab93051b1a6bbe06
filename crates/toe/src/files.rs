//! What is at a path, and the files that documents read and write, which are
//! regular ones.
//!
//! A pipe would be waited for until somebody else opens it, whatever a step's
//! timeout says; a device may have no end.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::action::FileError;
use crate::limit::Limit;

/// How much is copied before the limit is looked at again, in bytes. The
/// kernel copies as much by itself, or makes both files share it.
const PIECE: u64 = 8 << 20;

/// Looks at the file at `path`, links resolved; `None` if there is none.
pub(crate) fn find(path: &Path) -> Result<Option<Metadata>, FileError> {
    let Some(metadata) = find_any(path)? else { return Ok(None) };
    if metadata.is_dir() {
        return Err(FileError::Folder(path.to_owned()));
    }
    if !metadata.is_file() {
        return Err(FileError::Special(path.to_owned()));
    }
    Ok(Some(metadata))
}

/// Looks at the file at `path`, links resolved, which has to be there.
pub(crate) fn require(path: &Path) -> Result<Metadata, FileError> {
    find(path)?.ok_or_else(|| FileError::Absent(path.to_owned()))
}

/// Looks at what is at `path`, links resolved; `None` if nothing is.
pub(crate) fn find_any(path: &Path) -> Result<Option<Metadata>, FileError> {
    there(fs::metadata(path), path)
}

/// Looks at what is at `path`, links resolved, where something has to be.
pub(crate) fn require_any(path: &Path) -> Result<Metadata, FileError> {
    find_any(path)?.ok_or_else(|| FileError::Absent(path.to_owned()))
}

/// Looks at what is at `path`, be it a link; `None` if nothing is.
pub(crate) fn find_itself(path: &Path) -> Result<Option<Metadata>, FileError> {
    there(fs::symlink_metadata(path), path)
}

/// Returns where `path` leads, links resolved, where something has to be.
pub(crate) fn resolve(path: &Path) -> Result<PathBuf, FileError> {
    there(path.canonicalize(), path)?.ok_or_else(|| FileError::Absent(path.to_owned()))
}

/// Takes what says that nothing is there from what says that nobody knows.
fn there<T>(found: io::Result<T>, path: &Path) -> Result<Option<T>, FileError> {
    match found {
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            Ok(None)
        }
        found => found.map(Some).map_err(FileError::io("look at", path)),
    }
}

/// Returns what the file at `path` holds, as long as `limit` lets it; fails if
/// that is longer than `size` bytes, whatever the file says of itself.
pub(crate) fn read(path: &Path, size: usize, limit: &Limit) -> Result<Vec<u8>, FileError> {
    require(path)?;
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| limit.reader(file).take(size as u64 + 1).read_to_end(&mut bytes))
        .map_err(FileError::io("read", path))?;
    if bytes.len() > size {
        return Err(FileError::TooLarge { path: path.to_owned(), limit: size });
    }
    Ok(bytes)
}

/// Copies the content and mode of the file `source`, as long as `limit` lets it.
pub(crate) fn copy(source: &Path, target: &Path, limit: &Limit) -> Result<(), FileError> {
    let failed = |error: io::Error| FileError::io("copy", source)(error);
    let from = File::open(source).map_err(failed)?;
    let permissions = from.metadata().map_err(failed)?.permissions();
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(permissions.mode());
    let mut to = options.open(target).map_err(failed)?;
    // One that is there has a mode of its own.
    to.set_permissions(permissions).map_err(failed)?;
    loop {
        limit.check()?;
        if io::copy(&mut (&from).take(PIECE), &mut to).map_err(failed)? == 0 {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::cause::chain;
    use crate::clock::Deadline;
    use crate::limit::LimitError;

    #[test]
    fn files_are_read_up_to_a_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "text").unwrap();
        let within = |left| Limit::new(Deadline::after(left), &Arc::default());
        let told = |path: &str, size, left| {
            read(Path::new(path), size, &within(left)).map_err(|error| chain(&error))
        };
        let path = path.to_str().unwrap();
        assert_eq!(told(path, 4, None).as_deref(), Ok(&b"text"[..]));
        let too_large = |path, size| Err(format!("`{path}` is larger than {size} bytes"));
        assert_eq!(told(path, 3, None), too_large(path, 3));
        // The kernel's files have no length.
        assert_eq!(told("/proc/self/status", 10, None), too_large("/proc/self/status", 10));
        let ended = Err(format!("failed to read `{path}`: its time is up"));
        assert_eq!(told(path, 4, Some(Duration::ZERO)), ended);
    }

    #[test]
    fn copies_are_whole_or_end_with_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let [source, target] = ["a", "b"].map(|name| folder.path().join(name));
        let bytes: Vec<u8> = (0..3 << 20_u32).flat_map(u32::to_le_bytes).collect();
        fs::write(&source, &bytes).unwrap();
        fs::set_permissions(&source, fs::Permissions::from_mode(0o640)).unwrap();
        fs::write(&target, "more").unwrap();
        let within = |left| Limit::new(Deadline::after(left), &Arc::default());
        let ended = copy(&source, &target, &within(Some(Duration::ZERO)));
        assert!(matches!(ended, Err(FileError::Limit(LimitError::TimedOut))), "{ended:?}");
        assert_eq!(fs::read(&target).unwrap(), b"");
        copy(&source, &target, &within(None)).unwrap();
        assert!(fs::read(&target).unwrap() == bytes);
        assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o640);
    }
}
