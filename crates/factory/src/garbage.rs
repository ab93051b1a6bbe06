//! Frees the room of what nothing refers to.

use std::io;
use std::path::PathBuf;

use blob::{BlobErrorKind, Swept};
use publish::{CollectError, OpenRegionError, Region};
use store::StoreError;

use crate::{Bases, Factory, bases};

/// Garbage could not be collected; nothing that is referred to was removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GarbageError {
    /// The regions cannot be listed.
    #[error("failed to read {}", path.display())]
    Regions {
        /// Their folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A region cannot be opened.
    #[error(transparent)]
    Region(#[from] OpenRegionError),
    /// A store is in use, or something failed.
    #[error("failed to collect garbage")]
    Collect(#[from] CollectError),
    /// The catalogue failed.
    #[error("failed to ask the catalogue which bases can be asked for")]
    Store(#[from] StoreError),
    /// Bases cannot be removed.
    #[error("failed to remove bases")]
    Bases(#[source] io::Error),
    /// Something is made of a base, or runs on one.
    #[error("failed to remove bases: they are in use")]
    BasesInUse,
}

impl GarbageError {
    /// Says whether it is only that a build is at work with it.
    pub fn is_busy(&self) -> bool {
        match self {
            Self::Collect(CollectError::Sweep(error)) => {
                matches!(error.kind(), BlobErrorKind::Busy)
            }
            Self::BasesInUse => true,
            Self::Regions { .. }
            | Self::Region(_)
            | Self::Collect(_)
            | Self::Store(_)
            | Self::Bases(_) => false,
        }
    }
}

impl Factory {
    /// Removes the blobs that no snapshot in the catalogue refers to.
    ///
    /// Fails at once, and removes nothing, while a build is publishing.
    pub async fn collect_garbage(&self) -> Result<Swept, GarbageError> {
        let data = self.cells().data();
        let names = Region::list(data)
            .map_err(|source| GarbageError::Regions { path: data.join("regions"), source })?;
        let mut regions = Vec::with_capacity(names.len());
        for name in names {
            regions.push(Region::open(data, &name)?);
        }
        Ok(publish::collect(self.db(), &regions).await?)
    }

    /// Removes bases that are at hand and returns how many they were.
    ///
    /// Fails at once, and removes nothing, while anything is made of a base or runs on one.
    pub async fn remove_bases(&self, bases: Bases) -> Result<usize, GarbageError> {
        let snapshots = store::snapshot::list(self.db()).await?;
        let snapshots = snapshots.into_iter().map(|entry| entry.snapshot.digest).collect();
        let cells = self.cells().clone();
        let work = move || bases::remove(&cells, bases, &snapshots);
        let removed = tokio::task::spawn_blocking(work).await;
        let removed = removed.expect("removing bases does not panic");
        removed.map_err(GarbageError::Bases)?.ok_or(GarbageError::BasesInUse)
    }
}
