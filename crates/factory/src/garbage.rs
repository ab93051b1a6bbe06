//! Frees the room of what nothing refers to.

use std::io;
use std::path::PathBuf;

use blob::{BlobErrorKind, Swept};
use publish::{CollectError, OpenRegionError, Region};

use crate::Factory;

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
}

impl GarbageError {
    /// Says whether it is only that a build is writing to a store.
    pub fn is_busy(&self) -> bool {
        let Self::Collect(CollectError::Sweep(error)) = self else { return false };
        matches!(error.kind(), BlobErrorKind::Busy)
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
}
