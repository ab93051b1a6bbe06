//! From a tested disk to AMIs in every region, all of them or none.

use std::collections::BTreeMap;
use std::fs::File;

use blob::{BlobError, Writer};
use model::{
    Ami, Architecture, BootMode, BuildFacts, Distribution, NameTemplate, Snapshot, Tags, TagsError,
    Template, TemplateError,
};
use name::{Account, AmiId, Digest, RunId, SnapshotId};
use store::ami::Registration;
use store::{Db, StoreError};

use crate::region::copy;
use crate::{BlockMap, Copied, CopyError, Region, SnapshotError, Watch, snapshot};

/// A volume that is durably in every region of a distribution and in no catalogue yet.
///
/// Its blocks are safe from garbage collection while it lives.
#[derive(Debug)]
pub struct Staged {
    map: BlockMap,
    regions: Vec<StagedRegion>,
    _writers: Vec<Writer>,
}

/// What bringing the volume to one region took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedRegion {
    /// The region.
    pub region: name::Region,
    /// The blocks copied; all, where the disk itself was read.
    pub copied: Copied,
}

/// What the AMIs of one publication have in common.
#[derive(Debug, Clone)]
pub struct Publication<'a> {
    /// The run that made the image.
    pub run: RunId,
    /// The run's step that publishes it, its last.
    pub step: u32,
    /// Who owns the AMIs.
    pub owner: Account,
    /// The recipe's name, for AMIs that have no name of their own.
    pub recipe: &'a str,
    /// The tags that the recipe gives to AMIs, by name; a distribution's own take their place.
    pub tags: &'a BTreeMap<String, Template>,
    /// What templates ask for.
    pub facts: BuildFacts,
    /// The machines the image is for.
    pub architecture: Architecture,
    /// The firmware the image is for.
    pub boot_mode: BootMode,
    /// The time, in microseconds.
    pub at: i64,
}

/// A disk could not be brought to its regions.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StageError {
    /// There is nowhere to bring it.
    #[error("no region is given")]
    NoRegion,
    /// A region's store failed.
    #[error("failed to use region `{region}`")]
    Region {
        /// The region.
        region: name::Region,
        /// What failed.
        #[source]
        source: BlobError,
    },
    /// The disk could not be read or stored.
    #[error("failed to make the snapshot in region `{region}`")]
    Snapshot {
        /// The region.
        region: name::Region,
        /// What failed.
        #[source]
        source: SnapshotError,
    },
    /// The disk is not the one that was tested.
    #[error("the disk was changed after its test: it was {tested} and is {actual}")]
    Changed {
        /// The digest of the disk that passed its tests.
        tested: Digest,
        /// The digest of the disk that was read.
        actual: Digest,
    },
    /// The snapshot could not be copied.
    #[error("failed to copy the snapshot to region `{region}`")]
    Copy {
        /// The region.
        region: name::Region,
        /// What failed.
        #[source]
        source: CopyError,
    },
}

/// AMIs could not be registered; none was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// The volume was not brought to a region of the distribution.
    #[error("the image was not copied to region `{region}`")]
    NotStaged {
        /// The region.
        region: name::Region,
    },
    /// An AMI cannot be called that.
    #[error("failed to name the AMI in region `{region}`")]
    Name {
        /// The region.
        region: name::Region,
        /// What is wrong.
        #[source]
        source: TemplateError,
    },
    /// The tags, filled in, break a rule.
    #[error("failed to tag the AMI in region `{region}`")]
    Tags {
        /// The region.
        region: name::Region,
        /// What is wrong.
        #[source]
        source: TagsError,
    },
    /// The catalogue refused or failed.
    #[error("failed to write the catalogue")]
    Store(#[source] StoreError),
}

/// Brings a disk to all `regions`, durably: into the first from the disk, from there to the others.
///
/// Fails if the disk's digest is not `tested`: what is published is what was
/// tested. Progress begins anew with each region. A crash leaves blocks that
/// nothing refers to.
pub fn stage(
    disk: &File,
    tested: &Digest,
    regions: &[Region],
    watch: &mut Watch<'_>,
) -> Result<Staged, StageError> {
    let (first, others) = regions.split_first().ok_or(StageError::NoRegion)?;
    let name = |region: &Region| region.name().clone();
    let failed = |region| move |source| StageError::Region { region: name(region), source };

    let writer = first.store().writer().map_err(failed(first))?;
    let map = snapshot(disk, &writer, watch);
    let map = map.map_err(|source| StageError::Snapshot { region: name(first), source })?;
    let actual = map.digest();
    if actual != *tested {
        return Err(StageError::Changed { tested: *tested, actual });
    }
    writer.sync().map_err(failed(first))?;
    let total = map.blocks().len() as u64;
    let mut staged =
        vec![StagedRegion { region: name(first), copied: Copied { total, copied: total } }];
    let mut writers = vec![writer];

    for region in others {
        let writer = region.store().writer().map_err(failed(region))?;
        let copied = copy(&map, first.store(), &writer, watch);
        let copied = copied.map_err(|source| StageError::Copy { region: name(region), source })?;
        writer.sync().map_err(failed(region))?;
        staged.push(StagedRegion { region: name(region), copied });
        writers.push(writer);
    }
    Ok(Staged { map, regions: staged, _writers: writers })
}

impl Staged {
    /// Returns what the volume consists of.
    pub fn map(&self) -> &BlockMap {
        &self.map
    }

    /// Returns what was copied, region by region.
    pub fn regions(&self) -> &[StagedRegion] {
        &self.regions
    }

    /// Registers an AMI for each distribution, and with that ends the step that does so and the
    /// run, whose image is `AVAILABLE` then; returns the AMIs in that order.
    ///
    /// One transaction: a crash or an error registers none and ends nothing. `draw` returns
    /// random bytes for ids.
    pub async fn register(
        self,
        db: &Db,
        publication: &Publication<'_>,
        distributions: &[Distribution],
        draw: impl FnMut() -> [u8; 8] + Send,
    ) -> Result<Vec<store::ami::Entry>, RegisterError> {
        let registrations = self.registrations(publication, distributions, draw)?;
        let &Publication { run, step, at, .. } = publication;
        let published = store::run::publish(db, run, step, &registrations, at).await;
        published.map_err(RegisterError::Store)?;
        Ok(registrations.into_iter().map(|registration| registration.ami).collect())
    }

    fn registrations(
        &self,
        publication: &Publication<'_>,
        distributions: &[Distribution],
        mut draw: impl FnMut() -> [u8; 8],
    ) -> Result<Vec<Registration>, RegisterError> {
        let &Publication { run, at: created_at, .. } = publication;
        let mut registrations = Vec::with_capacity(distributions.len());
        for distribution in distributions {
            let region = &distribution.region;
            if !self.regions.iter().any(|staged| staged.region == *region) {
                return Err(RegisterError::NotStaged { region: region.clone() });
            }
            let snapshot = Snapshot {
                id: SnapshotId::from_random(draw()),
                region: region.clone(),
                volume_bytes: self.map.volume_size(),
                digest: self.map.digest(),
            };
            let id = AmiId::from_random(draw());
            let ami = ami(id, &snapshot, publication, distribution)?;
            let blocks = self.map.blocks().len() as u64;
            registrations.push(Registration {
                snapshot: store::snapshot::Entry { snapshot, blocks, created_at },
                ami: store::ami::Entry::new(ami, run, created_at),
            });
        }
        Ok(registrations)
    }
}

/// Returns the AMI as the distribution wants it, its templates filled in.
fn ami(
    id: AmiId,
    root: &Snapshot,
    publication: &Publication<'_>,
    distribution: &Distribution,
) -> Result<Ami, RegisterError> {
    let Distribution { region, ami: wanted } = distribution;
    let Publication { facts, .. } = publication;
    let name = match &wanted.name {
        Some(name) => name.expand(facts),
        None => NameTemplate::of_recipe(publication.recipe)
            .map_err(|source| RegisterError::Name { region: region.clone(), source })?
            .expand(facts),
    };
    let tags = publication.tags.iter().chain(&wanted.tags);
    let tags = tags.map(|(name, value)| (name.clone(), value.expand(facts)));
    let tags = Tags::new(tags.collect::<BTreeMap<_, _>>());
    Ok(Ami {
        id,
        region: region.clone(),
        owner: publication.owner.clone(),
        name,
        description: wanted.description.as_ref().map(|text| text.expand(facts)),
        architecture: publication.architecture,
        boot_mode: publication.boot_mode,
        root: root.id,
        tags: tags.map_err(|source| RegisterError::Tags { region: region.clone(), source })?,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;
    use std::path::Path;
    use std::sync::LazyLock;
    use std::sync::atomic::AtomicBool;

    use model::{AmiDistribution, BuildTime};
    use serde_json::json;

    use super::*;
    use crate::{disk_digest, materialise, read_map};

    static NEVER: AtomicBool = AtomicBool::new(false);

    fn disk() -> (File, Digest) {
        let disk = tempfile::tempfile().unwrap();
        disk.set_len(16 << 20).unwrap();
        disk.write_all_at(b"gold", 9 << 20).unwrap();
        let mut watch = Watch { progress: &mut |_| (), cancel: &NEVER };
        let digest = disk_digest(&disk, &mut watch).unwrap();
        (disk, digest)
    }

    fn regions(data: &Path) -> Vec<Region> {
        let names = ["local-1", "local-2"];
        names.map(|name| Region::open(data, &name.parse().unwrap()).unwrap()).into()
    }

    async fn catalogue(data: &Path) -> Db {
        Db::open(&data.join("goldsmith.db")).await.unwrap()
    }

    /// Records the run `n`, up to the step that publishes.
    async fn run(db: &Db, n: u8) -> RunId {
        let new = store::run::NewRun {
            id: RunId::from_random([n; 8]),
            image: "web".to_owned(),
            version: "1.0.0".parse().unwrap(),
            project: "/projects/web".to_owned(),
            recipe: json!({}),
            work: "work".to_owned(),
            owner: "owner".to_owned(),
            started_at: 1,
            shown: store::image::New::of(
                "000000000000".parse().unwrap(),
                "local-1".parse().unwrap(),
                "web",
            ),
        };
        let run = store::run::create(db, new).await.unwrap().id;
        store::run::advance(db, run, model::ImageState::Distributing, "", 2).await.unwrap();
        let step = store::step::NewStep {
            run,
            ordinal: 3,
            workflow: store::Workflow::Distribution,
            action: "DistributeImage",
            label: "distribute",
            started_at: 3,
        };
        store::step::start(db, &step).await.unwrap();
        run
    }

    fn tags(tags: &[(&str, &str)]) -> BTreeMap<String, Template> {
        tags.iter().map(|(name, value)| ((*name).to_owned(), value.parse().unwrap())).collect()
    }

    fn publication(run: RunId) -> Publication<'static> {
        static TAGS: LazyLock<BTreeMap<String, Template>> = LazyLock::new(|| {
            tags(&[("Built", "never"), ("Of", "{{ imagebuilder:buildVersion }}")])
        });
        let time = BuildTime {
            year: 2022,
            month: 7,
            day: 28,
            hour: 1,
            minute: 14,
            second: 17,
            millisecond: 416,
        };
        Publication {
            run,
            step: 3,
            owner: "000000000000".parse().unwrap(),
            recipe: "Web",
            tags: &TAGS,
            facts: BuildFacts { time, version: "1.0.0/1".parse().unwrap() },
            architecture: Architecture::X86_64,
            boot_mode: BootMode::Uefi,
            at: 5,
        }
    }

    fn distribution(region: &str, name: Option<&str>) -> Distribution {
        let ami = AmiDistribution {
            name: name.map(|name| name.parse().unwrap()),
            description: Some("build {{ imagebuilder:buildVersion }}".parse().unwrap()),
            tags: tags(&[("Built", "{{imagebuilder:buildDate:yyyy-MM-dd}}")]),
        };
        Distribution { region: region.parse().unwrap(), ami }
    }

    /// Returns what gives 8 different bytes each time.
    fn draw() -> impl FnMut() -> [u8; 8] + Send {
        let mut n = 0;
        move || {
            n += 1;
            [n; 8]
        }
    }

    #[tokio::test]
    async fn a_tested_disk_becomes_an_ami_in_each_region() {
        let data = tempfile::tempdir().unwrap();
        let (disk, tested) = disk();
        let regions = regions(data.path());
        let db = catalogue(data.path()).await;
        let run = run(&db, 1).await;
        let mut watch = Watch { progress: &mut |_| (), cancel: &NEVER };
        let staged = stage(&disk, &tested, &regions, &mut watch).unwrap();
        let copied: Vec<u64> = staged.regions().iter().map(|one| one.copied.copied).collect();
        assert_eq!(copied, [1, 1]);

        let wanted = [distribution("local-1", None), distribution("local-2", Some("web-fixed"))];
        let amis = staged.register(&db, &publication(run), &wanted, draw()).await.unwrap();
        let names: Vec<&str> = amis.iter().map(|entry| entry.ami.name.as_str()).collect();
        assert_eq!(names, ["Web 2022-07-28T01-14-17.416Z", "web-fixed"]);
        assert_eq!(amis[0].ami.id.to_string(), "ami-00202020202020202");
        assert_eq!(amis[0].ami.description.as_deref(), Some("build 1.0.0-1"));
        let tags: Vec<_> = amis[0].ami.tags.iter().collect();
        assert_eq!(tags, [("Built", "2022-07-28"), ("Of", "1.0.0-1")]);
        assert_eq!(store::ami::of_run(&db, run).await.unwrap(), amis);
        let found = store::run::list(&db).await.unwrap().remove(0);
        assert_eq!((found.state, found.ended_at), (model::ImageState::Available, Some(5)));

        for (entry, region) in amis.iter().zip(&regions) {
            let root = store::snapshot::get(&db, entry.ami.root).await.unwrap().snapshot;
            assert_eq!((root.digest, root.volume_bytes), (tested, 16 << 20));
            let map = read_map(region.store(), &root.digest).unwrap();
            let copy = tempfile::tempfile().unwrap();
            materialise(&map, region.store(), &copy, &mut watch).unwrap();
            assert_eq!(disk_digest(&copy, &mut watch).unwrap(), tested);
        }
    }

    #[tokio::test]
    async fn nothing_is_registered_if_one_region_refuses() {
        let data = tempfile::tempdir().unwrap();
        let (disk, tested) = disk();
        let regions = regions(data.path());
        let db = catalogue(data.path()).await;
        let [first, second] = [run(&db, 1).await, run(&db, 2).await];
        let stage = || {
            let mut watch = Watch { progress: &mut |_| (), cancel: &NEVER };
            stage(&disk, &tested, &regions, &mut watch).unwrap()
        };
        let taken = [distribution("local-2", Some("web"))];
        stage().register(&db, &publication(first), &taken, draw()).await.unwrap();

        let publication = publication(second);
        let both = [distribution("local-1", Some("web")), distribution("local-2", Some("web"))];
        let mut n = 100;
        let other = || {
            n += 1;
            [n; 8]
        };
        let error = stage().register(&db, &publication, &both, other).await.unwrap_err();
        assert!(matches!(error, RegisterError::Store(_)), "{error:?}");

        let elsewhere = [distribution("local-1", None), distribution("local-3", None)];
        let error = stage().register(&db, &publication, &elsewhere, draw()).await.unwrap_err();
        assert_eq!(error.to_string(), "the image was not copied to region `local-3`");
        assert_eq!(store::ami::list(&db).await.unwrap().len(), 1);
        assert_eq!(store::snapshot::list(&db).await.unwrap().len(), 1);
    }

    #[test]
    fn a_disk_that_changed_after_its_test_is_refused() {
        let data = tempfile::tempdir().unwrap();
        let (disk, tested) = disk();
        disk.write_all_at(b"lead", 9 << 20).unwrap();
        let regions = regions(data.path());
        let mut watch = Watch { progress: &mut |_| (), cancel: &NEVER };
        let error = stage(&disk, &tested, &regions, &mut watch).unwrap_err();
        assert!(matches!(error, StageError::Changed { .. }), "{error:?}");
        assert_eq!(regions[1].store().list().unwrap(), []);
    }

    #[test]
    fn staged_blocks_are_safe_until_they_are_registered() {
        let data = tempfile::tempdir().unwrap();
        let (disk, tested) = disk();
        let regions = regions(data.path());
        let mut watch = Watch { progress: &mut |_| (), cancel: &NEVER };
        let staged = stage(&disk, &tested, &regions, &mut watch).unwrap();
        for region in &regions {
            let error = region.store().sweeper().unwrap_err();
            assert!(matches!(error.kind(), blob::BlobErrorKind::Busy));
        }
        drop(staged);
        regions[0].store().sweeper().unwrap();
    }
}
