//! The words that identify things: digests, versions, ARNs and ids.
//!
//! Nothing here knows what the named thing is or where it is kept.

mod access_key;
mod arn;
mod digest;
mod id;
mod place;
mod segment;
mod text;
mod version;

pub use access_key::{AccessKeyId, ParseAccessKeyIdError};
pub use arn::{Arn, Kind, Level, Owner, ParseArnError, ParseArnErrorKind};
pub use digest::{Builder, Digest, ParseDigestError};
pub use id::{AmiId, InstanceId, ParseIdError, RunId, SnapshotId};
pub use place::{Account, ParsePlaceError, Region};
pub use segment::segment;
pub use version::{BuildVersion, Increment, ParseVersionError, Version, VersionPattern};
