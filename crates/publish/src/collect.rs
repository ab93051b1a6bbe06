//! Garbage collection: removes what no snapshot in the catalogue refers to.

use std::collections::{HashMap, HashSet};

use blob::{BlobError, Sweeper, Swept};
use model::Snapshot;
use name::{AmiId, SnapshotId};
use store::{Db, StoreError};

use crate::{ReadMapError, Region, read_map};

/// Garbage could not be collected; nothing that is referred to was removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollectError {
    /// A store is in use or failed.
    #[error("failed to sweep a blob store")]
    Sweep(#[source] BlobError),
    /// The catalogue failed.
    #[error("failed to ask the catalogue what is in use")]
    Catalogue(#[source] StoreError),
    /// A snapshot's map cannot be read, so what it refers to is unknown.
    #[error("failed to read the snapshot {snapshot} in region `{region}`")]
    Map {
        /// The snapshot.
        snapshot: SnapshotId,
        /// The region.
        region: name::Region,
        /// The AMI that needs it, if it was not deregistered.
        ami: Option<AmiId>,
        /// What failed.
        #[source]
        source: Box<ReadMapError>,
    },
}

/// Removes unreachable blobs from `regions`; returns what that freed.
///
/// All stores are locked before the catalogue is asked, so that nothing comes
/// in between; a build that writes to one makes it fail at once with
/// [`blob::BlobErrorKind::Busy`]. A region that cannot be swept keeps no other
/// one from it; the first such failure is returned. A crash leaves some garbage.
pub async fn collect(db: &Db, regions: &[Region]) -> Result<Swept, CollectError> {
    let mut locked = Vec::with_capacity(regions.len());
    for region in regions {
        let sweeper = region.store().sweeper().map_err(CollectError::Sweep)?;
        locked.push((region.name().clone(), sweeper, Vec::new()));
    }
    for entry in store::snapshot::list(db).await.map_err(CollectError::Catalogue)? {
        for (region, _, snapshots) in &mut locked {
            if *region == entry.snapshot.region {
                snapshots.push(entry.snapshot.clone());
            }
        }
    }
    let amis = store::ami::list(db).await.map_err(CollectError::Catalogue)?;
    let amis = amis.into_iter().map(|entry| (entry.ami.root, entry.ami.id)).collect();
    let sweep = move || {
        let mut sum = Swept::default();
        let mut failed = None;
        for (_, sweeper, snapshots) in &locked {
            match sweep_region(sweeper, snapshots, &amis) {
                Ok(swept) => sum += swept,
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(sum), Err)
    };
    match tokio::task::spawn_blocking(sweep).await {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

fn sweep_region(
    sweeper: &Sweeper,
    snapshots: &[Snapshot],
    amis: &HashMap<SnapshotId, AmiId>,
) -> Result<Swept, CollectError> {
    let mut reachable = HashSet::new();
    for Snapshot { id, region, digest, .. } in snapshots {
        if reachable.insert(*digest) {
            let map = read_map(sweeper.store(), digest);
            let map = map.map_err(|source| {
                let (region, ami) = (region.clone(), amis.get(id).copied());
                CollectError::Map { snapshot: *id, region, ami, source: Box::new(source) }
            })?;
            reachable.extend(map.blocks().iter().map(|block| block.digest));
        }
    }
    sweeper.sweep(|digest| reachable.contains(digest)).map_err(CollectError::Sweep)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use model::{Ami, Architecture, BootMode, ImageState, Tags};
    use name::{Digest, RunId};
    use serde_json::json;

    use super::*;
    use crate::{Block, BlockMap};

    const BLOCK: usize = 512 << 10;

    struct Setting {
        db: Db,
        region: Region,
        data: tempfile::TempDir,
    }

    async fn setting() -> Setting {
        let data = tempfile::tempdir().unwrap();
        let path: &Path = data.path();
        Setting {
            db: Db::open(&path.join("goldsmith.db")).await.unwrap(),
            region: Region::open(path, &"local-1".parse().unwrap()).unwrap(),
            data,
        }
    }

    impl Setting {
        /// Publishes a volume with a block for each of `bytes`, as run `n`.
        async fn publish(&self, n: u8, bytes: &[u8]) -> RunId {
            let run = store::run::NewRun {
                id: RunId::from_random([n; 8]),
                image: "web".to_owned(),
                version: "1.0.0".parse().unwrap(),
                project: "/projects/web".to_owned(),
                recipe: json!({}),
                work: "work".to_owned(),
                owner: "owner".to_owned(),
                started_at: 1,
                shown: store::image::New::of(
                    "000000000000".parse().unwrap(),
                    "local-1".parse().unwrap(),
                    "web",
                ),
            };
            let run = store::run::create(&self.db, run).await.unwrap().id;
            let writer = self.region.store().writer().unwrap();
            let put = |byte: &u8| writer.put(&[*byte; BLOCK]).unwrap();
            let blocks = (0..).zip(bytes.iter().map(put));
            let blocks = blocks.map(|(index, digest)| Block { index, digest }).collect();
            let map = BlockMap::new((bytes.len() * BLOCK) as u64, blocks).unwrap();
            writer.put(&map.to_bytes()).unwrap();
            let snapshot = Snapshot {
                id: SnapshotId::from_random([n; 8]),
                region: self.region.name().clone(),
                volume_bytes: map.volume_size(),
                digest: map.digest(),
            };
            let ami = Ami {
                id: AmiId::from_random([n; 8]),
                region: snapshot.region.clone(),
                owner: "000000000000".parse().unwrap(),
                name: format!("web {n}"),
                description: None,
                architecture: Architecture::X86_64,
                boot_mode: BootMode::Uefi,
                root: snapshot.id,
                tags: Tags::default(),
            };
            let registration = store::ami::Registration {
                snapshot: store::snapshot::Entry { snapshot, blocks: 0, created_at: 1 },
                ami: store::ami::Entry::new(ami, run, 1),
            };
            store::run::advance(&self.db, run, ImageState::Distributing, "", 2).await.unwrap();
            let step = store::step::NewStep {
                run,
                ordinal: 1,
                workflow: store::Workflow::Distribution,
                action: "DistributeImage",
                label: "distribute",
                started_at: 2,
            };
            store::step::start(&self.db, &step).await.unwrap();
            store::run::publish(&self.db, run, 1, &[registration], 3).await.unwrap();
            run
        }

        async fn collect(&self) -> Result<Swept, CollectError> {
            collect(&self.db, std::slice::from_ref(&self.region)).await
        }
    }

    #[tokio::test]
    async fn blocks_go_with_the_last_image_that_has_them() {
        let setting = setting().await;
        let first = setting.publish(1, b"abc").await;
        let second = setting.publish(2, b"bcd").await;
        let orphan = setting.region.store().writer().unwrap().put(b"orphan").unwrap();

        assert_eq!(setting.collect().await.unwrap().removed, 1);
        assert!(!setting.region.store().has(&orphan).unwrap());

        store::image::delete(&setting.db, first, 3).await.unwrap();
        // The block `a` and the first map.
        let swept = setting.collect().await.unwrap();
        assert_eq!(swept.removed, 2);
        assert!(swept.freed >= BLOCK as u64);
        let left: BTreeSet<Digest> = setting.region.store().list().unwrap().into_iter().collect();
        let blocks = b"bcd".map(|byte| Digest::of(&[byte; BLOCK]));
        assert!(blocks.iter().all(|digest| left.contains(digest)));
        assert_eq!(left.len(), 4);

        store::image::delete(&setting.db, second, 3).await.unwrap();
        assert_eq!(setting.collect().await.unwrap().removed, 4);
        assert_eq!(setting.collect().await.unwrap(), Swept::default());
    }

    #[tokio::test]
    async fn a_build_that_publishes_is_not_disturbed() {
        let setting = setting().await;
        let writer = setting.region.store().writer().unwrap();
        let digest = writer.put(b"not yet in the catalogue").unwrap();
        assert!(matches!(setting.collect().await, Err(CollectError::Sweep(_))));
        assert!(setting.region.store().has(&digest).unwrap());
        drop(writer);
        setting.collect().await.unwrap();
    }

    #[tokio::test]
    async fn nothing_is_removed_where_a_map_is_unreadable() {
        let setting = setting().await;
        setting.publish(1, b"a").await;
        let map = store::snapshot::list(&setting.db).await.unwrap()[0].snapshot.digest;
        fs::remove_file(setting.region.store().path(&map)).unwrap();
        let region = "local-2".parse().unwrap();
        let other = Region::open(setting.data.path(), &region).unwrap();
        other.store().writer().unwrap().put(b"orphan").unwrap();

        let error = collect(&setting.db, &[setting.region.clone(), other.clone()]).await;
        let error = error.unwrap_err();
        assert_eq!(
            error.to_string(),
            "failed to read the snapshot snap-00101010101010101 in region `local-1`"
        );
        let CollectError::Map { ami, .. } = error else { panic!("{error:?}") };
        assert_eq!(ami, Some(AmiId::from_random([1; 8])));
        assert_eq!(setting.region.store().list().unwrap(), [Digest::of(&[b'a'; BLOCK])]);
        assert_eq!(other.store().list().unwrap(), []);
    }
}
