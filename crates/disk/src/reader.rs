//! Reads a file system that somebody else made, of whatever kind it is.
//!
//! Any bytes may come in: there is an error for each contradiction that
//! matters to a reader, and no input makes it loop or run out of memory. A
//! journal is not replayed; checksums are not compared.

use std::io::{self, Read, Seek};

use crate::entry::Entry;
use crate::read::{self, Format, Grafts, OpenError, ReadError, Window};
use crate::sparse::Content;
use crate::{btrfs, ext4, xfs};

/// The files one of which every Linux system has (os-release(5)).
const RELEASES: [&str; 2] = ["usr/lib/os-release", "etc/os-release"];

/// A file system that is read.
pub struct Reader<T>(Inner<T>);

enum Inner<T> {
    Ext4(ext4::Source<T>),
    Xfs(xfs::Source<T>),
    Btrfs(Box<btrfs::Source<T>>, Grafts<btrfs::Id>),
}

/// Which subvolume of a Btrfs file system is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subvolume {
    /// The one at this path from the top.
    Path(String),
    /// The one of this number.
    Number(u64),
}

/// What came of mounting a subvolume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mount {
    /// It is mounted.
    Done,
    /// There is no such subvolume.
    Absent,
    /// It is mounted elsewhere, or has all others below it.
    Elsewhere,
}

impl<T: Read + Seek> Reader<T> {
    /// Opens the file system at byte `offset` of `input`. Of Btrfs, the
    /// default subvolume is the root.
    pub fn open(input: T, offset: u64) -> Result<Self, OpenError> {
        let mut window = Window::new(input, offset).map_err(OpenError::Read)?;
        // The shortest magic number is asked for after the longer one near it,
        // and before the one that a file system made later may have left.
        if xfs::Source::is_at(&mut window) {
            Ok(Self(Inner::Xfs(xfs::Source::open(window)?)))
        } else if ext4::Source::is_at(&mut window) {
            Ok(Self(Inner::Ext4(ext4::Source::open(window)?)))
        } else if btrfs::Source::is_at(&mut window) {
            let source = Box::new(btrfs::Source::open(window)?);
            Ok(Self(Inner::Btrfs(source, Grafts::new())))
        } else {
            Err(OpenError::Unknown)
        }
    }

    /// Returns its kind.
    pub fn format(&self) -> Format {
        match self.0 {
            Inner::Ext4(_) => Format::Ext4,
            Inner::Xfs(_) => Format::Xfs,
            Inner::Btrfs(..) => Format::Btrfs,
        }
    }

    /// Returns the volume's name, empty for none.
    pub fn label(&self) -> String {
        let label = match &self.0 {
            Inner::Ext4(source) => &source.label[..],
            Inner::Xfs(source) => &source.label,
            Inner::Btrfs(source, _) => &source.label,
        };
        let label = label.split(|byte| *byte == 0).next().unwrap_or_default();
        String::from_utf8_lossy(label).into_owned()
    }

    /// Returns what identifies the file system.
    pub fn uuid(&self) -> [u8; 16] {
        match &self.0 {
            Inner::Ext4(source) => source.uuid,
            Inner::Xfs(source) => source.uuid,
            Inner::Btrfs(source, _) => source.uuid,
        }
    }

    /// Says whether there is a Linux system at the root.
    pub fn has_linux(&mut self) -> Result<bool, ReadError> {
        for path in RELEASES {
            if self.read_file(path, 1)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns the names of the subvolumes at the top of a Btrfs file system,
    /// in order, and whether each is the root; none for other kinds.
    pub fn subvolumes(&mut self) -> Result<Vec<(String, bool)>, ReadError> {
        let Inner::Btrfs(source, _) = &mut self.0 else { return Ok(Vec::new()) };
        let names = source.subvolumes().map_err(|kind| ReadError::new(b"", kind))?;
        let told = |(name, id): (Vec<u8>, _)| {
            (String::from_utf8_lossy(&name).into_owned(), source.is_root(id))
        };
        Ok(names.into_iter().map(told).collect())
    }

    /// Makes a subvolume the root, if there is such a one.
    pub fn enter(&mut self, subvolume: &Subvolume) -> Result<bool, ReadError> {
        let found = self.find(subvolume)?;
        if let (Inner::Btrfs(source, _), Some(id)) = (&mut self.0, found) {
            source.enter(id);
        }
        Ok(found.is_some())
    }

    /// Makes a subvolume appear at `place`, and nowhere else, if it can. A walk
    /// fails if there is no folder for `place` to be in.
    ///
    /// Other kinds of file system than Btrfs have no subvolumes.
    pub fn mount(&mut self, place: &str, subvolume: &Subvolume) -> Result<Mount, ReadError> {
        let found = self.find(subvolume)?;
        let (Inner::Btrfs(source, grafts), Some(id)) = (&mut self.0, found) else {
            return Ok(Mount::Absent);
        };
        if !source.can_mount(id) {
            return Ok(Mount::Elsewhere);
        }
        source.mount(id);
        grafts.push((place.as_bytes().to_vec(), id));
        Ok(Mount::Done)
    }

    fn find(&mut self, subvolume: &Subvolume) -> Result<Option<btrfs::Id>, ReadError> {
        let Inner::Btrfs(source, _) = &mut self.0 else { return Ok(None) };
        let found = match subvolume {
            Subvolume::Path(path) => source.subvolume(path.as_bytes()),
            Subvolume::Number(number) => source.numbered(*number),
        };
        found.map_err(|kind| ReadError::new(b"", kind))
    }

    /// Visits all entries with their content, the root first, a directory
    /// before what is in it, siblings in the order of their names' bytes.
    ///
    /// The first visited name of an inode stands for it; further names are
    /// hard links to that. A file is [`dense`](crate::Kind::File) if it has no
    /// hole. An empty `lost+found` is left out. Content that is not read is
    /// skipped.
    pub fn walk<E: From<ReadError>>(
        &mut self,
        visit: impl FnMut(&Entry, &mut dyn Content) -> Result<(), E>,
    ) -> Result<(), E> {
        match &mut self.0 {
            Inner::Ext4(source) => read::walk(source, &Grafts::new(), visit),
            Inner::Xfs(source) => read::walk(source, &Grafts::new(), visit),
            Inner::Btrfs(source, grafts) => {
                source.mount_root();
                read::walk(&mut **source, grafts, visit)
            }
        }
    }

    /// Returns the first `limit` bytes of the regular file at `path`, or
    /// `None` if there is none. Links are not followed.
    pub fn read_file(&mut self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, ReadError> {
        self.with_file(path, |file| {
            let mut bytes = Vec::new();
            file.take(limit).read_to_end(&mut bytes).map(|_| bytes)
        })
    }

    /// Returns what `read` makes of the regular file at `path`, or `None` if
    /// there is none. Links are not followed.
    pub fn with_file<R>(
        &mut self,
        path: &str,
        read: impl FnOnce(&mut dyn Read) -> io::Result<R>,
    ) -> Result<Option<R>, ReadError> {
        match &mut self.0 {
            Inner::Ext4(source) => read::with_file(source, path, read),
            Inner::Xfs(source) => read::with_file(source, path, read),
            Inner::Btrfs(source, _) => read::with_file(&mut **source, path, read),
        }
    }
}
