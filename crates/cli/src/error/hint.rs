//! What to do about an error, where that is known.

use std::io;

use factory::{GarbageError, OpenError, OrderError};
use model::ParseParentError;
use publish::{CollectError, ExportErrorKind};
use store::{KeyringErrorKind, StoreErrorKind};

use super::CliError;
use crate::command::component::StateError;

/// What may be a base.
const BASES: &str =
    "name a managed image as in `debian-server-12`, an image's ARN, an AMI or a disk image's path";

impl CliError {
    /// Returns what to do next, if that is known.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::NoHome => Some("name a folder with --data-dir".to_owned()),
            Self::NoAgent { .. } => Some(
                "run `make build` in Goldsmith's source, or set GOLDSMITH_AGENT to its path"
                    .to_owned(),
            ),
            Self::Lacking { mend, .. } => Some(mend.clone()),
            Self::Order(OrderError::Read { .. }) => Some(
                "name a folder with a goldsmith.yaml, or such a file; \
                 `goldsmith schema project` tells what it may hold"
                    .to_owned(),
            ),
            Self::Open(OpenError::Ids(error)) | Self::Ids(error) => {
                Some(format!("as root run: {}", error.mend()))
            }
            Self::Find(error) => Some(error.help().to_owned()),
            Self::Keyring(error) => match error.kind() {
                KeyringErrorKind::Open { .. } => Some(
                    "make it yours alone with `chmod 600`, if nobody can have read it".to_owned(),
                ),
                _ => None,
            },
            Self::NoKey { .. } => Some(
                "`goldsmith key create` makes one, `goldsmith key enable` takes one into use"
                    .to_owned(),
            ),
            Self::Secure { .. } => Some("add --with-decryption to see it".to_owned()),
            Self::Store(error) => match error.kind() {
                StoreErrorKind::HasValue { .. } => {
                    Some("add --overwrite to replace its value".to_owned())
                }
                StoreErrorKind::OtherType { .. } => {
                    Some("delete it first if it shall be of another type".to_owned())
                }
                StoreErrorKind::Sealed { .. } => {
                    Some("put back the file `keyring` that the data folder had".to_owned())
                }
                _ => None,
            },
            Self::Bind(error) if error.source.kind() == io::ErrorKind::AddrInUse => Some(
                "another program listens there, perhaps another `goldsmith serve`; \
                 choose another port with --listen"
                    .to_owned(),
            ),
            Self::Export(error) => match error.kind() {
                ExportErrorKind::Exists => {
                    Some("remove the file, or add --force to replace it".to_owned())
                }
                _ => error.help().map(str::to_owned),
            },
            Self::Map { source, .. } => source.help().map(str::to_owned),
            Self::Materialise { source, .. } => source.help().map(str::to_owned),
            Self::Garbage(error) if error.is_busy() => {
                Some("a build is at work; try again when it has ended".to_owned())
            }
            Self::Garbage(GarbageError::Collect(CollectError::Map { ami: Some(ami), .. })) => {
                Some(format!("put the file back, or `goldsmith delete {ami}` and build it again"))
            }
            Self::NameTaken { .. } => Some(
                "put {{ imagebuilder:buildDate }} into the name, or delete the image that has it"
                    .to_owned(),
            ),
            Self::Unconfirmed { .. } => Some("add --yes if it shall be deleted".to_owned()),
            Self::Order(_)
            | Self::Bind(_)
            | Self::Tls(_)
            | Self::Open(_)
            | Self::Build(_)
            | Self::Log { .. }
            | Self::Unknown { .. }
            | Self::Value(_)
            | Self::Draw(_)
            | Self::Region(_)
            | Self::Garbage(_)
            | Self::Write { .. }
            | Self::Read { .. }
            | Self::Data { .. }
            | Self::Random(_)
            | Self::Machine(_)
            | Self::Ask(_)
            | Self::Output(_)
            | Self::Runtime(_)
            | Self::NoJunit
            | Self::ComponentOrder(_)
            | Self::Documents(_)
            | Self::Place(_)
            | Self::LogFolder(_)
            | Self::Declined => None,
            Self::Trial(failure) => failure.help().map(str::to_owned),
            Self::Base { source, .. } => match source {
                ParseParentError::NoDigest(_) => {
                    Some("download it and give its path, as in `--in ./base.qcow2`".to_owned())
                }
                ParseParentError::Unsupported { .. } => Some(BASES.to_owned()),
                _ => None,
            },
            Self::ComponentState(StateError::Changed { .. }) => {
                Some("remove that file to begin anew".to_owned())
            }
            Self::ComponentState(_) => None,
            Self::LogStream(_) => Some("--cw-ignore-failures goes on without".to_owned()),
            Self::LogBucket(failure) => Some(format!("they are in {}", failure.folder.display())),
        }
    }
}

#[cfg(test)]
mod tests {
    use name::{AmiId, Digest, SnapshotId};
    use publish::{MapError, ReadMapError};

    use super::*;

    #[test]
    fn what_keeps_garbage_from_being_collected_can_be_deleted() {
        let source = ReadMapError::Map { digest: Digest::of(b""), source: MapError::Foreign };
        let error = CliError::Garbage(GarbageError::Collect(CollectError::Map {
            snapshot: SnapshotId::from_random([1; 8]),
            region: "local-1".parse().unwrap(),
            ami: Some(AmiId::from_random([1; 8])),
            source: Box::new(source),
        }));
        assert_eq!(
            error.hint().as_deref(),
            Some(
                "put the file back, or `goldsmith delete ami-00101010101010101` and build it again"
            )
        );
    }
}
