//! From a raw disk to blocks and back.
//!
//! Holes and blocks of zeros are never read, stored or written.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use rustix::fs::SeekFrom;
use rustix::io::Errno;

use blob::{BlobError, BlobErrorKind, Store, Writer};
use model::BLOCK_BYTES;
use name::Digest;

use crate::watch::{Stop, each};
use crate::{Block, BlockMap, MapError, Watch};

/// A disk could not be turned into blocks.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The disk could not be read.
    #[error("failed to read the disk")]
    Read(#[source] io::Error),
    /// The disk has more blocks than a map can number.
    #[error("a disk of {size} bytes is too large")]
    TooLarge {
        /// The disk's size.
        size: u64,
    },
    /// A block could not be stored.
    #[error("failed to store a block of the disk")]
    Store(#[source] BlobError),
    /// The caller asked to stop.
    #[error("the snapshot was cancelled")]
    Cancelled,
}

/// A disk could not be made from blocks.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MaterialiseError {
    /// A block is missing or corrupt.
    #[error("failed to read block {index}")]
    Block {
        /// The block.
        index: u32,
        /// What is wrong with it.
        #[source]
        source: BlobError,
    },
    /// A block has the right digest, but blocks are never of that size.
    #[error("block {index} has {size} bytes instead of {BLOCK_BYTES}")]
    Size {
        /// The block.
        index: u32,
        /// Its size in bytes.
        size: usize,
    },
    /// The disk could not be written.
    #[error("failed to write the disk")]
    Write(#[source] io::Error),
    /// The caller asked to stop.
    #[error("writing the disk was cancelled")]
    Cancelled,
}

impl MaterialiseError {
    /// Returns what the user can do about it, if anything.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Block { source, .. } => help(source),
            Self::Size { .. } | Self::Write(_) | Self::Cancelled => None,
        }
    }
}

/// Stores a raw disk's blocks and their map; the map's digest names the content.
///
/// Nothing is durable before [`Writer::sync`].
pub fn snapshot(
    disk: &File,
    writer: &Writer,
    watch: &mut Watch<'_>,
) -> Result<BlockMap, SnapshotError> {
    let map = scan(disk, watch, |block| writer.put(block).map_err(SnapshotError::Store))?;
    writer.put(&map.to_bytes()).map_err(SnapshotError::Store)?;
    Ok(map)
}

/// Returns the digest that [`snapshot`] would give the disk, and stores nothing.
pub fn disk_digest(disk: &File, watch: &mut Watch<'_>) -> Result<Digest, SnapshotError> {
    scan(disk, watch, |block| Ok(Digest::of(block))).map(|map| map.digest())
}

/// Returns the map that a region's store keeps under `digest`.
pub fn read_map(store: &Store, digest: &Digest) -> Result<BlockMap, ReadMapError> {
    BlockMap::parse(&store.get(digest)?)
        .map_err(|source| ReadMapError::Map { digest: *digest, source })
}

/// A block map could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadMapError {
    /// Its bytes are missing or corrupt.
    #[error("failed to read a block map")]
    Blob(#[from] BlobError),
    /// The bytes are something else.
    #[error("{digest} is not a block map")]
    Map {
        /// The blob.
        digest: Digest,
        /// What is wrong with it.
        #[source]
        source: MapError,
    },
}

impl ReadMapError {
    /// Returns what the user can do about it, if anything.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Blob(error) => help(error),
            Self::Map { .. } => None,
        }
    }
}

/// Returns what can be done about a blob that is lost.
fn help(error: &BlobError) -> Option<&'static str> {
    let is_lost = matches!(error.kind(), BlobErrorKind::Missing | BlobErrorKind::Corrupt { .. });
    is_lost.then_some("build the image again, which writes anew what comes out the same")
}

/// Writes the volume to `disk` as a sparse file and verifies every block; what was there is lost.
pub fn materialise(
    map: &BlockMap,
    store: &Store,
    disk: &File,
    watch: &mut Watch<'_>,
) -> Result<(), MaterialiseError> {
    // Emptied first, so that every byte not written below is a hole.
    disk.set_len(0)
        .and_then(|()| disk.set_len(map.volume_size()))
        .map_err(MaterialiseError::Write)?;
    let written = each(map.blocks(), watch, |&Block { index, digest }, _| {
        let bytes = store.get(&digest);
        let bytes = bytes.map_err(|source| MaterialiseError::Block { index, source })?;
        if bytes.len() as u64 != BLOCK_BYTES {
            return Err(MaterialiseError::Size { index, size: bytes.len() });
        }
        let start = u64::from(index) * BLOCK_BYTES;
        let length = BLOCK_BYTES.min(map.volume_size() - start);
        disk.write_all_at(&bytes[..length as usize], start).map_err(MaterialiseError::Write)
    });
    match written {
        Ok(_) => Ok(()),
        Err(Stop::Failed(error)) => Err(error),
        Err(Stop::Cancelled) => Err(MaterialiseError::Cancelled),
    }
}

/// Calls `keep` with every block that is not all zeros and maps the digests it returns.
fn scan(
    disk: &File,
    watch: &mut Watch<'_>,
    keep: impl Fn(&[u8]) -> Result<Digest, SnapshotError> + Sync,
) -> Result<BlockMap, SnapshotError> {
    let size = disk.metadata().map_err(SnapshotError::Read)?.len();
    if size.div_ceil(BLOCK_BYTES) > u64::from(u32::MAX) {
        return Err(SnapshotError::TooLarge { size });
    }
    let candidates = data_blocks(disk, size).map_err(SnapshotError::Read)?;
    let blocks = each(&candidates, watch, |&index, buffer| {
        let start = u64::from(index) * BLOCK_BYTES;
        let length = BLOCK_BYTES.min(size - start) as usize;
        disk.read_exact_at(&mut buffer[..length], start).map_err(SnapshotError::Read)?;
        buffer[length..].fill(0);
        if buffer[..] == ZEROS[..] {
            return Ok(None);
        }
        Ok(Some(Block { index, digest: keep(buffer)? }))
    });
    match blocks {
        Ok(blocks) => Ok(BlockMap::new(size, blocks.into_iter().flatten().collect())
            .expect("blocks ascend within the disk because the candidates do")),
        Err(Stop::Failed(error)) => Err(error),
        Err(Stop::Cancelled) => Err(SnapshotError::Cancelled),
    }
}

static ZEROS: [u8; BLOCK_BYTES as usize] = [0; BLOCK_BYTES as usize];

/// Returns the numbers of the blocks that are not entirely holes, ascending.
fn data_blocks(disk: &File, size: u64) -> io::Result<Vec<u32>> {
    let mut blocks = Vec::new();
    let mut offset = 0;
    while offset < size {
        let data = match rustix::fs::seek(disk, SeekFrom::Data(offset)) {
            Ok(data) => data,
            // No data up to the end.
            Err(Errno::NXIO) => break,
            Err(errno) => return Err(errno.into()),
        };
        let hole = rustix::fs::seek(disk, SeekFrom::Hole(data))?.min(size);
        for index in data / BLOCK_BYTES..hole.div_ceil(BLOCK_BYTES) {
            blocks.push(u32::try_from(index).map_err(io::Error::other)?);
        }
        offset = hole.next_multiple_of(BLOCK_BYTES);
    }
    Ok(blocks)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::sync::atomic::AtomicBool;

    use proptest::prelude::{Strategy, prop_assert, prop_assert_eq, proptest};

    use super::*;
    use crate::Progress;

    static NEVER: AtomicBool = AtomicBool::new(false);

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        (folder, store)
    }

    fn quiet(run: impl FnOnce(&mut Watch<'_>)) {
        run(&mut Watch { progress: &mut |_| (), cancel: &NEVER });
    }

    /// Returns a sparse disk with `pieces` of bytes at their offsets.
    fn disk(size: u64, pieces: &[(u64, &[u8])]) -> File {
        let file = tempfile::tempfile().unwrap();
        file.set_len(size).unwrap();
        for (offset, bytes) in pieces {
            file.write_all_at(bytes, *offset).unwrap();
        }
        file
    }

    fn indices(map: &BlockMap) -> Vec<u32> {
        map.blocks().iter().map(|block| block.index).collect()
    }

    #[test]
    fn holes_and_zeros_are_left_out() {
        let (_folder, store) = store();
        let writer = store.writer().unwrap();
        let zeros = vec![0; BLOCK_BYTES as usize];
        let disk = disk(
            9 * BLOCK_BYTES,
            &[
                (0, b"boot"),
                (2 * BLOCK_BYTES, &zeros),
                (5 * BLOCK_BYTES - 2, b"edge"),
                (9 * BLOCK_BYTES - 1, b"!"),
            ],
        );
        quiet(|watch| {
            let map = snapshot(&disk, &writer, watch).unwrap();
            assert_eq!(indices(&map), [0, 4, 5, 8]);
            assert_eq!(store.list().unwrap().len(), 5);
            assert_eq!(disk_digest(&disk, watch).unwrap(), map.digest());
            assert_eq!(read_map(&store, &map.digest()).unwrap(), map);
        });
    }

    #[test]
    fn an_empty_terabyte_costs_nothing() {
        let (_folder, store) = store();
        let writer = store.writer().unwrap();
        let disk = disk(1 << 40, &[]);
        quiet(|watch| {
            let map = snapshot(&disk, &writer, watch).unwrap();
            assert_eq!(map.volume_size(), 1 << 40);
            assert_eq!(indices(&map), [0; 0]);
            let copy = tempfile::tempfile().unwrap();
            materialise(&map, &store, &copy, watch).unwrap();
            let metadata = copy.metadata().unwrap();
            assert_eq!((metadata.len(), metadata.blocks()), (1 << 40, 0));
        });
    }

    #[test]
    fn one_changed_bit_changes_the_digest() {
        let before = disk(4 * BLOCK_BYTES, &[(BLOCK_BYTES, b"gold")]);
        let after = disk(4 * BLOCK_BYTES, &[(BLOCK_BYTES, b"golf")]);
        let longer = disk(5 * BLOCK_BYTES, &[(BLOCK_BYTES, b"gold")]);
        quiet(|watch| {
            let digest = disk_digest(&before, watch).unwrap();
            assert_eq!(digest, disk_digest(&before, watch).unwrap());
            assert_ne!(digest, disk_digest(&after, watch).unwrap());
            assert_ne!(digest, disk_digest(&longer, watch).unwrap());
        });
    }

    #[test]
    fn a_corrupt_block_is_named_and_not_written() {
        let (_folder, store) = store();
        let writer = store.writer().unwrap();
        let disk = disk(8 * BLOCK_BYTES, &[(3 * BLOCK_BYTES, b"gold")]);
        quiet(|watch| {
            let map = snapshot(&disk, &writer, watch).unwrap();
            let path = store.path(&map.blocks()[0].digest);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            fs::write(&path, b"lead").unwrap();
            let copy = tempfile::tempfile().unwrap();
            let error = materialise(&map, &store, &copy, watch).unwrap_err();
            assert_eq!(error.to_string(), "failed to read block 3");
            let MaterialiseError::Block { source, .. } = error else { panic!("{error:?}") };
            assert!(matches!(source.kind(), blob::BlobErrorKind::Corrupt { .. }));
        });
    }

    #[test]
    fn progress_is_told_and_cancelling_heard() {
        let (_folder, store) = store();
        let writer = store.writer().unwrap();
        let disk =
            disk(8 * BLOCK_BYTES, &[(0, b"a"), (BLOCK_BYTES, b"b"), (5 * BLOCK_BYTES, b"c")]);
        let mut seen = Vec::new();
        let mut progress = |progress: Progress| seen.push(progress.done / BLOCK_BYTES);
        let mut watch = Watch { progress: &mut progress, cancel: &NEVER };
        snapshot(&disk, &writer, &mut watch).unwrap();
        assert_eq!(seen, [1, 2, 3]);

        let cancel = AtomicBool::new(true);
        let mut watch = Watch { progress: &mut |_| (), cancel: &cancel };
        let error = snapshot(&disk, &writer, &mut watch).unwrap_err();
        assert!(matches!(error, SnapshotError::Cancelled));
    }

    /// Up to six short pieces anywhere on a small disk of any length.
    fn pieces() -> impl Strategy<Value = (u64, Vec<(u64, Vec<u8>)>)> {
        (1..6 * BLOCK_BYTES).prop_flat_map(|size| {
            let bytes = proptest::collection::vec(0..3u8, 1..40);
            let piece = (0..size, bytes).prop_map(move |(offset, mut bytes)| {
                bytes.truncate((size - offset) as usize);
                (offset, bytes)
            });
            (proptest::strategy::Just(size), proptest::collection::vec(piece, 0..6))
        })
    }

    proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(32))]

        #[test]
        fn disks_come_back_as_they_were((size, pieces) in pieces()) {
            let pieces: Vec<(u64, &[u8])> = pieces.iter().map(|(o, b)| (*o, &b[..])).collect();
            let disk = disk(size, &pieces);
            let (_folder, store) = store();
            let writer = store.writer().unwrap();
            let copy = tempfile::tempfile().unwrap();
            let mut watch = Watch { progress: &mut |_| (), cancel: &NEVER };
            let map = snapshot(&disk, &writer, &mut watch).unwrap();
            materialise(&map, &store, &copy, &mut watch).unwrap();
            let read = |file: &File| {
                let mut bytes = vec![0; size as usize];
                file.read_exact_at(&mut bytes, 0).map(|()| bytes)
            };
            prop_assert_eq!(copy.metadata().unwrap().len(), size);
            prop_assert!(read(&disk).unwrap() == read(&copy).unwrap());
            prop_assert_eq!(disk_digest(&copy, &mut watch).unwrap(), map.digest());
        }
    }
}
