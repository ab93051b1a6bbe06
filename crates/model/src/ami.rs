//! What a region's catalogue holds: AMIs and the snapshots they name.

use name::{Account, AmiId, Digest, Region, SnapshotId};

use crate::{Architecture, BootMode, Tags};

/// The size of a snapshot's blocks, in bytes: EBS's 512 KiB.
pub const BLOCK_BYTES: u64 = 512 << 10;

/// A catalogue entry from which instances are launched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ami {
    /// Its id, unique in the world.
    pub id: AmiId,
    /// The region whose catalogue it is in.
    pub region: Region,
    /// The account it belongs to.
    pub owner: Account,
    /// Its name, unique for its owner in the region.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The instruction set it is for.
    pub architecture: Architecture,
    /// How it starts.
    pub boot_mode: BootMode,
    /// The volume it starts from.
    pub root: SnapshotId,
    /// Its tags.
    pub tags: Tags,
}

/// An immutable volume: a map of blocks in a region's blob store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Its id.
    pub id: SnapshotId,
    /// The region whose blob store has its blocks.
    pub region: Region,
    /// The volume's size in bytes, a multiple of [`BLOCK_BYTES`].
    pub volume_bytes: u64,
    /// The digest of the volume's bytes.
    pub digest: Digest,
}
