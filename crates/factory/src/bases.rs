//! The bases that are at hand: that each is made once, that they stay while they are used, and
//! which go.

use std::collections::HashSet;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use base::{Boot, FOLDER, MadeOf, Receipt};
use cell::Cells;
use name::Digest;

use crate::lock::lock_file;
use crate::recover;

/// Which bases are to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bases {
    /// Those of images that are gone, which nothing can ask for any more.
    OfDeletedImages,
    /// All: whatever needs one makes or imports it again, if it still can.
    All,
}

impl Bases {
    /// Says whether a base stays, where the catalogue has these `snapshots`.
    fn keep(self, receipt: &Receipt, snapshots: &HashSet<Digest>) -> bool {
        match (self, receipt.made_of) {
            (Self::All, _) => false,
            (Self::OfDeletedImages, Some(MadeOf::Image)) => snapshots.contains(&receipt.digest),
            // Somebody may have thrown the disk away that it was imported from.
            (Self::OfDeletedImages, Some(MadeOf::Archive | MadeOf::Disk) | None) => true,
        }
    }
}

/// Keeps all bases at hand, also those that are made meanwhile, until the file is dropped.
/// Waits while bases are being removed.
pub(crate) fn hold(data: &Path) -> io::Result<File> {
    let lock = open(data)?;
    lock.lock_shared()?;
    Ok(lock)
}

/// Waits until nobody else makes the base for `key`, and keeps others from it until the file is
/// dropped. Returns `None` if `watch` gives up first.
///
/// The lock is among the bases, which who makes one holds: it goes when bases are removed.
pub(crate) fn reserve(
    data: &Path,
    key: &Digest,
    watch: &dyn base::Watch,
) -> io::Result<Option<File>> {
    let path = data.join(FOLDER).join(format!("{}.lock", key.hex()));
    lock_file(&path, &|| watch.cancelled(), || {
        watch.line("another build is making this base: waiting");
    })
}

/// Removes bases, and what was left of those that never came to a receipt; returns how many they
/// were, or `None`, at once, if bases are in use.
pub(crate) fn remove(
    cells: &Cells,
    bases: Bases,
    snapshots: &HashSet<Digest>,
) -> io::Result<Option<usize>> {
    let data = cells.data();
    let lock = open(data)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    let (removed, trees) = forget(data, bases, snapshots)?;
    recover::remove(cells, trees).map_err(io::Error::other)?;
    Ok(Some(removed))
}

/// Takes the receipts and the disks of bases away; returns how many these were, and the trees that
/// nothing names any more, which only cells can remove.
fn forget(
    data: &Path,
    bases: Bases,
    snapshots: &HashSet<Digest>,
) -> io::Result<(usize, Vec<PathBuf>)> {
    let mut stays = HashSet::new();
    let mut removed = 0;
    for (path, receipt) in Receipt::all(data)? {
        if !bases.keep(&receipt, snapshots) {
            // First of all: a base with a receipt is whole.
            fs::remove_file(data.join(&path))?;
            removed += 1;
            continue;
        }
        stays.extend([path, receipt.tree]);
        match receipt.boot {
            Boot::Disk { disk, .. } => {
                stays.insert(disk);
            }
            Boot::Tree => {}
        }
    }
    let mut trees = Vec::new();
    for path in entries(data)?.into_iter().filter(|path| !stays.contains(path)) {
        match fs::symlink_metadata(data.join(&path))?.is_dir() {
            true => trees.push(path),
            false => fs::remove_file(data.join(path))?,
        }
    }
    Ok((removed, trees))
}

fn open(data: &Path) -> io::Result<File> {
    let folder = data.join(FOLDER);
    fs::create_dir_all(&folder)?;
    File::open(folder)
}

fn entries(data: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(data.join(FOLDER))?;
    entries.map(|entry| Ok(Path::new(FOLDER).join(entry?.file_name()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    /// Makes a base as it is on the disk, with an empty tree, and returns its digest.
    fn make(data: &Path, name: &str, made_of: Option<MadeOf>) -> Digest {
        let digest = Digest::of(name.as_bytes());
        let place = |suffix: &str| Path::new(FOLDER).join(format!("{}{suffix}", digest.hex()));
        fs::create_dir_all(data.join(place(""))).unwrap();
        fs::write(data.join(place(".raw")), name).unwrap();
        let receipt = Receipt {
            digest,
            tree: place(""),
            os: base::Os::parse("ID=debian"),
            epoch: 1,
            boot: Boot::Disk { disk: place(".raw"), volumes: vec![] },
            made_of,
        };
        fs::write(data.join(place(".json")), serde_json::to_string(&receipt).unwrap()).unwrap();
        digest
    }

    #[tokio::test]
    async fn bases_of_deleted_images_go_and_all_where_that_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let factory = fixture::factory(folder.path()).await;
        let data = factory.cells.data();
        let gone = make(data, "gone", Some(MadeOf::Image));
        let parent = make(data, "parent", Some(MadeOf::Image));
        make(data, "imported", Some(MadeOf::Disk));
        make(data, "debian", Some(MadeOf::Archive));
        make(data, "of an earlier version", None);
        for torn in ["torn.partial", "torn.raw", "torn.lock"] {
            fs::write(data.join(FOLDER).join(torn), "").unwrap();
        }
        fs::create_dir(data.join(FOLDER).join("torn")).unwrap();
        let snapshots = HashSet::from([parent]);
        let forget = |bases| {
            let (forgotten, trees) = forget(data, bases, &snapshots).unwrap();
            trees.iter().for_each(|tree| fs::remove_dir(data.join(tree)).unwrap());
            forgotten
        };
        let names = || entries(data).unwrap();

        let all = names();
        let held = [hold(data).unwrap(), hold(data).unwrap()];
        assert_eq!(remove(&factory.cells, Bases::All, &snapshots).unwrap(), None);
        assert_eq!(names().len(), all.len());
        drop(held);

        assert_eq!(forget(Bases::OfDeletedImages), 1);
        assert_eq!(names().len(), 4 * 3);
        assert!(!names().iter().any(|path| path.to_string_lossy().contains(&gone.hex())));
        assert!(Receipt::find(data, &parent).unwrap().is_some());
        assert_eq!(forget(Bases::OfDeletedImages), 0);

        assert_eq!(forget(Bases::All), 4);
        assert!(names().is_empty());
    }
}
