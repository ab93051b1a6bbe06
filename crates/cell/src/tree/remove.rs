//! Removes trees, however deep.

use std::ffi::{CStr, CString};
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

/// Removes `paths` and all they hold; those that do not exist are passed over.
/// Goes on after a failure, and then tells the first.
///
/// A folder whose parent is not the cell's to change is left, empty.
pub(crate) fn remove(paths: &[PathBuf]) -> io::Result<()> {
    let mut result = Ok(());
    for path in paths {
        match remove_one(path) {
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

fn remove_one(path: &Path) -> io::Result<()> {
    if !fs::symlink_metadata(path)?.is_dir() {
        return fs::remove_file(path);
    }
    let mut removal = Removal { top: open(CWD, path)?, moved: 0, failure: Ok(()) };
    removal.empty();
    removal.failure?;
    match fs::remove_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        other => other,
    }
}

/// A folder that is being emptied.
///
/// What lies in its folders is moved up into it and emptied in turn. Neither
/// descriptors, nor the stack, nor the length of paths then bound how deep a
/// tree may be, which is up to whoever made it.
struct Removal {
    top: OwnedFd,
    moved: u64,
    failure: io::Result<()>,
}

impl Removal {
    /// Removes what can be removed, and keeps the first failure.
    fn empty(&mut self) {
        loop {
            let names = match files_removed(&self.top) {
                Ok(names) => names,
                Err(error) => return self.fail(error),
            };
            let mut has_removed = false;
            for name in names {
                match self.remove_folder(&name) {
                    Ok(()) => has_removed = true,
                    Err(error) => self.fail(error),
                }
            }
            if !has_removed {
                return;
            }
        }
    }

    fn remove_folder(&mut self, name: &CStr) -> io::Result<()> {
        let folder = open(&self.top, name)?;
        for inner in files_removed(&folder)? {
            self.move_up(&folder, &inner)?;
        }
        Ok(rustix::fs::unlinkat(&self.top, name, AtFlags::REMOVEDIR)?)
    }

    fn move_up(&mut self, folder: &OwnedFd, name: &CStr) -> rustix::io::Result<()> {
        loop {
            self.moved += 1;
            let new = format!("{}.moved", self.moved);
            let careful = RenameFlags::NOREPLACE;
            match rustix::fs::renameat_with(folder, name, &self.top, &*new, careful) {
                // A name that the tree has, too.
                Err(Errno::EXIST) => {}
                other => return other,
            }
        }
    }

    fn fail(&mut self, error: io::Error) {
        if self.failure.is_ok() {
            self.failure = Err(error);
        }
    }
}

/// Removes all of a folder but its folders, and returns their names.
fn files_removed(folder: &OwnedFd) -> io::Result<Vec<CString>> {
    let mut names = Vec::new();
    let mut failure = Ok(());
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        match rustix::fs::unlinkat(folder, name, AtFlags::empty()) {
            Ok(()) => {}
            Err(Errno::ISDIR) => names.push(name.to_owned()),
            Err(error) => failure = failure.and(Err(error)),
        }
    }
    failure?;
    Ok(names)
}

fn open(at: impl std::os::fd::AsFd, path: impl rustix::path::Arg) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(at, path, flags, Mode::empty())?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn trees_deeper_than_descriptors_and_paths_reach_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        let tree = dir.path().join("tree");
        fs::create_dir(&tree).unwrap();
        fs::write(dir.path().join("kept"), "").unwrap();
        let mut folder = open(CWD, &tree).unwrap();
        for n in 0..2500 {
            let mode = Mode::RWXU;
            rustix::fs::mkdirat(&folder, "d", mode).unwrap();
            if n % 100 == 1 {
                // A name that something could be moved to.
                rustix::fs::mkdirat(&folder, format!("{n}.moved"), mode).unwrap();
            }
            rustix::fs::symlinkat(dir.path(), &folder, "link").unwrap();
            folder = open(&folder, "d").unwrap();
        }
        remove(&[tree.clone(), dir.path().join("absent")]).unwrap();
        assert!(!tree.exists());
        assert!(dir.path().join("kept").exists());
    }

    #[test]
    fn what_is_no_folder_is_removed_itself() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("link");
        symlink(dir.path(), &link).unwrap();
        remove(std::slice::from_ref(&link)).unwrap();
        assert!(fs::symlink_metadata(link).is_err() && dir.path().exists());
    }
}
