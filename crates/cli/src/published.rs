//! A published image and where its bytes are.

use publish::{BlockMap, Region, read_map};
use store::{ami, snapshot};

use crate::error::CliError;
use crate::home::Home;
use crate::reference::{self, Among, FindError, ImageReference};

/// An AMI with the map of its disk and the region that has the blocks.
#[derive(Debug)]
pub(crate) struct Published {
    /// The AMI.
    pub(crate) ami: ami::Entry,
    /// The region it is in.
    pub(crate) region: Region,
    /// What its disk consists of.
    pub(crate) map: BlockMap,
}

impl Published {
    /// Returns the AMI that is meant; of an image, that of its first region.
    pub(crate) async fn find(home: &Home, wanted: &ImageReference) -> Result<Self, CliError> {
        let db = home.catalogue().await?;
        let run = reference::find(db.as_ref(), wanted, Among::Published).await??;
        let none = || FindError::None(reference::title(&run));
        let db = db.ok_or_else(none)?;
        let amis = ami::of_run(&db, run.id).await?;
        let is_meant = |entry: &ami::Entry| match wanted {
            ImageReference::Ami(id) => entry.ami.id == *id,
            ImageReference::Newest { .. }
            | ImageReference::Build { .. }
            | ImageReference::Run(_) => true,
        };
        let ami = amis.into_iter().find(is_meant).ok_or_else(none)?;
        let snapshot = snapshot::get(&db, ami.ami.root).await?.snapshot;
        let region = Region::open(home.data(), &snapshot.region)?;
        let map = read_map(region.store(), &snapshot.digest)
            .map_err(|source| CliError::Map { ami: ami.ami.id.to_string(), source })?;
        Ok(Self { ami, region, map })
    }
}
