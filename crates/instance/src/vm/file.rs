//! Writes and reads files that a machine's cell shares with the factory.
//!
//! The cell could have put anything in their place, or in their folders':
//! links are not followed. Paths are relative to the data folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{OpenOptionsExt, fchown};
use std::path::Path;

use cell::{Cells, Folder};
use rustix::fs::{Mode, OFlags};

/// Writes a file, in place of any other, that only the cells' root may read.
pub(super) fn put(cells: &Cells, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let place = Folder::open(cells.data())?.place(path)?;
    place.clear()?;
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(place.path())?;
    let (user, group) = cells.ids().root();
    fchown(&file, Some(user), Some(group))?;
    file.write_all(bytes)
}

/// Returns the size of a file in bytes, 0 where there is none.
pub(super) fn size(data: &Folder, path: &Path) -> u64 {
    let size = || Ok::<_, io::Error>(fs::symlink_metadata(data.place(path)?.path())?.len());
    // What cannot be found is as good as absent: it takes no room.
    size().unwrap_or(0)
}

/// Returns up to `limit` bytes of the end of a file, nothing where there is none.
pub(super) fn end(data: &Folder, path: &Path, limit: u64) -> Vec<u8> {
    let read = || -> io::Result<Vec<u8>> {
        let place = data.place(path)?;
        let mut file = File::from(rustix::fs::open(
            place.path(),
            // A pipe in its place would keep the factory waiting.
            OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC,
            Mode::empty(),
        )?);
        let start = file.metadata()?.len().saturating_sub(limit);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    // What is read here only illustrates an error that is told anyway.
    read().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};

    use cell::{Ids, Range};

    use super::*;

    /// Cells over `data` whose root is whoever runs this.
    fn cells(data: &Path) -> Cells {
        let own = |outside| vec![Range { inside: 0, outside, count: 1 }];
        let (user, group) = (rustix::process::getuid(), rustix::process::getgid());
        let ids = Ids { users: own(user.as_raw()), groups: own(group.as_raw()), privileged: false };
        Cells::new(data, ids).unwrap()
    }

    #[test]
    fn files_are_put_and_read_where_they_belong_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let cells = cells(&dir.path().join("data"));
        let data = Folder::open(cells.data()).unwrap();
        let outside = dir.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("seed.img"), "of the host").unwrap();
        cells.make_folder(Path::new("work/machine")).unwrap();
        let seed = Path::new("work/machine/seed.img");
        symlink(outside.join("seed.img"), cells.data().join(seed)).unwrap();
        assert_eq!(end(&data, seed, 100), b"");

        put(&cells, seed, b"first").unwrap();
        put(&cells, seed, b"second").unwrap();
        assert_eq!((size(&data, seed), end(&data, seed, 3)), (6, b"ond".to_vec()));
        let mode = fs::symlink_metadata(cells.data().join(seed)).unwrap().mode();
        assert_eq!(mode & 0o7777, 0o600);

        symlink(&outside, cells.data().join("work/moved")).unwrap();
        let moved = Path::new("work/moved/seed.img");
        assert!(put(&cells, moved, b"third").is_err());
        assert_eq!((size(&data, moved), end(&data, moved, 100)), (0, Vec::new()));
        assert_eq!(fs::read(outside.join("seed.img")).unwrap(), b"of the host");
    }
}
