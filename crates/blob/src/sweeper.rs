//! How blobs leave a store: only when nobody writes, and only what nobody refers to.

use std::fs::{self, File, TryLockError};
use std::io;
use std::ops::AddAssign;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use name::Digest;

use crate::store::names;
use crate::{BlobError, BlobErrorKind, Store};

/// The right to remove blobs; while it lives nobody writes.
///
/// A lock rather than an age limit: it needs no clock, it protects blobs of a
/// build that takes a day, and space is free again the moment it can be.
#[derive(Debug)]
pub struct Sweeper {
    store: Store,
    /// Holds an exclusive lock until it is closed.
    _lock: File,
}

/// What a removal freed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// How many files were removed.
    pub removed: u64,
    /// How many bytes of disk that freed; 0 for a file that another store shares.
    pub freed: u64,
}

impl Sweeper {
    pub(crate) fn open(store: Store) -> Result<Self, BlobError> {
        let lock = store.lock_file()?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { store, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(BlobError::new(store.dir(), BlobErrorKind::Busy)),
            Err(TryLockError::Error(error)) => {
                Err(BlobError::during("take the lock", store.dir())(error))
            }
        }
    }

    /// Returns the store swept.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Removes one blob; removing what is not there is no error.
    pub fn remove(&self, digest: &Digest) -> Result<Swept, BlobError> {
        remove(&self.store.path(digest))
    }

    /// Removes every blob that `reachable` denies, and what crashes left half-written.
    ///
    /// A crash at any moment leaves a store with fewer unreachable blobs.
    pub fn sweep(&self, reachable: impl Fn(&Digest) -> bool) -> Result<Swept, BlobError> {
        let mut swept = Swept::default();
        let partial = self.store.partial_dir();
        for name in names(&partial)? {
            swept += remove(&partial.join(name))?;
        }
        self.store.each(|digest, path| {
            if !reachable(&digest) {
                swept += remove(path)?;
            }
            Ok(())
        })?;
        Ok(swept)
    }
}

impl AddAssign for Swept {
    fn add_assign(&mut self, other: Self) {
        self.removed += other.removed;
        self.freed += other.freed;
    }
}

fn remove(path: &Path) -> Result<Swept, BlobError> {
    let removed = fs::symlink_metadata(path).and_then(|metadata| {
        fs::remove_file(path)?;
        let last = metadata.nlink() == 1;
        Ok(Swept { removed: 1, freed: if last { metadata.blocks() * 512 } else { 0 } })
    });
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Swept::default()),
        result => result.map_err(BlobError::during("remove", path)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::{Strategy, prop_assert_eq, prop_oneof, proptest};

    use super::*;

    #[test]
    fn writers_keep_sweepers_out() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let (first, second) = (store.writer().unwrap(), store.writer().unwrap());
        drop(first);
        let error = store.sweeper().unwrap_err();
        assert!(matches!(error.kind(), BlobErrorKind::Busy), "{error:?}");
        drop(second);
        let sweeper = store.sweeper().unwrap();
        assert!(matches!(store.sweeper().unwrap_err().kind(), BlobErrorKind::Busy));
        drop(sweeper);
    }

    #[test]
    fn shared_bytes_are_freed_by_the_last_store() {
        let folder = tempfile::tempdir().unwrap();
        let [here, there] =
            ["here", "there"].map(|name| Store::open(&folder.path().join(name)).unwrap());
        let digest = here.writer().unwrap().put(&[7; 8192]).unwrap();
        there.writer().unwrap().import(&here, &digest).unwrap();
        here.writer().unwrap().sync().unwrap();

        let swept = here.sweeper().unwrap().sweep(|_| false).unwrap();
        assert_eq!(swept, Swept { removed: 1, freed: 0 });
        let swept = there.sweeper().unwrap().remove(&digest).unwrap();
        assert_eq!(swept, Swept { removed: 1, freed: 8192 });
        assert_eq!(there.sweeper().unwrap().remove(&digest).unwrap(), Swept::default());
    }

    #[test]
    fn what_a_crash_left_is_swept() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let kept = store.writer().unwrap().put(b"gold").unwrap();
        fs::write(folder.path().join("partial/.tmpXyz"), b"go").unwrap();
        let swept = store.sweeper().unwrap().sweep(|_| true).unwrap();
        assert_eq!(swept.removed, 1);
        assert_eq!(names(&folder.path().join("partial")).unwrap(), Vec::<String>::new());
        assert_eq!(store.get(&kept).unwrap(), b"gold");
    }

    #[derive(Debug, Clone)]
    enum Act {
        Put(Vec<u8>),
        Stream(Vec<u8>),
        Import(Vec<u8>),
        Remove(Vec<u8>),
        /// Keeps the blobs whose first byte is even.
        Sweep,
    }

    fn acts() -> impl Strategy<Value = Vec<Act>> {
        // Few different blobs, so that acts meet each other's.
        let bytes = || proptest::collection::vec(0..3u8, 0..3);
        let act = prop_oneof![
            bytes().prop_map(Act::Put),
            bytes().prop_map(Act::Stream),
            bytes().prop_map(Act::Import),
            bytes().prop_map(Act::Remove),
            proptest::strategy::Just(Act::Sweep),
        ];
        proptest::collection::vec(act, 0..24)
    }

    proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

        /// Whatever is done to it, a store is a map from digests to bytes.
        #[test]
        fn a_store_is_a_map(acts in acts()) {
            let folder = tempfile::tempdir().unwrap();
            let other = Store::open(&folder.path().join("other")).unwrap();
            let store = Store::open(&folder.path().join("store")).unwrap();
            let mut map = BTreeMap::new();
            for act in acts {
                match act {
                    Act::Put(bytes) => {
                        let digest = store.writer().unwrap().put(&bytes).unwrap();
                        map.insert(digest, bytes);
                    }
                    Act::Stream(bytes) => {
                        let stored = store.writer().unwrap().put_reader(&mut &bytes[..]).unwrap();
                        prop_assert_eq!(stored.size, bytes.len() as u64);
                        map.insert(stored.digest, bytes);
                    }
                    Act::Import(bytes) => {
                        let digest = other.writer().unwrap().put(&bytes).unwrap();
                        let missing = store.writer().unwrap().import(&other, &digest).unwrap();
                        prop_assert_eq!(missing, map.insert(digest, bytes).is_none());
                    }
                    Act::Remove(bytes) => {
                        let digest = Digest::of(&bytes);
                        let swept = store.sweeper().unwrap().remove(&digest).unwrap();
                        prop_assert_eq!(swept.removed == 1, map.remove(&digest).is_some());
                    }
                    Act::Sweep => {
                        let even = |bytes: &Vec<u8>| bytes.first().is_some_and(|b| b % 2 == 0);
                        let before = map.len();
                        let keep: Vec<Digest> =
                            map.iter().filter(|(_, b)| even(b)).map(|(d, _)| *d).collect();
                        let sweeper = store.sweeper().unwrap();
                        let swept = sweeper.sweep(|digest| keep.contains(digest)).unwrap();
                        map.retain(|_, bytes| even(bytes));
                        prop_assert_eq!(swept.removed as usize, before - map.len());
                    }
                }
                prop_assert_eq!(store.list().unwrap(), map.keys().copied().collect::<Vec<_>>());
                for (digest, bytes) in &map {
                    prop_assert_eq!(&store.get(digest).unwrap(), bytes);
                }
            }
        }
    }
}
