//! Gets the base at hand: one that was made before, or a new one.

use std::fs::{self, File};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use base::{Boot, Epoch, Managed, Origin, Receipt};
use model::{DiskLocation, ImageState, Mirror, ParentImage, Snapshot};
use name::{AmiId, Arn, Digest, Level, Owner, VersionPattern};
use publish::Region;
use store::image::{self, Builds, Scope};
use tokio::runtime::Handle;

use super::create::volume_size;
use crate::clock::now_micros;
use crate::work::Work;
use crate::{Cause, Factory, Failure, bases, shown};

const DAY_MICROS: i64 = 86_400_000_000;

/// What a base is wanted for, and where it may be made.
#[derive(Clone, Copy)]
pub(crate) struct Ground<'a> {
    pub(crate) factory: &'a Factory,
    pub(crate) handle: &'a Handle,
    pub(crate) parent: &'a ParentImage,
    /// The folder that paths are relative to.
    pub(crate) paths: &'a Path,
    pub(crate) mirror: Option<&'a Mirror>,
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
        mirror: project.mirror.as_ref(),
        epoch: project.source_date_epoch,
        folder: &work.folder,
        watch: &work.watch(""),
        progress: &|done, total| work.teller().progress(done, total),
        cancel: work.cancel,
    })?;
    if let (Some(gib), Boot::Disk { disk, .. }) = (volume_size(&project.recipe), &receipt.boot) {
        let disk = std::fs::metadata(work.factory.cells.data().join(disk));
        let disk = disk.map_err(|error| Failure::of(Cause::Factory, &error))?;
        check_size(gib, disk.len())?;
    }
    let version = shown::os_version(&receipt.os);
    let kept = store::image::set_os_version(&work.factory.db, work.run.id, &version);
    work.handle.block_on(kept).map_err(|error| Failure::of(Cause::Factory, &error))?;
    work.base = Some(receipt);
    Ok(outcome)
}

/// Makes, imports or finds a base; says what it is and where it came from.
pub(crate) fn prepare(ground: &Ground<'_>) -> Result<(Receipt, String), Box<Failure>> {
    let (mut receipt, how) = match ground.parent {
        ParentImage::Name(name) => managed(ground, name)?,
        ParentImage::Arn(arn) if ground.parent.is_managed() => managed(ground, arn.name())?,
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
            find_or_make(ground, digest, "imported", || import(ground, digest, &origin))?
        }
    };
    if let Epoch::Given(seconds) = epoch(ground) {
        // What is at hand was made or imported for another time.
        receipt.epoch = seconds;
    }
    let outcome = format!("{}, {how}", receipt.os.title);
    Ok((receipt, outcome))
}

/// Fails if a disk of `gib` has no room for a parent's of `bytes`, before
/// components run for nothing.
fn check_size(gib: u32, bytes: u64) -> Result<(), Box<Failure>> {
    let least = bytes.div_ceil(1 << 30);
    if u64::from(gib) < least {
        let message = format!("`volumeSize` is {gib} GiB, but the parent's disk needs {least} GiB");
        return Err(Failure::plain(Cause::Factory, message));
    }
    Ok(())
}

fn managed(ground: &Ground<'_>, name: &str) -> Result<(Receipt, &'static str), Box<Failure>> {
    let Some(managed) = Managed::find(name) else {
        return Err(missing(format!("there is no managed image `{name}`")));
    };
    let (mirror, epoch) = (ground.mirror, epoch(ground));
    find_or_make(ground, &managed.key(mirror, epoch), "made", || {
        let cells = &ground.factory.cells;
        let made = base::make(cells, managed, mirror, epoch, &scratch(ground), ground.watch);
        made.map_err(|error| Failure::of(Cause::Factory, &error))
    })
}

fn import(ground: &Ground<'_>, digest: &Digest, origin: &Origin) -> Result<Receipt, Box<Failure>> {
    let cells = &ground.factory.cells;
    let now = now_micros() / 1_000_000;
    let imported = base::import(cells, origin, digest, now, &scratch(ground), ground.watch);
    imported.map_err(|error| Failure::of(Cause::Factory, &error))
}

/// Returns the base for `key` if it is at hand, or else has it made, unless another build makes
/// it at this time: that is waited for.
fn find_or_make(
    ground: &Ground<'_>,
    key: &Digest,
    made: &'static str,
    make: impl FnOnce() -> Result<Receipt, Box<Failure>>,
) -> Result<(Receipt, &'static str), Box<Failure>> {
    let fail = |error: &dyn std::error::Error| Failure::of(Cause::Factory, error);
    let data = ground.factory.cells.data();
    let find = || Receipt::find(data, key).map_err(|error| fail(&error));
    if let Some(receipt) = find()? {
        return Ok((receipt, "at hand"));
    }
    let reserved = bases::reserve(data, key, ground.watch).map_err(|error| fail(&error))?;
    let Some(_reserved) = reserved else {
        return Err(Failure::plain(Cause::Cancelled, "cancelled".to_owned()));
    };
    match find()? {
        Some(receipt) => Ok((receipt, "at hand")),
        None => make().map(|receipt| (receipt, made)),
    }
}

/// Makes a base of an image of ours, from the blocks of its snapshot.
fn published(ground: &Ground<'_>, ami: AmiId) -> Result<(Receipt, &'static str), Box<Failure>> {
    let fail = |error: &dyn std::error::Error| Failure::of(Cause::Factory, error);
    let db = &ground.factory.db;
    let entry = ground.handle.block_on(store::ami::get(db, ami)).map_err(|error| fail(&error))?;
    if entry.status == store::AmiStatus::Disabled {
        return Err(missing(format!("the AMI {ami} is disabled")));
    }
    let snapshot = ground.handle.block_on(store::snapshot::get(db, entry.ami.root));
    let snapshot = snapshot.map_err(|error| fail(&error))?.snapshot;
    find_or_make(ground, &snapshot.digest, "imported", || {
        let raw = materialise(ground, &snapshot)?;
        import(ground, &snapshot.digest, &Origin::Own(raw))
    })
}

/// Writes a snapshot's disk into the ground's folder and returns its path.
fn materialise(ground: &Ground<'_>, snapshot: &Snapshot) -> Result<PathBuf, Box<Failure>> {
    let fail = |error: &dyn std::error::Error| Failure::of(Cause::Factory, error);
    let cells = &ground.factory.cells;
    let region = Region::open(cells.data(), &snapshot.region).map_err(|error| fail(&error))?;
    let map = publish::read_map(region.store(), &snapshot.digest).map_err(|error| fail(&error))?;
    let raw = ground.folder.join("parent.raw");
    // As root, others can pass through the data folder: a disk is not for them.
    let mut options = File::options();
    let options = options.write(true).create(true).truncate(true).mode(0o600);
    let file = fs::create_dir_all(cells.data().join(ground.folder))
        .and_then(|()| options.open(cells.data().join(&raw)))
        .map_err(|error| fail(&error))?;
    let mut progress = |progress: publish::Progress| {
        (ground.progress)(progress.done, progress.total);
    };
    let mut watch = publish::Watch { progress: &mut progress, cancel: ground.cancel };
    publish::materialise(&map, region.store(), &file, &mut watch).map_err(|error| fail(&error))?;
    Ok(raw)
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

/// Returns the youngest time of any file of a base.
fn epoch(ground: &Ground<'_>) -> Epoch {
    let given = ground.epoch.and_then(|epoch| i64::try_from(epoch).ok());
    given.map_or_else(|| Epoch::Day(day()), Epoch::Given)
}

/// Returns this day's beginning, so that two machines that make a base on one
/// day make the same.
fn day() -> i64 {
    now_micros() / DAY_MICROS * (DAY_MICROS / 1_000_000)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::Ordering;
    use std::sync::mpsc::{Sender, channel};

    use tokio::runtime::Runtime;

    use super::*;
    use crate::fixture;

    /// Passes lines on, and gives up at the first if there is nobody to take it.
    struct Told(Mutex<Sender<String>>, AtomicBool);

    impl Told {
        fn to(lines: Sender<String>) -> Self {
            Self(Mutex::new(lines), AtomicBool::new(false))
        }
    }

    impl base::Watch for Told {
        fn line(&self, line: &str) {
            let heard = self.0.lock().unwrap().send(line.to_owned());
            self.1.store(heard.is_err(), Ordering::Release);
        }

        fn cancelled(&self) -> bool {
            self.1.load(Ordering::Acquire)
        }
    }

    struct Setting {
        runtime: Runtime,
        factory: Factory,
        parent: ParentImage,
        folder: tempfile::TempDir,
    }

    impl Setting {
        /// Returns one whose parent image is a disk with the digest of `disk`.
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let runtime = Runtime::new().unwrap();
            let factory = runtime.block_on(fixture::factory(folder.path()));
            fs::create_dir_all(factory.cells.data().join("bases/tree")).unwrap();
            let location = DiskLocation::Path("disk".into());
            let parent = ParentImage::Disk { location, digest: Digest::of(b"disk") };
            Self { runtime, factory, parent, folder }
        }

        fn ground<'a>(&'a self, epoch: Option<u64>, watch: &'a Told) -> Ground<'a> {
            Ground {
                factory: &self.factory,
                handle: self.runtime.handle(),
                parent: &self.parent,
                paths: self.folder.path(),
                mirror: None,
                epoch,
                folder: Path::new("work"),
                watch,
                progress: &|_, _| (),
                cancel: &watch.1,
            }
        }

        /// Puts a base at hand.
        fn keep(&self) -> Receipt {
            let digest = Digest::of(b"disk");
            let kept = Receipt {
                digest,
                tree: "bases/tree".into(),
                os: base::Os::parse(""),
                epoch: 3,
                boot: Boot::Tree,
                made_of: None,
            };
            let receipt = format!("bases/{}.json", digest.hex());
            let receipt = self.factory.cells.data().join(receipt);
            fs::write(receipt, serde_json::to_string(&kept).unwrap()).unwrap();
            kept
        }
    }

    #[test]
    fn the_project_decides_the_time_of_a_base_at_hand() {
        let setting = Setting::new();
        setting.keep();
        let watch = Told::to(channel().0);
        for (epoch, expected) in [(Some(1), 1), (Some(2), 2), (None, 3)] {
            let (receipt, how) = prepare(&setting.ground(epoch, &watch)).unwrap();
            assert_eq!((receipt.epoch, how.as_str()), (expected, "Linux, at hand"));
        }
    }

    #[test]
    fn a_base_that_another_build_makes_is_waited_for() {
        let setting = Setting::new();
        let key = Digest::of(b"disk");
        let (said, heard) = channel();
        let (watch, deaf) = (Told::to(said), Told::to(channel().0));
        let (began, begun) = channel();
        std::thread::scope(|scope| {
            let (setting, watch) = (&setting, &watch);
            let maker = scope.spawn(move || {
                find_or_make(&setting.ground(None, watch), &key, "made", || {
                    began.send(()).unwrap();
                    assert_eq!(heard.recv().unwrap(), "another build is making this base: waiting");
                    Ok(setting.keep())
                })
            });
            begun.recv().unwrap();
            let make = || panic!("it was made by the other one");
            let given_up = find_or_make(&setting.ground(None, &deaf), &key, "made", make);
            assert_eq!(given_up.unwrap_err().cause, Cause::Cancelled);
            let found = find_or_make(&setting.ground(None, watch), &key, "made", make);
            assert_eq!(found.unwrap().1, "at hand");
            assert_eq!(maker.join().unwrap().unwrap().1, "made");
        });
    }

    #[test]
    fn a_disk_of_a_foreign_format_is_refused_before_it_is_digested() {
        let setting = Setting::new();
        let disk = setting.folder.path().join("disk");
        fs::write(&disk, "KDMV").unwrap();
        let watch = Told::to(channel().0);
        let failure = prepare(&setting.ground(None, &watch)).unwrap_err();
        let begin = format!("failed to import the disk image {}: it is a VMDK", disk.display());
        assert!(failure.message.starts_with(&begin), "{failure}");
    }

    #[test]
    fn a_disk_smaller_than_the_parents_is_refused() {
        let told = |gib, bytes| check_size(gib, bytes).map_err(|failure| failure.message);
        assert_eq!(told(3, 3 << 30), Ok(()));
        let message = "`volumeSize` is 2 GiB, but the parent's disk needs 3 GiB";
        assert_eq!(told(2, (2 << 30) + 512), Err(message.to_owned()));
    }
}
