//! Regions on this machine: folders with a blob store each, `<data>/regions/<region>/blobs`.

use std::fs;
use std::io;
use std::path::Path;

use blob::{BlobError, Store, Writer};

use crate::watch::{Stop, each};
use crate::{BlockMap, Watch};

/// A place images are published to.
#[derive(Debug, Clone)]
pub struct Region {
    name: name::Region,
    store: Store,
}

/// How much of a volume had to be copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// How many blocks the volume has, holes not counted.
    pub total: u64,
    /// How many of them were missing in the target.
    pub copied: u64,
}

/// A region could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("failed to open region `{region}`")]
pub struct OpenRegionError {
    region: name::Region,
    #[source]
    source: BlobError,
}

/// A volume could not be copied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// A block could not be brought over.
    #[error("failed to copy a block")]
    Block(#[source] BlobError),
    /// The caller asked to stop.
    #[error("the copy was cancelled")]
    Cancelled,
}

impl Region {
    /// Opens the region in the data folder and makes it if it is not there.
    pub fn open(data: &Path, name: &name::Region) -> Result<Self, OpenRegionError> {
        let store = Store::open(&data.join(REGIONS).join(name.as_str()).join("blobs"));
        let store = store.map_err(|source| OpenRegionError { region: name.clone(), source })?;
        Ok(Self { name: name.clone(), store })
    }

    /// Returns the names of the regions in the data folder, in order.
    pub fn list(data: &Path) -> io::Result<Vec<name::Region>> {
        let mut names = Vec::new();
        match fs::read_dir(data.join(REGIONS)) {
            Ok(entries) => {
                for entry in entries {
                    // A folder that cannot be a region's is not ours.
                    names.extend(entry?.file_name().to_str().and_then(|name| name.parse().ok()));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Returns the name.
    pub fn name(&self) -> &name::Region {
        &self.name
    }

    /// Returns the region's blobs.
    pub fn store(&self) -> &Store {
        &self.store
    }
}

/// Brings a volume's blocks and then its map to another store; those already there are left alone.
///
/// Nothing is durable before [`Writer::sync`].
pub fn copy(
    map: &BlockMap,
    from: &Store,
    to: &Writer,
    watch: &mut Watch<'_>,
) -> Result<Copied, CopyError> {
    let copied = each(map.blocks(), watch, |block, _| to.import(from, &block.digest));
    let copied = copied.map_err(|stop| match stop {
        Stop::Cancelled => CopyError::Cancelled,
        Stop::Failed(error) => CopyError::Block(error),
    })?;
    to.put(&map.to_bytes()).map_err(CopyError::Block)?;
    let missing = copied.iter().filter(|missing| **missing).count();
    Ok(Copied { total: copied.len() as u64, copied: missing as u64 })
}

const REGIONS: &str = "regions";

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::{materialise, read_map, snapshot};

    #[test]
    fn copying_twice_copies_nothing() {
        let data = tempfile::tempdir().unwrap();
        let [here, there] = ["local-1", "local-2"]
            .map(|name| Region::open(data.path(), &name.parse().unwrap()).unwrap());
        let names = Region::list(data.path()).unwrap();
        assert_eq!(names, [here.name().clone(), there.name().clone()]);

        let disk = tempfile::tempfile().unwrap();
        disk.set_len(8 << 20).unwrap();
        for offset in [0, 3 << 20, 5 << 20] {
            disk.write_all_at(format!("block at {offset}").as_bytes(), offset).unwrap();
        }
        let never = AtomicBool::new(false);
        let mut watch = Watch { progress: &mut |_| (), cancel: &never };
        let map = snapshot(&disk, &here.store().writer().unwrap(), &mut watch).unwrap();
        let writer = there.store().writer().unwrap();
        let mut copy = |map| copy(map, here.store(), &writer, &mut watch).unwrap();
        assert_eq!(copy(&map), Copied { total: 3, copied: 3 });
        assert_eq!(copy(&map), Copied { total: 3, copied: 0 });

        disk.write_all_at(b"another", 5 << 20).unwrap();
        let mut watch = Watch { progress: &mut |_| (), cancel: &never };
        let next = snapshot(&disk, &here.store().writer().unwrap(), &mut watch).unwrap();
        let copied = super::copy(&next, here.store(), &writer, &mut watch).unwrap();
        assert_eq!(copied, Copied { total: 3, copied: 1 });

        assert_eq!(read_map(there.store(), &next.digest()).unwrap(), next);
        let back = tempfile::tempfile().unwrap();
        materialise(&next, there.store(), &back, &mut watch).unwrap();
    }

    #[test]
    fn a_block_missing_at_the_source_is_an_error() {
        let data = tempfile::tempdir().unwrap();
        let [here, there] = ["local-1", "local-2"]
            .map(|name| Region::open(data.path(), &name.parse().unwrap()).unwrap());
        let block = crate::Block { index: 0, digest: name::Digest::of(b"nowhere") };
        let map = BlockMap::new(1 << 20, vec![block]).unwrap();
        let never = AtomicBool::new(false);
        let mut watch = Watch { progress: &mut |_| (), cancel: &never };
        let writer = there.store().writer().unwrap();
        let error = copy(&map, here.store(), &writer, &mut watch).unwrap_err();
        let CopyError::Block(source) = error else { panic!("{error:?}") };
        assert!(matches!(source.kind(), blob::BlobErrorKind::Missing));
        assert!(!there.store().has(&map.digest()).unwrap(), "the map comes last");
    }
}
