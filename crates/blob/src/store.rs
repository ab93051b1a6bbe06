//! Where blobs lie and how they are read.
//!
//! Layout: `<dir>/ab/cdef…` by the hex digits of the digest, `<dir>/partial/`
//! for bytes on their way in, `<dir>/lock` for writers and sweepers.

use std::fs::{self, File, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use name::Digest;

use crate::{BlobError, BlobErrorKind, Sweeper, Writer};

/// A folder of blobs, shared by any number of threads and processes.
///
/// Reading needs no lock: a blob under its name is whole and never changes.
/// Writing goes through [`Store::writer`], removing through
/// [`Store::sweeper`]; the two exclude each other.
#[derive(Debug, Clone)]
pub struct Store {
    dir: PathBuf,
}

/// A blob opened for streaming.
#[derive(Debug)]
pub struct Opened {
    /// The bytes, from the start. Nothing has verified them.
    pub file: File,
    /// How many bytes there are.
    pub size: u64,
}

impl Store {
    /// Opens the store in `dir` and makes the folder if it is not there.
    ///
    /// It is for this user alone: blocks of images hold what no other user may read.
    pub fn open(dir: &Path) -> Result<Self, BlobError> {
        let partial = dir.join(PARTIAL);
        fs::create_dir_all(&partial).map_err(BlobError::during("make the folder", &partial))?;
        fs::set_permissions(dir, Permissions::from_mode(0o700))
            .map_err(BlobError::during("close the folder to others", dir))?;
        Ok(Self { dir: dir.to_owned() })
    }

    /// Returns the folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Returns where the blob lies or would lie.
    pub fn path(&self, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        let (folder, rest) = hex.split_at(2);
        self.dir.join(folder).join(rest)
    }

    /// Returns whether the blob is here. Its bytes are not looked at.
    pub fn has(&self, digest: &Digest) -> Result<bool, BlobError> {
        Ok(self.size(digest)?.is_some())
    }

    /// Returns how many bytes the blob has, or `None` if it is not here.
    pub fn size(&self, digest: &Digest) -> Result<Option<u64>, BlobError> {
        let path = self.path(digest);
        match fs::symlink_metadata(&path) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(BlobError::during("look for the blob", &path)(error)),
        }
    }

    /// Returns the blob's bytes, after checking that they are the right ones.
    pub fn get(&self, digest: &Digest) -> Result<Vec<u8>, BlobError> {
        let mut opened = self.open_blob(digest)?;
        let path = self.path(digest);
        let mut bytes = Vec::with_capacity(usize::try_from(opened.size).unwrap_or(0));
        opened.file.read_to_end(&mut bytes).map_err(BlobError::during("read the blob", &path))?;
        match Digest::of(&bytes) {
            actual if actual == *digest => Ok(bytes),
            actual => Err(self.corrupt(&path, &opened.file, actual)),
        }
    }

    /// Opens the blob for streaming; [`Store::verify`] is for those who need certainty.
    pub fn open_blob(&self, digest: &Digest) -> Result<Opened, BlobError> {
        let path = self.path(digest);
        let file = File::open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => BlobError::new(&path, BlobErrorKind::Missing),
            _ => BlobError::during("open the blob", &path)(error),
        })?;
        let metadata = file.metadata().map_err(BlobError::during("look at the blob", &path))?;
        Ok(Opened { file, size: metadata.len() })
    }

    /// Reads the whole blob, in constant memory, and fails if its bytes are not the right ones.
    pub fn verify(&self, digest: &Digest) -> Result<(), BlobError> {
        let mut opened = self.open_blob(digest)?;
        let path = self.path(digest);
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; BUFFER];
        loop {
            let n = opened.file.read(&mut buffer);
            match n.map_err(BlobError::during("read the blob", &path))? {
                0 => break,
                n => hasher.update(&buffer[..n]),
            }
        }
        match Digest::from_bytes(hasher.finalize().into()) {
            actual if actual == *digest => Ok(()),
            actual => Err(self.corrupt(&path, &opened.file, actual)),
        }
    }

    /// Returns the error of a blob whose bytes have the digest `actual`, after
    /// making room for the right ones: a writer takes a blob of the right size
    /// for whole.
    fn corrupt(&self, path: &Path, file: &File, actual: Digest) -> BlobError {
        // Where that fails nothing is worse than before.
        let _moved = self.set_aside(path, file);
        BlobError::new(path, BlobErrorKind::Corrupt { actual })
    }

    /// Moves a file from its blob's path to where the next sweep removes it.
    fn set_aside(&self, path: &Path, file: &File) -> io::Result<()> {
        let (corrupt, there) = (file.metadata()?, fs::symlink_metadata(path)?);
        // By now the right bytes may be there.
        if (corrupt.dev(), corrupt.ino()) != (there.dev(), there.ino()) {
            return Ok(());
        }
        fs::rename(path, self.partial_dir().join(format!("corrupt-{}", corrupt.ino())))
    }

    /// Returns the digests of all blobs, in order.
    pub fn list(&self) -> Result<Vec<Digest>, BlobError> {
        let mut digests = Vec::new();
        self.each(|digest, _| {
            digests.push(digest);
            Ok(())
        })?;
        digests.sort_unstable();
        Ok(digests)
    }

    /// Opens the store for writing; waits while a sweeper is at work.
    ///
    /// No sweeper removes anything while a writer lives, in this process or
    /// another one: keep it until the catalogue refers to what was written.
    /// The lock is the process's, so a killed writer never leaves it behind.
    pub fn writer(&self) -> Result<Writer, BlobError> {
        Writer::open(self.clone())
    }

    /// Opens the store for removing, or fails with [`BlobErrorKind::Busy`] while it is written to.
    ///
    /// Ask the catalogue what is reachable only after this returned: a blob
    /// put and catalogued in between would be unknown to an earlier answer.
    pub fn sweeper(&self) -> Result<Sweeper, BlobError> {
        Sweeper::open(self.clone())
    }

    /// Opens the file that writers and sweepers lock.
    pub(crate) fn lock_file(&self) -> Result<File, BlobError> {
        let path = self.dir.join("lock");
        let options = File::options().write(true).create(true).truncate(false).open(&path);
        options.map_err(BlobError::during("open the lock", &path))
    }

    pub(crate) fn partial_dir(&self) -> PathBuf {
        self.dir.join(PARTIAL)
    }

    /// Calls `visit` with every blob's digest and path, folder by folder.
    pub(crate) fn each(
        &self,
        mut visit: impl FnMut(Digest, &Path) -> Result<(), BlobError>,
    ) -> Result<(), BlobError> {
        for folder in names(&self.dir)? {
            if folder.len() != 2 {
                continue;
            }
            let dir = self.dir.join(&folder);
            for rest in names(&dir)? {
                // Only names that this store would give: anything else in
                // here is not ours to list or to sweep.
                if let Ok(digest) = format!("{folder}{rest}").parse::<Digest>()
                    && digest.hex()[2..] == rest
                {
                    visit(digest, &dir.join(&rest))?;
                }
            }
        }
        Ok(())
    }
}

const PARTIAL: &str = "partial";

/// How much is read at once when a blob is streamed, in bytes.
pub(crate) const BUFFER: usize = 256 << 10;

/// Returns the names in a folder; those that are not UTF-8 cannot be ours.
pub(crate) fn names(dir: &Path) -> Result<Vec<String>, BlobError> {
    let read = |entry: io::Result<fs::DirEntry>| Ok(entry?.file_name().into_string().ok());
    fs::read_dir(dir)
        .and_then(|entries| entries.filter_map(|entry| read(entry).transpose()).collect())
        .map_err(BlobError::during("list the folder", dir))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("blobs");
        let mode = || fs::metadata(&dir).unwrap().permissions().mode() & 0o777;
        Store::open(&dir).unwrap();
        assert_eq!(mode(), 0o700);
        // As an earlier version left it.
        fs::set_permissions(&dir, Permissions::from_mode(0o755)).unwrap();
        Store::open(&dir).unwrap();
        assert_eq!(mode(), 0o700);
    }

    /// Puts a blob and spoils its bytes.
    fn spoilt(store: &Store) -> Digest {
        let digest = store.writer().unwrap().put(b"gold").unwrap();
        store.verify(&digest).unwrap();
        let path = store.path(&digest);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, b"lead").unwrap();
        digest
    }

    #[test]
    fn a_corrupt_blob_is_an_error_and_not_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        for read in [|store: &Store, digest: &Digest| store.get(digest).map(drop), Store::verify] {
            let digest = spoilt(&store);
            let error = read(&store, &digest).unwrap_err();
            assert_eq!(error.path(), store.path(&digest));
            let BlobErrorKind::Corrupt { actual } = error.kind() else { panic!("{error:?}") };
            assert_eq!(*actual, Digest::of(b"lead"));
        }
    }

    #[test]
    fn a_corrupt_blob_that_was_read_is_put_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let digest = spoilt(&store);
        store.get(&digest).unwrap_err();
        assert!(!store.has(&digest).unwrap());
        store.writer().unwrap().put(b"gold").unwrap();
        assert_eq!(store.get(&digest).unwrap(), b"gold");
    }

    #[test]
    fn the_right_bytes_are_not_taken_for_the_corrupt_ones() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let digest = store.writer().unwrap().put(b"gold").unwrap();
        let path = store.path(&digest);
        let corrupt = File::open(&path).unwrap();
        fs::remove_file(&path).unwrap();
        store.writer().unwrap().put(b"gold").unwrap();
        store.set_aside(&path, &corrupt).unwrap();
        assert!(store.has(&digest).unwrap());
    }

    #[test]
    fn a_missing_blob_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let digest = Digest::of(b"nothing");
        assert!(!store.has(&digest).unwrap());
        let error = store.get(&digest).unwrap_err();
        assert!(matches!(error.kind(), BlobErrorKind::Missing));
        assert_eq!(error.path(), store.path(&digest));
    }

    #[test]
    fn strangers_in_the_folder_are_not_listed() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        fs::create_dir(folder.path().join("ab")).unwrap();
        let upper = "AB".repeat(31);
        for stranger in ["README", "ab/short", &format!("ab/{upper}")] {
            fs::write(folder.path().join(stranger), b"").unwrap();
        }
        assert_eq!(store.list().unwrap(), []);
    }
}
