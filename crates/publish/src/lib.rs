//! Regions, snapshots, AMIs and exports: how a tested disk becomes something others can use.
//!
//! Everything but [`collect`] and [`Staged::register`] blocks. Ids, times and
//! the disk come from the caller; which regions there are is the caller's too.

mod blocks;
mod collect;
mod export;
mod region;
mod register;
mod snapshot;
mod watch;

pub use blocks::{Block, BlockMap, MapError};
pub use collect::{CollectError, collect};
pub use export::{Existing, ExportError, ExportErrorKind, Format, ParseFormatError, export};
pub use region::{Copied, CopyError, OpenRegionError, Region, copy};
pub use register::{Publication, RegisterError, StageError, Staged, StagedRegion, stage};
pub use snapshot::{
    MaterialiseError, ReadMapError, SnapshotError, disk_digest, materialise, read_map, snapshot,
};
pub use watch::{Progress, Watch};
