//! A folder whose content others wrote: whatever links they left in it, what is
//! opened by way of it lies in it.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, OFlags, ResolveFlags, Uid};
use rustix::io::Errno;

/// An open folder.
#[derive(Debug)]
pub struct Folder(OwnedFd);

/// Where a file of a folder is or can be made; its parents are open.
#[derive(Debug)]
pub struct Place {
    path: PathBuf,
    _parent: OwnedFd,
}

impl Folder {
    /// Opens the folder at `path`, on the way to which links are followed.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(rustix::fs::openat(CWD, path, FOLDER, Mode::empty())?))
    }

    /// Opens the folder at `path` in this one, by way of no link.
    pub(crate) fn folder(&self, path: &Path) -> io::Result<Self> {
        let path = if path == Path::new("") { Path::new(".") } else { path };
        Ok(Self(self.resolve(path, FOLDER, ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS)?))
    }

    /// Opens a regular file for reading. Links lead to places in the folder
    /// only, as if it were the root.
    pub(crate) fn file(&self, path: &Path) -> io::Result<File> {
        // A device or pipe is found out before it is opened, which may wait.
        let found = self.resolve(path, OFlags::PATH, ResolveFlags::IN_ROOT)?;
        if FileType::from_raw_mode(rustix::fs::fstat(&found)?.st_mode) != FileType::RegularFile {
            return Err(io::Error::other("it is not a regular file"));
        }
        File::open(by_descriptor(&found))
    }

    /// Returns the place of `path`, whose parents exist and are no links. The
    /// file itself may be anything, a link too.
    pub fn place(&self, path: &Path) -> io::Result<Place> {
        names(path)?;
        let parent = self.folder(path.parent().unwrap_or(Path::new("")))?.0;
        let path = by_descriptor(&parent).join(path.file_name().unwrap_or(".".as_ref()));
        Ok(Place { path, _parent: parent })
    }

    /// Makes the folder at `path`, and its parents, if absent, and gives it to `owner`.
    pub(crate) fn make(&self, path: &Path, (user, group): (u32, u32)) -> io::Result<()> {
        let mut folder = self.folder(Path::new(""))?;
        for name in names(path)? {
            match rustix::fs::mkdirat(&folder.0, name, Mode::from_raw_mode(0o777)) {
                Ok(()) | Err(Errno::EXIST) => folder = folder.folder(name)?,
                Err(error) => return Err(error.into()),
            }
        }
        let stat = rustix::fs::fstat(&folder.0)?;
        if (stat.st_uid, stat.st_gid) != (user, group) {
            let (user, group) = (Uid::from_raw(user), Gid::from_raw(group));
            let itself = AtFlags::EMPTY_PATH;
            rustix::fs::chownat(&folder.0, "", Some(user), Some(group), itself)?;
        }
        Ok(())
    }

    fn resolve(&self, path: &Path, flags: OFlags, how: ResolveFlags) -> io::Result<OwnedFd> {
        // The kernel gives up with EAGAIN when a path with `..` (here a link
        // such as os-release's) is resolved while anything on the machine is
        // renamed or mounted, and asks to be called again: openat2(2).
        loop {
            let flags = flags | OFlags::CLOEXEC;
            match rustix::fs::openat2(&self.0, path, flags, Mode::empty(), how) {
                Err(Errno::AGAIN) => std::thread::yield_now(),
                opened => return Ok(opened?),
            }
        }
    }
}

impl Place {
    /// Returns a path to it, which holds as long as this value lives and
    /// passes no link but, perhaps, the file itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes what is there, unless it is a folder.
    pub fn clear(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }
}

const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

fn by_descriptor(file: &OwnedFd) -> PathBuf {
    format!("/proc/self/fd/{}", file.as_raw_fd()).into()
}

/// Returns the names of a relative path that leads only downwards.
fn names(path: &Path) -> io::Result<Vec<&Path>> {
    let names = path.components().filter(|part| *part != Component::CurDir);
    names
        .map(|part| match part {
            Component::Normal(name) => Ok(Path::new(name)),
            Component::CurDir
            | Component::ParentDir
            | Component::RootDir
            | Component::Prefix(_) => Err(io::Error::other("its path leads elsewhere")),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;

    /// A folder with a file and links, beside a file that is not for it.
    fn tree() -> (tempfile::TempDir, Folder) {
        let dir = tempfile::tempdir().unwrap();
        let tree = dir.path().join("tree");
        fs::create_dir_all(tree.join("usr/lib")).unwrap();
        fs::write(dir.path().join("secret"), "of the host").unwrap();
        fs::write(tree.join("usr/lib/release"), "in the tree").unwrap();
        for (target, at) in [
            ("../usr/lib/release", "usr/relative"),
            ("/usr/lib/release", "absolute"),
            ("../secret", "outside"),
            ("/proc/self/environ", "environment"),
            ("/dev/zero", "endless"),
            ("usr", "alias"),
        ] {
            symlink(target, tree.join(at)).unwrap();
        }
        symlink(dir.path(), tree.join("up")).unwrap();
        let fifo = tree.join("fifo");
        rustix::fs::mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR, 0).unwrap();
        let folder = Folder::open(&tree).unwrap();
        (dir, folder)
    }

    #[test]
    fn links_lead_to_files_of_the_folder_only() {
        let (_dir, folder) = tree();
        let read = |path: &str| {
            let file = folder.file(Path::new(path)).map_err(|error| error.to_string())?;
            io::read_to_string(file).map_err(|error| error.to_string())
        };
        for inside in ["usr/lib/release", "usr/relative", "absolute", "alias/lib/release"] {
            assert_eq!(read(inside).as_deref(), Ok("in the tree"), "{inside}");
        }
        for outside in ["outside", "environment", "endless", "up/secret"] {
            let error = read(outside).unwrap_err();
            assert!(error.starts_with("No such file"), "{outside}: {error}");
        }
        for other in ["usr", "fifo"] {
            assert_eq!(read(other).unwrap_err(), "it is not a regular file", "{other}");
        }
    }

    #[test]
    fn places_lie_below_the_folder_by_way_of_no_link() {
        let (dir, folder) = tree();
        let write = |path: &str| {
            let place = folder.place(Path::new(path))?;
            File::create_new(place.path()).map(drop)
        };
        write("usr/lib/new").unwrap();
        assert!(dir.path().join("tree/usr/lib/new").exists());
        for path in
            ["up/new", "alias/new", "../new", "/../new", "usr/../../new", "outside", "absent/new"]
        {
            assert!(write(path).is_err(), "{path}");
        }
        assert!(!dir.path().join("new").exists());
        let itself = folder.place(Path::new("")).unwrap();
        assert!(fs::symlink_metadata(itself.path()).unwrap().is_dir());
    }

    #[test]
    fn folders_are_made_by_way_of_no_link() {
        let (dir, folder) = tree();
        let itself = fs::metadata(dir.path()).unwrap();
        let owner = (itself.uid(), itself.gid());
        folder.make(Path::new("a/b/c"), owner).unwrap();
        folder.make(Path::new("a/b/c"), owner).unwrap();
        assert!(dir.path().join("tree/a/b/c").is_dir());
        assert!(folder.make(Path::new("up/made"), owner).is_err());
        assert!(folder.make(Path::new("alias"), owner).is_err());
        assert!(!dir.path().join("made").exists());
    }
}
