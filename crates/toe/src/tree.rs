//! Folders with all that is in them: walks, copies, moves and their end; and
//! those that something lies in.
//!
//! Links are taken as they are and never followed, so that nothing outside
//! the folder is touched.

use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, chown, lchown, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, Dir, Mode, OFlags, Timespec, Timestamps, openat, unlinkat, utimensat,
};
use rustix::io::Errno;
use rustix::path::Arg;

use crate::action::FileError;
use crate::files::{self, find_itself};
use crate::limit::Limit;

/// Calls `visit` with `folder` and all that is in it, what is in a folder
/// before the folder itself, as long as `limit` lets it.
pub(crate) fn walk(
    folder: &Path,
    limit: &Limit,
    visit: &mut dyn FnMut(&Path, &Metadata) -> Result<(), FileError>,
) -> Result<(), FileError> {
    for path in entries(folder)? {
        let metadata = look(&path)?;
        if metadata.is_dir() {
            walk(&path, limit, visit)?;
        } else {
            limit.check()?;
            visit(&path, &metadata)?;
        }
    }
    limit.check()?;
    visit(folder, &look(folder)?)
}

/// Returns the paths of what is in `folder`, sorted.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let list = fs::read_dir(folder).map_err(FileError::io("list", folder))?;
    let paths = list.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths.collect::<Result<Vec<_>, _>>().map_err(FileError::io("list", folder))?;
    paths.sort();
    Ok(paths)
}

/// Makes the folders that `path` lies in.
pub(crate) fn make_parents(path: &Path) -> Result<(), FileError> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent).map_err(|error| {
        let in_the_way = parent.ancestors().find(|path| path.symlink_metadata().is_ok());
        match (error.kind(), in_the_way) {
            (io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory, Some(path)) => {
                FileError::NotAFolder(path.to_owned())
            }
            (_, _) => FileError::io("create", parent)(error),
        }
    })
}

/// Whether a copy belongs to whom its source belonged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owners {
    /// It belongs to whoever copies.
    New,
    /// Owners and times are those of the source.
    Kept,
}

/// Copies the folder `source` into `destination`, which may be there already,
/// as long as `limit` lets it.
pub(crate) fn copy(
    source: &Path,
    destination: &Path,
    owners: Owners,
    limit: &Limit,
) -> Result<(), FileError> {
    let metadata = look(source)?;
    let is_new = !destination.is_dir();
    if is_new {
        fs::create_dir(destination).map_err(FileError::io("create", destination))?;
    }
    for path in entries(source)? {
        let target = destination.join(path.file_name().unwrap_or_default());
        copy_entry(&path, &target, owners, limit)?;
    }
    if is_new {
        let set = |set: io::Result<()>| set.map_err(FileError::io("set the mode of", destination));
        if owners == Owners::Kept {
            set(chown(destination, Some(metadata.uid()), Some(metadata.gid())))?;
        }
        set(fs::set_permissions(destination, metadata.permissions()))?;
    }
    Ok(())
}

fn copy_entry(
    source: &Path,
    target: &Path,
    owners: Owners,
    limit: &Limit,
) -> Result<(), FileError> {
    limit.check()?;
    let metadata = look(source)?;
    if metadata.is_dir() {
        if find_itself(target)?.is_some_and(|there| !there.is_dir()) {
            return Err(FileError::NotAFolder(target.to_owned()));
        }
        return copy(source, target, owners, limit);
    }
    if !metadata.is_file() && !metadata.is_symlink() {
        return Err(FileError::Special(source.to_owned()));
    }
    make_way(target)?;
    let copied = if metadata.is_symlink() {
        copy_link(source, target, &metadata, owners)
    } else {
        files::copy(source, target, limit)?;
        match owners {
            Owners::New => Ok(()),
            Owners::Kept => keep_owner(target, &metadata),
        }
    };
    copied.map_err(FileError::io("copy", source))
}

fn copy_link(source: &Path, target: &Path, from: &Metadata, owners: Owners) -> io::Result<()> {
    symlink(fs::read_link(source)?, target)?;
    match owners {
        Owners::New => Ok(()),
        Owners::Kept => lchown(target, Some(from.uid()), Some(from.gid())),
    }
}

/// Gives the file `target` the owner, mode and times of `from`.
fn keep_owner(target: &Path, from: &Metadata) -> io::Result<()> {
    let time = |tv_sec, tv_nsec| Timespec { tv_sec, tv_nsec };
    let times = Timestamps {
        last_access: time(from.atime(), from.atime_nsec()),
        last_modification: time(from.mtime(), from.mtime_nsec()),
    };
    // By its name: the mode may not let its owner open it.
    utimensat(CWD, target, &times, AtFlags::SYMLINK_NOFOLLOW)?;
    chown(target, Some(from.uid()), Some(from.gid()))?;
    // Changing the owner clears set-id bits, so the mode comes after it.
    fs::set_permissions(target, from.permissions())
}

/// Moves `source` to `target`, as long as `limit` lets it; folders are put
/// together with those there, be `target` a link to one.
pub(crate) fn shift(source: &Path, target: &Path, limit: &Limit) -> Result<(), FileError> {
    if look(source)?.is_dir() && target.is_dir() {
        return merge(source, target, limit);
    }
    shift_entry(source, target, limit)
}

fn shift_entry(source: &Path, target: &Path, limit: &Limit) -> Result<(), FileError> {
    limit.check()?;
    let is_folder = look(source)?.is_dir();
    match find_itself(target)? {
        Some(there) if there.is_dir() && is_folder => return merge(source, target, limit),
        Some(there) if there.is_dir() => return Err(FileError::Folder(target.to_owned())),
        Some(_) if is_folder => return Err(FileError::NotAFolder(target.to_owned())),
        Some(_) | None => {}
    }
    match fs::rename(source, target) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => carry(source, target, limit),
        renamed => renamed.map_err(FileError::io("move", source)),
    }
}

/// Moves what is in the folder `source` into the folder `target`.
fn merge(source: &Path, target: &Path, limit: &Limit) -> Result<(), FileError> {
    for path in entries(source)? {
        shift_entry(&path, &target.join(path.file_name().unwrap_or_default()), limit)?;
    }
    limit.check()?;
    fs::remove_dir(source).map_err(FileError::io("delete", source))
}

/// Moves `source` to another file system, with its owners, modes and times.
fn carry(source: &Path, target: &Path, limit: &Limit) -> Result<(), FileError> {
    copy_entry(source, target, Owners::Kept, limit)?;
    if look(source)?.is_dir() {
        return remove(source, limit);
    }
    fs::remove_file(source).map_err(FileError::io("delete", source))
}

/// Removes the folder at `path` with all that is in it, as long as `limit`
/// lets it.
pub(crate) fn remove(path: &Path, limit: &Limit) -> Result<(), FileError> {
    clear(CWD, path.as_os_str(), path, limit)?;
    fs::remove_dir(path).map_err(FileError::io("delete", path))
}

/// Empties the folder `name` in `parent`, which is told as `path`.
///
/// What is in a folder is named as seen from there: a link that is put in the
/// folder's place meanwhile leads nowhere else.
fn clear(
    parent: BorrowedFd<'_>,
    name: impl Arg,
    path: &Path,
    limit: &Limit,
) -> Result<(), FileError> {
    let failed = |error: Errno| FileError::io("delete", path)(error);
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = openat(parent, name, flags, Mode::empty()).map_err(failed)?;
    for entry in Dir::read_from(&folder).map_err(failed)? {
        limit.check()?;
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let below = path.join(OsStr::from_bytes(name.to_bytes()));
        let removed = match unlinkat(&folder, name, AtFlags::empty()) {
            Err(Errno::ISDIR) => {
                clear(folder.as_fd(), name, &below, limit)?;
                unlinkat(&folder, name, AtFlags::REMOVEDIR)
            }
            removed => removed,
        };
        match removed {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(FileError::io("delete", &below)(error)),
        }
    }
    Ok(())
}

/// Removes the file or link at `path`, so that nothing is written through it.
fn make_way(path: &Path) -> Result<(), FileError> {
    match find_itself(path)? {
        Some(there) if there.is_dir() => Err(FileError::Folder(path.to_owned())),
        Some(_) => fs::remove_file(path).map_err(FileError::io("replace", path)),
        None => Ok(()),
    }
}

fn look(path: &Path) -> Result<Metadata, FileError> {
    fs::symlink_metadata(path).map_err(FileError::io("look at", path))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::clock::Deadline;
    use crate::limit::LimitError;

    fn no_limit() -> Limit {
        Limit::new(Deadline::after(None), &Arc::default())
    }

    /// Makes a folder with a file, a link and a folder, and returns it.
    fn sample(below: &Path) -> PathBuf {
        let folder = below.join("source");
        fs::create_dir_all(folder.join("deep")).unwrap();
        fs::write(folder.join("file"), "new").unwrap();
        fs::write(folder.join("deep/other"), "x").unwrap();
        symlink("/absent", folder.join("link")).unwrap();
        for (name, mode) in [("deep", 0o750), ("file", 0o440)] {
            fs::set_permissions(folder.join(name), fs::Permissions::from_mode(mode)).unwrap();
        }
        folder
    }

    fn told(folder: &Path) -> Vec<String> {
        let mut told = Vec::new();
        let visit = &mut |path: &Path, metadata: &Metadata| {
            let name = path.strip_prefix(folder).unwrap().display();
            told.push(format!("{name} {:o}", metadata.permissions().mode()));
            Ok(())
        };
        walk(folder, &no_limit(), visit).unwrap();
        told
    }

    #[test]
    fn copies_and_moves_are_what_their_source_was() {
        let below = tempfile::tempdir().unwrap();
        let source = sample(below.path());
        let expected = told(&source);
        assert_eq!(expected.len(), 5);
        for (name, owners) in [("copy", Owners::New), ("kept", Owners::Kept)] {
            let target = below.path().join(name);
            copy(&source, &target, owners, &no_limit()).unwrap();
            assert_eq!(told(&target), expected);
        }
        let [moved, carried] = ["moved", "carried"].map(|name| below.path().join(name));
        shift(&source, &moved, &no_limit()).unwrap();
        assert_eq!(told(&moved), expected);
        assert!(!source.exists());
        carry(&moved, &carried, &no_limit()).unwrap();
        assert_eq!(told(&carried), expected);
        assert!(!moved.exists());
    }

    #[test]
    fn links_to_files_stay_links() {
        let below = tempfile::tempdir().unwrap();
        let [file, link, moved, carried] =
            ["file", "link", "moved", "carried"].map(|name| below.path().join(name));
        fs::write(&file, "text").unwrap();
        fs::write(&moved, "old").unwrap();
        fs::write(&carried, "old").unwrap();
        symlink("file", &link).unwrap();
        shift(&link, &moved, &no_limit()).unwrap();
        assert_eq!(fs::read_link(&moved).unwrap(), Path::new("file"));
        carry(&moved, &carried, &no_limit()).unwrap();
        assert_eq!(fs::read_link(&carried).unwrap(), Path::new("file"));
        assert!(!link.is_symlink() && !moved.is_symlink());
    }

    #[test]
    fn nothing_is_written_through_links() {
        let below = tempfile::tempdir().unwrap();
        let source = sample(below.path());
        let outside = below.path().join("outside");
        fs::write(&outside, "old").unwrap();
        let target = below.path().join("target");
        fs::create_dir(&target).unwrap();
        symlink(&outside, target.join("file")).unwrap();
        fs::write(target.join("stays"), "").unwrap();
        copy(&source, &target, Owners::New, &no_limit()).unwrap();
        assert_eq!(fs::read_to_string(&outside).unwrap(), "old");
        assert_eq!(fs::read_to_string(target.join("file")).unwrap(), "new");
        assert!(target.join("stays").exists());
    }

    #[test]
    fn nothing_is_moved_through_links() {
        let below = tempfile::tempdir().unwrap();
        let source = sample(below.path());
        let outside = below.path().join("outside");
        fs::create_dir(&outside).unwrap();
        let target = below.path().join("target");
        fs::create_dir(&target).unwrap();
        symlink(&outside, target.join("deep")).unwrap();
        let moved = shift(&source, &target, &no_limit());
        assert!(matches!(moved, Err(FileError::NotAFolder(_))), "{moved:?}");
        assert_eq!(entries(&outside).unwrap(), [""; 0].map(PathBuf::from));
        fs::remove_file(target.join("deep")).unwrap();
        // The destination itself may be named by a link.
        let link = below.path().join("link");
        symlink(&target, &link).unwrap();
        shift(&source, &link, &no_limit()).unwrap();
        assert!(!source.exists() && target.join("deep/other").exists());
    }

    #[test]
    fn files_and_folders_do_not_replace_each_other() {
        let below = tempfile::tempdir().unwrap();
        let source = sample(below.path());
        let target = below.path().join("target");
        fs::create_dir_all(target.join("file")).unwrap();
        let copied = |target: &Path| copy(&source, target, Owners::New, &no_limit());
        assert!(matches!(copied(&target), Err(FileError::Folder(_))));
        let other = below.path().join("other");
        fs::create_dir(&other).unwrap();
        fs::write(other.join("deep"), "").unwrap();
        assert!(matches!(copied(&other), Err(FileError::NotAFolder(_))));
        assert!(matches!(shift(&source, &other, &no_limit()), Err(FileError::NotAFolder(_))));
    }

    #[test]
    fn work_on_folders_ends_with_its_limit() {
        let below = tempfile::tempdir().unwrap();
        let source = sample(below.path());
        let expected = told(&source);
        let limit = Limit::new(Deadline::after(Some(Duration::ZERO)), &Arc::default());
        let check = |done: Result<(), FileError>| {
            assert!(matches!(done, Err(FileError::Limit(LimitError::TimedOut))), "{done:?}");
        };
        check(walk(&source, &limit, &mut |path, _| panic!("{path:?}")));
        let target = below.path().join("target");
        check(copy(&source, &target, Owners::New, &limit));
        assert_eq!(entries(&target).unwrap(), [""; 0].map(PathBuf::from));
        check(shift(&source, &target, &limit));
        check(remove(&source, &limit));
        assert_eq!(told(&source), expected);
    }

    #[test]
    fn only_what_is_in_a_folder_is_removed_with_it() {
        let below = tempfile::tempdir().unwrap();
        let source = sample(below.path());
        let outside = below.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("file"), "").unwrap();
        symlink(&outside, source.join("deep/out")).unwrap();
        let link = below.path().join("link");
        symlink(&source, &link).unwrap();
        assert!(remove(&link, &no_limit()).is_err(), "links are not followed");
        remove(&source, &no_limit()).unwrap();
        assert!(!source.exists() && outside.join("file").exists());
    }
}
