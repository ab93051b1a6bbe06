//! The throw-away instance that documents run in when `--in` is given.

use factory::Kind;
use model::{DiskLocation, ParentImage};
use name::Digest;

use crate::error::CliError;
use crate::home::Home;
use crate::machines::Room;
use crate::needs::{self, Work};
use crate::output::Output;

/// A throw-away instance that is asked for.
pub(super) struct Instance {
    pub(super) factory: factory::Factory,
    pub(super) parent: ParentImage,
    pub(super) kind: Kind,
    pub(super) room: Room,
}

impl Instance {
    /// Returns an instance of `kind` on `base`, once this machine has what that
    /// needs.
    pub(super) async fn of(
        base: &str,
        kind: Kind,
        home: Home,
        out: &Output,
    ) -> Result<Self, CliError> {
        let parent = parent(base)?;
        let place = match kind {
            Kind::Sandbox => Work::Sandbox,
            Kind::Machine => Work::Machine,
        };
        let works: Vec<Work> = Work::on(&parent).into_iter().chain([place]).collect();
        needs::check(&works, home.environment())?;
        let factory = home.factory(out).await?;
        let path = factory.cells().data().join("machines");
        let room =
            Room::make(factory.cells()).map_err(|source| CliError::Write { path, source })?;
        Ok(Self { factory, parent, kind, room })
    }
}

/// Returns the base that `text` names. A disk image is what it is: its digest
/// is taken, not asked for.
fn parent(text: &str) -> Result<ParentImage, CliError> {
    let wrong = |source| CliError::Base { text: text.to_owned(), source };
    match ParentImage::parse(text, None) {
        Err(model::ParseParentError::NoDigest(_)) => {
            let placeholder = Digest::of(b"");
            let parsed = ParentImage::parse(text, Some(placeholder)).map_err(wrong)?;
            match parsed {
                ParentImage::Disk { location: DiskLocation::Path(path), .. } => {
                    let read = |source| CliError::Read { path: path.clone().into(), source };
                    let mut file = std::fs::File::open(&path).map_err(read)?;
                    let digest = digest(&mut file).map_err(read)?;
                    Ok(ParentImage::Disk { location: DiskLocation::Path(path), digest })
                }
                ParentImage::Disk { location: DiskLocation::Url(url), .. } => {
                    Err(wrong(model::ParseParentError::NoDigest(url)))
                }
                other => Ok(other),
            }
        }
        other => other.map_err(wrong),
    }
}

fn digest(file: &mut std::fs::File) -> std::io::Result<Digest> {
    use sha2::Digest as _;
    let mut hash = sha2::Sha256::new();
    std::io::copy(file, &mut hash)?;
    Ok(Digest::from_bytes(hash.finalize().into()))
}
