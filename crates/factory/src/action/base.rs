//! Gets the base at hand: one that was made before, or a new one.

use std::path::PathBuf;

use base::{Managed, Origin, Receipt};
use model::{DiskLocation, ParentImage};
use name::{AmiId, Arn, Digest, Level};
use publish::Region;

use crate::build::Work;
use crate::clock::now_micros;
use crate::{Cause, Failure};

const DAY_MICROS: i64 = 86_400_000_000;

/// Makes, imports or finds the parent image; says where it came from.
pub(crate) fn prepare_base(work: &mut Work<'_>) -> Result<String, Box<Failure>> {
    let (receipt, how) = match &work.order.project.recipe.parent {
        ParentImage::Name(name) => managed(work, name)?,
        ParentImage::Arn(arn) if matches!(arn.owner(), name::Owner::Managed(_)) => {
            managed(work, arn.name())?
        }
        ParentImage::Arn(arn) => {
            let ami = ami_of_image(work, arn)?;
            published(work, ami)?
        }
        ParentImage::Ami(ami) => published(work, *ami)?,
        ParentImage::Disk { location, digest } => {
            let origin = match location {
                DiskLocation::Url(url) => Origin::Url(url.clone()),
                DiskLocation::Path(path) => Origin::File(work.order.folder.join(path)),
            };
            imported(work, digest, &origin)?
        }
    };
    let outcome = format!("{}, {how}", receipt.os.title);
    work.base = Some(receipt);
    Ok(outcome)
}

fn managed(work: &Work<'_>, name: &str) -> Result<(Receipt, &'static str), Box<Failure>> {
    let Some(managed) = Managed::find(name) else {
        return Err(missing(format!("there is no managed image `{name}`")));
    };
    let mirror = work.order.project.mirror.as_deref();
    let cells = &work.factory.cells;
    if let Some(receipt) = Receipt::find(cells.data(), &managed.key(mirror)) {
        return Ok((receipt, "at hand"));
    }
    let watch = work.watch("");
    let made = base::make(cells, managed, mirror, epoch(work), &scratch(work), &watch);
    made.map(|receipt| (receipt, "made")).map_err(|error| Failure::of(Cause::Factory, &error))
}

fn imported(
    work: &Work<'_>,
    digest: &Digest,
    origin: &Origin,
) -> Result<(Receipt, &'static str), Box<Failure>> {
    let cells = &work.factory.cells;
    if let Some(receipt) = Receipt::find(cells.data(), digest) {
        return Ok((receipt, "at hand"));
    }
    let watch = work.watch("");
    let made = base::import(cells, origin, digest, epoch(work), &scratch(work), &watch);
    made.map(|receipt| (receipt, "imported")).map_err(|error| Failure::of(Cause::Factory, &error))
}

/// Makes a base of an image of ours, from the blocks of its snapshot.
fn published(work: &Work<'_>, ami: AmiId) -> Result<(Receipt, &'static str), Box<Failure>> {
    let fail = |error: &dyn std::error::Error| Failure::of(Cause::Factory, error);
    let db = &work.factory.db;
    let cells = &work.factory.cells;
    let entry = work.handle.block_on(store::ami::get(db, ami)).map_err(|error| fail(&error))?;
    let snapshot = work.handle.block_on(store::snapshot::get(db, entry.ami.root));
    let snapshot = snapshot.map_err(|error| fail(&error))?.snapshot;
    if let Some(receipt) = Receipt::find(cells.data(), &snapshot.digest) {
        return Ok((receipt, "at hand"));
    }
    let region = Region::open(cells.data(), &snapshot.region).map_err(|error| fail(&error))?;
    let map = publish::read_map(region.store(), &snapshot.digest).map_err(|error| fail(&error))?;
    let raw = work.folder.join("parent.raw");
    let file = std::fs::create_dir_all(cells.data().join(&work.folder))
        .and_then(|()| std::fs::File::create(cells.data().join(&raw)))
        .map_err(|error| fail(&error))?;
    let mut progress = |progress: publish::Progress| {
        work.teller().progress(progress.done, progress.total);
    };
    let mut watch = publish::Watch { progress: &mut progress, cancel: work.cancel };
    publish::materialise(&map, region.store(), &file, &mut watch).map_err(|error| fail(&error))?;
    imported(work, &snapshot.digest, &Origin::Own(raw))
}

/// Returns an AMI of the newest image that `arn` fits.
fn ami_of_image(work: &Work<'_>, arn: &Arn) -> Result<AmiId, Box<Failure>> {
    let fail = |error: &dyn std::error::Error| Failure::of(Cause::Factory, error);
    let db = &work.factory.db;
    let runs = work.handle.block_on(store::run::list(db)).map_err(|error| fail(&error))?;
    let newest = runs
        .into_iter()
        .filter(|run| run.state == model::ImageState::Available && run.image == arn.name())
        .filter(|run| match arn.level() {
            Level::Name => true,
            Level::Version(pattern) => pattern.matches(run.build.version),
            Level::Build(build) => build == run.build,
        })
        .max_by_key(|run| run.build);
    let none = || missing(format!("there is no available image `{arn}`"));
    let run = newest.ok_or_else(none)?;
    let amis =
        work.handle.block_on(store::ami::of_run(db, run.id)).map_err(|error| fail(&error))?;
    amis.first().map(|entry| entry.ami.id).ok_or_else(none)
}

fn missing(message: String) -> Box<Failure> {
    Failure::plain(Cause::Factory, message)
}

fn scratch(work: &Work<'_>) -> PathBuf {
    work.folder.join("base")
}

/// Returns the youngest time of any file: the project's, or this day's
/// beginning, so that two machines that make a base on one day make the same.
fn epoch(work: &Work<'_>) -> i64 {
    let given = work.order.project.source_date_epoch.and_then(|epoch| i64::try_from(epoch).ok());
    given.unwrap_or_else(|| now_micros() / DAY_MICROS * (DAY_MICROS / 1_000_000))
}
