//! Unpacks archives and disks into trees.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};

use disk::sparse::{Content, copy_content};
use disk::system::{FindError, System, WalkError};
use disk::{Entry, Kind, Time, gpt};
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, XattrFlags, utimensat};

use crate::Folder;
use crate::job::{Unpacked, Volume};

/// A disk's system could not be unpacked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadDiskError {
    #[error("failed to open {}", path.display())]
    Image { path: PathBuf, source: io::Error },
    #[error("failed to open the folder {}", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error("it has no readable GUID partition table")]
    Table(#[from] gpt::ReadError),
    #[error(transparent)]
    Find(#[from] FindError),
    #[error(transparent)]
    Walk(#[from] WalkError<MakeError>),
    #[error("failed to set the times of folders")]
    Times(#[source] io::Error),
}

/// A file could not be made.
#[derive(Debug, thiserror::Error)]
#[error("failed to make `/{}`", String::from_utf8_lossy(path))]
pub(crate) struct MakeError {
    path: Vec<u8>,
    source: io::Error,
}

/// Unpacks a tar archive into the folder `into`, with owners, modes, times and
/// extended attributes.
pub(crate) fn extract(archive: impl Read, into: &Path) -> io::Result<()> {
    let mut archive = tar::Archive::new(archive);
    archive.set_preserve_ownerships(true);
    archive.set_preserve_permissions(true);
    archive.set_preserve_mtime(true);
    archive.set_unpack_xattrs(true);
    let mut folders = Vec::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        if entry.header().entry_type().is_dir() {
            let mtime = entry.header().mtime()?.try_into().map_err(io::Error::other)?;
            folders.push((entry.path()?.into_owned(), Time { seconds: mtime, nanos: 0 }));
        }
        entry.unpack_in(into)?;
    }
    set_times(&Folder::open(into)?, folders)
}

/// Unpacks the Linux system of a raw disk image into the folder `into`.
/// Device nodes, which a cell cannot make, stay out.
pub(crate) fn read_disk(disk: &Path, into: &Path) -> Result<Unpacked, ReadDiskError> {
    let open = || File::open(disk);
    let fail = |source| ReadDiskError::Image { path: disk.to_owned(), source };
    let table = gpt::Table::read(open().map_err(fail)?)?;
    let mut system = System::find(&table, open)?;
    let tree = Folder::open(into)
        .map_err(|source| ReadDiskError::Folder { path: into.to_owned(), source })?;
    let mut folders = Vec::new();
    let walked = system.walk(|entry, content| {
        let fail = |source| MakeError { path: entry.path.clone(), source };
        make(&tree, entry, content).map_err(fail)?;
        if let Kind::Directory = entry.kind {
            folders.push((path(&entry.path).to_owned(), entry.mtime));
        }
        Ok(())
    })?;
    set_times(&tree, folders).map_err(ReadDiskError::Times)?;
    let volumes = system.volumes().into_iter().map(|volume| Volume {
        place: volume.place.into(),
        offset: volume.offset,
        size: volume.size,
        uuid: volume.uuid,
        label: volume.label,
    });
    Ok(Unpacked { volumes: volumes.collect(), notes: walked.notes, newest: walked.newest })
}

fn path(bytes: &[u8]) -> &Path {
    Path::new(std::ffi::OsStr::from_bytes(bytes))
}

/// Makes a file with its owner, mode, attributes and, unless it is a folder, time.
///
/// Where it lies is the disk's word, and so is what lies on the way there.
fn make(tree: &Folder, entry: &Entry, content: &mut dyn Content) -> io::Result<()> {
    let place = tree.place(path(&entry.path))?;
    let at = place.path();
    match &entry.kind {
        Kind::Directory if entry.path.is_empty() => {}
        Kind::Directory => fs::create_dir(at)?,
        // What makes a swap file dense in an image is its signature.
        Kind::File { .. } => {
            copy_content(content, File::create_new(at)?)?;
        }
        Kind::Symlink(target) => symlink(path(target), at)?,
        Kind::HardLink(first) => return fs::hard_link(tree.place(path(first))?.path(), at),
        Kind::Fifo | Kind::Socket => {
            let kind = match entry.kind {
                Kind::Fifo => rustix::fs::FileType::Fifo,
                _ => rustix::fs::FileType::Socket,
            };
            rustix::fs::mknodat(CWD, at, kind, rustix::fs::Mode::RUSR, 0)?;
        }
        Kind::CharDevice { .. } | Kind::BlockDevice { .. } => return Ok(()),
    }
    lchown(at, Some(entry.uid), Some(entry.gid)).map_err(|error| told_owner(entry, error))?;
    if !matches!(entry.kind, Kind::Symlink(_)) {
        // After the owner, whose change clears the set-id bits.
        fs::set_permissions(at, fs::Permissions::from_mode(entry.mode.into()))?;
    }
    for (name, value) in &entry.xattrs {
        // Labels of a security module that this kernel lacks are made anew by
        // the system that has it.
        if name != b"security.selinux" {
            let set = rustix::fs::lsetxattr(at, name.as_slice(), value, XattrFlags::empty());
            set.map_err(|error| told_attribute(name, error.into()))?;
        }
    }
    match entry.kind {
        // A folder's time changes with each file made in it, and is set last.
        Kind::Directory
        | Kind::HardLink(_)
        | Kind::CharDevice { .. }
        | Kind::BlockDevice { .. } => Ok(()),
        Kind::File { .. } | Kind::Symlink(_) | Kind::Fifo | Kind::Socket => {
            set_time(at, entry.mtime)
        }
    }
}

/// The last id that a cell has.
const LAST_ID: u32 = 65_535;

/// Returns an error that says whose file it is: the kernel knows no owner that
/// the cell has no id for, and calls that an invalid argument.
fn told_owner(entry: &Entry, error: io::Error) -> io::Error {
    let (uid, gid) = (entry.uid, entry.gid);
    let owner = format!("it belongs to user {uid} and group {gid}");
    let hint = if uid.max(gid) > LAST_ID { ", and trees have ids up to 65535 only" } else { "" };
    io::Error::new(error.kind(), format!("{owner}{hint}: {error}"))
}

/// Returns an error that says which attribute could not be set: `trusted.*`
/// are for the machine's administrator only.
fn told_attribute(name: &[u8], error: io::Error) -> io::Error {
    let name = String::from_utf8_lossy(name);
    io::Error::new(error.kind(), format!("its attribute `{name}` cannot be set: {error}"))
}

/// Sets folders' times, last of all, since each file made in one changes it.
fn set_times(tree: &Folder, folders: Vec<(PathBuf, Time)>) -> io::Result<()> {
    folders.into_iter().try_for_each(|(path, time)| set_time(tree.place(&path)?.path(), time))
}

/// Sets the time of last change of a file, or of a link itself.
fn set_time(path: &Path, time: Time) -> io::Result<()> {
    let time = Timespec { tv_sec: time.seconds, tv_nsec: time.nanos.into() };
    let times = Timestamps { last_access: time, last_modification: time };
    Ok(utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn entry(path: &str, kind: Kind) -> Entry {
        // Owned by whoever runs this, as others may not be given files.
        let (uid, gid) = (rustix::process::getuid(), rustix::process::getgid());
        let mode = if let Kind::Directory = kind { 0o750 } else { 0o640 };
        Entry {
            path: path.as_bytes().to_vec(),
            kind,
            mode,
            uid: uid.as_raw(),
            gid: gid.as_raw(),
            mtime: Time { seconds: 7, nanos: 0 },
            xattrs: BTreeMap::new(),
        }
    }

    fn text() -> Kind {
        Kind::File { size: 4, dense: true }
    }

    #[test]
    fn what_a_disk_holds_stays_below_its_folder() {
        let dir = tempfile::tempdir().unwrap();
        let into = dir.path().join("tree");
        fs::create_dir(&into).unwrap();
        let tree = Folder::open(&into).unwrap();
        let make = |path: &str, kind| make(&tree, &entry(path, kind), &mut &b"text"[..]);
        make("", Kind::Directory).unwrap();
        make("etc", Kind::Directory).unwrap();
        make("etc/hostname", text()).unwrap();
        make("etc/again", Kind::HardLink(b"etc/hostname".to_vec())).unwrap();
        make("link", Kind::Symlink(b"..".to_vec())).unwrap();
        let made = fs::metadata(into.join("etc/hostname")).unwrap();
        assert_eq!((made.mode() & 0o7777, made.mtime(), made.nlink()), (0o640, 7, 2));

        fs::write(dir.path().join("secret"), "of the host").unwrap();
        for path in ["link/out", "../out", "/../out", "etc/../../out", "link"] {
            assert!(make(path, text()).is_err(), "{path}");
        }
        for first in ["link/secret", "../secret"] {
            let kind = Kind::HardLink(first.as_bytes().to_vec());
            assert!(make("etc/secret", kind).is_err(), "{first}");
        }
        let time = Time { seconds: 7, nanos: 0 };
        assert!(set_times(&tree, vec![("link/tree".into(), time)]).is_err());
        let mut outside: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        outside.sort();
        assert_eq!(outside, ["secret", "tree"]);
    }

    #[test]
    fn what_a_tree_cannot_hold_is_named() {
        let mut entry = Entry {
            path: b"x".to_vec(),
            kind: Kind::Fifo,
            mode: 0o600,
            uid: 0,
            gid: 65_536,
            mtime: Time::default(),
            xattrs: std::collections::BTreeMap::new(),
        };
        let refused = || io::Error::from_raw_os_error(22);
        assert_eq!(
            told_owner(&entry, refused()).to_string(),
            "it belongs to user 0 and group 65536, and trees have ids up to 65535 only: \
             Invalid argument (os error 22)"
        );
        entry.gid = 65_535;
        assert_eq!(
            told_owner(&entry, refused()).to_string(),
            "it belongs to user 0 and group 65535: Invalid argument (os error 22)"
        );
        assert_eq!(
            told_attribute(b"trusted.x", refused()).to_string(),
            "its attribute `trusted.x` cannot be set: Invalid argument (os error 22)"
        );
    }
}
