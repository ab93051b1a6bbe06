//! Gets the base at hand: one that was made before, or a new one.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use base::{Managed, Origin, Receipt};
use model::{DiskLocation, ImageState, ParentImage};
use name::{AmiId, Arn, Digest, Level, Owner, VersionPattern};
use publish::Region;
use store::image::{self, Builds, Scope};
use tokio::runtime::Handle;

use crate::clock::now_micros;
use crate::work::Work;
use crate::{Cause, Factory, Failure, shown};

const DAY_MICROS: i64 = 86_400_000_000;

/// What a base is wanted for, and where it may be made.
#[derive(Clone, Copy)]
pub(crate) struct Ground<'a> {
    pub(crate) factory: &'a Factory,
    pub(crate) handle: &'a Handle,
    pub(crate) parent: &'a ParentImage,
    /// The folder that paths are relative to.
    pub(crate) paths: &'a Path,
    pub(crate) mirror: Option<&'a str>,
    /// The youngest time of any file, if that is given.
    pub(crate) epoch: Option<u64>,
    /// A folder for what lies between, below the data folder.
    pub(crate) folder: &'a Path,
    pub(crate) watch: &'a dyn base::Watch,
    pub(crate) progress: &'a dyn Fn(u64, u64),
    pub(crate) cancel: &'a AtomicBool,
}

/// Makes, imports or finds the parent image; says where it came from.
pub(crate) fn prepare_base(work: &mut Work<'_>) -> Result<String, Box<Failure>> {
    let project = &work.order.project;
    let (receipt, outcome) = prepare(&Ground {
        factory: work.factory,
        handle: &work.handle,
        parent: &project.recipe.parent,
        paths: &work.order.folder,
        mirror: project.mirror.as_deref(),
        epoch: project.source_date_epoch,
        folder: &work.folder,
        watch: &work.watch(""),
        progress: &|done, total| work.teller().progress(done, total),
        cancel: work.cancel,
    })?;
    let version = shown::os_version(&receipt.os);
    let kept = store::image::set_os_version(&work.factory.db, work.run.id, &version);
    work.handle.block_on(kept).map_err(|error| Failure::of(Cause::Factory, &error))?;
    work.base = Some(receipt);
    Ok(outcome)
}

/// Makes, imports or finds a base; says what it is and where it came from.
pub(crate) fn prepare(ground: &Ground<'_>) -> Result<(Receipt, String), Box<Failure>> {
    let (receipt, how) = match ground.parent {
        ParentImage::Name(name) => managed(ground, name)?,
        ParentImage::Arn(arn) if matches!(arn.owner(), Owner::Managed(_)) => {
            managed(ground, arn.name())?
        }
        ParentImage::Arn(arn) => {
            let ami = ami_of_image(ground, arn)?;
            published(ground, ami)?
        }
        ParentImage::Ami(ami) => published(ground, *ami)?,
        ParentImage::Disk { location, digest } => {
            let origin = match location {
                DiskLocation::Url(url) => Origin::Url(url.clone()),
                DiskLocation::Path(path) => Origin::File(ground.paths.join(path)),
            };
            imported(ground, digest, &origin)?
        }
    };
    let outcome = format!("{}, {how}", receipt.os.title);
    Ok((receipt, outcome))
}

fn managed(ground: &Ground<'_>, name: &str) -> Result<(Receipt, &'static str), Box<Failure>> {
    let Some(managed) = Managed::find(name) else {
        return Err(missing(format!("there is no managed image `{name}`")));
    };
    let mirror = ground.mirror;
    let cells = &ground.factory.cells;
    if let Some(receipt) = Receipt::find(cells.data(), &managed.key(mirror)) {
        return Ok((receipt, "at hand"));
    }
    let made = base::make(cells, managed, mirror, epoch(ground), &scratch(ground), ground.watch);
    made.map(|receipt| (receipt, "made")).map_err(|error| Failure::of(Cause::Factory, &error))
}

fn imported(
    ground: &Ground<'_>,
    digest: &Digest,
    origin: &Origin,
) -> Result<(Receipt, &'static str), Box<Failure>> {
    let cells = &ground.factory.cells;
    if let Some(receipt) = Receipt::find(cells.data(), digest) {
        return Ok((receipt, "at hand"));
    }
    let made = base::import(cells, origin, digest, epoch(ground), &scratch(ground), ground.watch);
    made.map(|receipt| (receipt, "imported")).map_err(|error| Failure::of(Cause::Factory, &error))
}

/// Makes a base of an image of ours, from the blocks of its snapshot.
fn published(ground: &Ground<'_>, ami: AmiId) -> Result<(Receipt, &'static str), Box<Failure>> {
    let fail = |error: &dyn std::error::Error| Failure::of(Cause::Factory, error);
    let db = &ground.factory.db;
    let cells = &ground.factory.cells;
    let entry = ground.handle.block_on(store::ami::get(db, ami)).map_err(|error| fail(&error))?;
    if entry.status == store::AmiStatus::Disabled {
        return Err(missing(format!("the AMI {ami} is disabled")));
    }
    let snapshot = ground.handle.block_on(store::snapshot::get(db, entry.ami.root));
    let snapshot = snapshot.map_err(|error| fail(&error))?.snapshot;
    if let Some(receipt) = Receipt::find(cells.data(), &snapshot.digest) {
        return Ok((receipt, "at hand"));
    }
    let region = Region::open(cells.data(), &snapshot.region).map_err(|error| fail(&error))?;
    let map = publish::read_map(region.store(), &snapshot.digest).map_err(|error| fail(&error))?;
    let raw = ground.folder.join("parent.raw");
    let file = std::fs::create_dir_all(cells.data().join(ground.folder))
        .and_then(|()| std::fs::File::create(cells.data().join(&raw)))
        .map_err(|error| fail(&error))?;
    let mut progress = |progress: publish::Progress| {
        (ground.progress)(progress.done, progress.total);
    };
    let mut watch = publish::Watch { progress: &mut progress, cancel: ground.cancel };
    publish::materialise(&map, region.store(), &file, &mut watch).map_err(|error| fail(&error))?;
    imported(ground, &snapshot.digest, &Origin::Own(raw))
}

/// Returns an AMI of the newest image that `arn` fits, in its own region if it
/// was published there.
fn ami_of_image(ground: &Ground<'_>, arn: &Arn) -> Result<AmiId, Box<Failure>> {
    let fail = |error: &dyn std::error::Error| Failure::of(Cause::Factory, error);
    let none = || missing(format!("there is no available image `{arn}`"));
    let Owner::Account(account) = arn.owner() else { return Err(none()) };
    let db = &ground.factory.db;
    let scope = Scope { account, region: arn.region() };
    let latest = |pattern| image::latest(db, scope, arn.name(), pattern, Builds::Available);
    let found = match arn.level() {
        Level::Name => ground.handle.block_on(latest(VersionPattern::Any)),
        Level::Version(pattern) => ground.handle.block_on(latest(pattern)),
        Level::Build(build) => ground.handle.block_on(image::get(db, scope, arn.name(), build)),
    };
    let found = found.map_err(|error| fail(&error))?;
    let found = found.filter(|image| image.state == ImageState::Available).ok_or_else(none)?;
    let amis = ground.handle.block_on(store::ami::of_run(db, found.run));
    let amis = amis.map_err(|error| fail(&error))?;
    let near = amis.iter().find(|entry| entry.ami.region == *arn.region());
    near.or(amis.first()).map(|entry| entry.ami.id).ok_or_else(none)
}

fn missing(message: String) -> Box<Failure> {
    Failure::plain(Cause::Factory, message)
}

fn scratch(ground: &Ground<'_>) -> PathBuf {
    ground.folder.join("base")
}

/// Returns the youngest time of any file: the project's, or this day's
/// beginning, so that two machines that make a base on one day make the same.
fn epoch(ground: &Ground<'_>) -> i64 {
    let given = ground.epoch.and_then(|epoch| i64::try_from(epoch).ok());
    given.unwrap_or_else(|| now_micros() / DAY_MICROS * (DAY_MICROS / 1_000_000))
}
