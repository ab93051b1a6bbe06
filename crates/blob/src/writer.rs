//! How bytes come into a store: whole under their name, or not at all.

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use name::Digest;

use crate::store::BUFFER;
use crate::{BlobError, BlobErrorKind, Store};

/// The right to put blobs into a store; while it lives nothing is swept.
///
/// Bytes go to a file in `partial/` that is then renamed. A crash leaves at
/// most such a file, which the next sweep removes. After a power cut only
/// what was put before [`Writer::sync`] returned is sure to be there.
#[derive(Debug)]
pub struct Writer {
    store: Store,
    /// Holds a shared lock until it is closed.
    lock: File,
}

/// What [`Writer::put_reader`] stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// The digest of the bytes.
    pub digest: Digest,
    /// How many bytes there were.
    pub size: u64,
}

impl Writer {
    pub(crate) fn open(store: Store) -> Result<Self, BlobError> {
        let lock = store.lock_file()?;
        lock.lock_shared().map_err(BlobError::during("wait for the lock", store.dir()))?;
        Ok(Self { store, lock })
    }

    /// Returns the store written to.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Stores `bytes` and returns their digest; bytes already there are not written again.
    pub fn put(&self, bytes: &[u8]) -> Result<Digest, BlobError> {
        let digest = Digest::of(bytes);
        if self.has_whole(&digest, bytes.len() as u64)? {
            return Ok(digest);
        }
        let mut partial = self.partial()?;
        partial.write_all(bytes).map_err(BlobError::during("write", partial.path()))?;
        self.keep(partial, &digest)?;
        Ok(digest)
    }

    /// Stores all bytes of `reader`, in constant memory.
    pub fn put_reader(&self, reader: &mut impl Read) -> Result<Stored, BlobError> {
        let (partial, stored) = self.receive(reader)?;
        self.keep(partial, &stored.digest)?;
        Ok(stored)
    }

    /// Stores all bytes of `reader` if they have the digest `expected`; returns their number.
    pub fn put_reader_as(
        &self,
        reader: &mut impl Read,
        expected: &Digest,
    ) -> Result<u64, BlobError> {
        let (partial, Stored { digest: actual, size }) = self.receive(reader)?;
        if actual != *expected {
            let kind = BlobErrorKind::WrongDigest { expected: *expected, actual };
            return Err(BlobError::new(&self.store.path(expected), kind));
        }
        self.keep(partial, &actual)?;
        Ok(size)
    }

    /// Brings a blob over from another store and returns whether it was missing here.
    ///
    /// Within one file system the two stores then share the bytes on disk (a
    /// hard link), unverified; between file systems they are copied and
    /// verified.
    pub fn import(&self, from: &Store, digest: &Digest) -> Result<bool, BlobError> {
        let source = from.path(digest);
        let size = from.size(digest)?;
        let size = size.ok_or_else(|| BlobError::new(&source, BlobErrorKind::Missing))?;
        if self.has_whole(digest, size)? {
            return Ok(false);
        }
        let path = self.folder_for(digest)?;
        // Some file systems have no hard links, some files have too many, and
        // a torn blob may be in the way: a copy is right in all these cases.
        if fs::hard_link(&source, &path).is_err() {
            self.put_reader_as(&mut from.open_blob(digest)?.file, digest)?;
        }
        Ok(true)
    }

    /// Makes all that was put so far survive a power cut.
    ///
    /// One call for a whole batch: it flushes the file system, so flushing
    /// each blob as well would only cost time.
    pub fn sync(&self) -> Result<(), BlobError> {
        let flushed = rustix::fs::syncfs(&self.lock).map_err(io::Error::from);
        flushed.map_err(BlobError::during("flush the file system of", self.store.dir()))
    }

    /// Returns whether the blob is here with all its bytes.
    ///
    /// A power cut can leave a shorter file under a name that was never
    /// synced; it is taken for missing and so gets replaced. One with other
    /// bytes is moved away by whoever reads it.
    fn has_whole(&self, digest: &Digest, size: u64) -> Result<bool, BlobError> {
        Ok(self.store.size(digest)? == Some(size))
    }

    fn receive(&self, reader: &mut impl Read) -> Result<(NamedTempFile, Stored), BlobError> {
        let mut partial = self.partial()?;
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; BUFFER];
        let mut size = 0;
        loop {
            let n = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    return Err(BlobError::new(partial.path(), BlobErrorKind::Source(error)));
                }
            };
            hasher.update(&buffer[..n]);
            partial.write_all(&buffer[..n]).map_err(BlobError::during("write", partial.path()))?;
            size += n as u64;
        }
        Ok((partial, Stored { digest: Digest::from_bytes(hasher.finalize().into()), size }))
    }

    /// Makes a file for bytes on their way in; it is removed when dropped.
    fn partial(&self) -> Result<NamedTempFile, BlobError> {
        let dir = self.store.partial_dir();
        // Read-only, since regions share files by hard links, and for the
        // owner only, since an image may hold what others must not see.
        tempfile::Builder::new()
            .permissions(Permissions::from_mode(0o400))
            .tempfile_in(&dir)
            .map_err(BlobError::during("make a file in", &dir))
    }

    fn keep(&self, partial: NamedTempFile, digest: &Digest) -> Result<(), BlobError> {
        let path = self.folder_for(digest)?;
        let kept = partial.into_temp_path().persist(&path);
        kept.map_err(|error| BlobError::during("rename a file to", &path)(error.error))
    }

    /// Makes the folder that the blob belongs in and returns the blob's path.
    fn folder_for(&self, digest: &Digest) -> Result<PathBuf, BlobError> {
        let path = self.store.path(digest);
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        match fs::create_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                Err(BlobError::during("make the folder", folder)(error))
            }
            Ok(()) | Err(_) => Ok(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::store::names;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        (folder, store)
    }

    /// A stream that breaks after some bytes.
    struct Breaks(usize);

    impl Read for Breaks {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0 == 0 {
                return Err(rustix::io::Errno::IO.into());
            }
            let n = buffer.len().min(self.0);
            self.0 -= n;
            Ok(n)
        }
    }

    #[test]
    fn a_failed_put_leaves_nothing() {
        let (_folder, store) = store();
        let writer = store.writer().unwrap();
        let error = writer.put_reader(&mut Breaks(BUFFER * 3)).unwrap_err();
        assert!(matches!(error.kind(), BlobErrorKind::Source(_)), "{error:?}");

        let announced = Digest::of(b"gold");
        let error = writer.put_reader_as(&mut &b"lead"[..], &announced).unwrap_err();
        assert!(matches!(error.kind(), BlobErrorKind::WrongDigest { .. }), "{error:?}");

        assert_eq!(store.list().unwrap(), []);
        assert_eq!(names(&store.partial_dir()).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_torn_blob_is_put_again() {
        let (_folder, store) = store();
        let writer = store.writer().unwrap();
        let digest = writer.put(b"gold").unwrap();
        fs::remove_file(store.path(&digest)).unwrap();
        fs::write(store.path(&digest), b"").unwrap();
        writer.put(b"gold").unwrap();
        assert_eq!(store.get(&digest).unwrap(), b"gold");

        let (_other_folder, other) = self::store();
        fs::create_dir_all(other.path(&digest).parent().unwrap()).unwrap();
        fs::write(other.path(&digest), b"go").unwrap();
        assert!(other.writer().unwrap().import(&store, &digest).unwrap());
        assert_eq!(other.get(&digest).unwrap(), b"gold");
    }

    #[test]
    fn import_links_and_tells_what_was_missing() {
        let folder = tempfile::tempdir().unwrap();
        let [here, there] =
            ["here", "there"].map(|name| Store::open(&folder.path().join(name)).unwrap());
        let digest = here.writer().unwrap().put(b"gold").unwrap();
        let writer = there.writer().unwrap();
        assert!(writer.import(&here, &digest).unwrap());
        assert!(!writer.import(&here, &digest).unwrap());
        let inode = |store: &Store| fs::metadata(store.path(&digest)).unwrap().ino();
        assert_eq!(inode(&here), inode(&there));
        writer.sync().unwrap();

        let error = writer.import(&here, &Digest::of(b"lead")).unwrap_err();
        assert!(matches!(error.kind(), BlobErrorKind::Missing));
    }

    #[test]
    fn blobs_are_read_only_and_private() {
        let (_folder, store) = store();
        let digest = store.writer().unwrap().put(b"gold").unwrap();
        assert_eq!(fs::metadata(store.path(&digest)).unwrap().mode() & 0o7777, 0o400);
    }

    #[test]
    fn many_threads_put_the_same_bytes() {
        let (_folder, store) = store();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let writer = store.writer().unwrap();
                    for n in 0..64u8 {
                        writer.put(&[n; 100]).unwrap();
                    }
                });
            }
        });
        let digests = store.list().unwrap();
        assert_eq!(digests.len(), 64);
        for digest in digests {
            store.verify(&digest).unwrap();
        }
    }
}
