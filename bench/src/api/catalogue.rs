//! A catalogue full of images, each recorded as a run records it from its beginning to its AMI.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use model::{Ami, Architecture, BootMode, ImageState, Snapshot, Tags};
use name::{Account, AmiId, Digest, Region, RunId, SnapshotId};
use serde_json::{Value, json};
use store::ami::Registration;
use store::run::{self, NewRun};
use store::step::{self, NewStep};
use store::{Db, Workflow, ami, image, snapshot};

use super::served::Identity;

/// How many versions each image has.
pub(super) const VERSIONS: u32 = 100;

/// 2026-09-09T19:12:23Z.
const AT: i64 = 1_788_981_143_000_000;

/// Records images of the account, all of them AVAILABLE, and returns their ARNs.
pub(super) fn fill(data: &Path, identity: &Identity, images: u32) -> io::Result<Vec<String>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let db = Db::open(&data.join("goldsmith.db")).await.map_err(io::Error::other)?;
        let account = identity.account.parse().map_err(io::Error::other)?;
        let region = identity.region.parse().map_err(io::Error::other)?;
        let mut arns = Vec::new();
        for n in 0..images {
            arns.push(record(&db, &account, &region, n).await?);
        }
        db.close().await;
        Ok(arns)
    })
}

/// Returns the name of the `n`th image.
pub(super) fn title(n: u32) -> String {
    format!("Image {n:03}")
}

async fn record(db: &Db, account: &Account, region: &Region, n: u32) -> io::Result<String> {
    let title = title(n / VERSIONS);
    let segment = format!("image-{:03}", n / VERSIONS);
    let version = format!("1.{}.0", n % VERSIONS);
    let mut random = [7; 8];
    random[..4].copy_from_slice(&n.to_be_bytes());
    let id = RunId::from_random(random);
    let at = AT + i64::from(n);
    let tags = BTreeMap::from([("team".to_owned(), "web".to_owned())]);
    let tags = Tags::new(tags).map_err(io::Error::other)?;
    let place = format!("arn:aws:imagebuilder:{region}:{account}");
    let new = NewRun {
        id,
        image: segment.clone(),
        version: version.parse().map_err(io::Error::other)?,
        project: String::new(),
        recipe: json!({}),
        work: format!("work-{n}"),
        owner: "owner".to_owned(),
        started_at: at,
        shown: image::New {
            body: body(&place, &title, &segment, &version),
            plan: plan(),
            tags: tags.clone(),
            ..image::New::of(account.clone(), region.clone(), &title)
        },
    };
    let run = run::create(db, new).await.map_err(io::Error::other)?;
    let distributing = run::advance(db, id, ImageState::Distributing, "", at + 60_000_000).await;
    distributing.map_err(io::Error::other)?;
    let made = registration(account, region, random, &format!("{title} {version}"), tags);
    let Registration { snapshot, ami } = made;
    let ami = ami::Entry { run: id, ..ami };
    let all = [Registration { snapshot, ami }];
    let step = NewStep {
        run: id,
        ordinal: 1,
        workflow: Workflow::Distribution,
        action: "DistributeImage",
        label: "distribute",
        started_at: at,
    };
    step::start(db, &step).await.map_err(io::Error::other)?;
    run::publish(db, id, 1, &all, at + 60_000_000).await.map_err(io::Error::other)?;
    Ok(format!("{place}:image/{segment}/{}", run.build))
}

/// Returns what is shown of an image: copies of what it was made from.
fn body(place: &str, title: &str, segment: &str, version: &str) -> Value {
    let components: Vec<Value> = ["update-linux", "nginx", "chrony", "web"]
        .map(|name| json!({ "componentArn": format!("{place}:component/{name}/1.0.0/1") }))
        .into();
    json!({
        "imageRecipe": {
            "arn": format!("{place}:image-recipe/{segment}/{version}"),
            "type": "AMI",
            "name": title,
            "description": "A web server with everything that ours need",
            "platform": "Linux",
            "owner": "000000000000",
            "version": version,
            "components": components,
            "parentImage": format!("{place}:image/debian-server-12-x86/x.x.x"),
            "blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": {"volumeSize": 20}}],
            "dateCreated": "2026-09-09T19:12:23.418Z",
            "tags": {"team": "web"},
            "workingDirectory": "/tmp",
        },
        "infrastructureConfiguration": {
            "arn": format!("{place}:infrastructure-configuration/{segment}"),
            "name": title,
            "instanceTypes": ["m5.large"],
            "instanceProfileName": "none",
            "terminateInstanceOnFailure": true,
            "dateCreated": "2026-09-09T19:12:23.418Z",
        },
        "distributionConfiguration": {
            "arn": format!("{place}:distribution-configuration/{segment}"),
            "name": title,
            "distributions": [{
                "region": "local-1",
                "amiDistributionConfiguration": {"name": "web {{ imagebuilder:buildDate }}"},
            }],
            "timeoutMinutes": 720,
            "dateCreated": "2026-09-09T19:12:23.418Z",
        },
        "imageTestsConfiguration": {"imageTestsEnabled": true, "timeoutMinutes": 720},
        "enhancedImageMetadataEnabled": true,
    })
}

fn plan() -> Value {
    json!([
        {"workflow": "build", "action": "PrepareBase", "label": "base debian"},
        {"workflow": "build", "action": "ApplyComponents", "label": "components"},
        {"workflow": "build", "action": "CreateImage", "label": "create image"},
        {"workflow": "test", "action": "LaunchInstance", "label": "boot"},
        {"workflow": "distribution", "action": "DistributeImage", "label": "distribute"},
    ])
}

fn registration(
    account: &Account,
    region: &Region,
    random: [u8; 8],
    name: &str,
    tags: Tags,
) -> Registration {
    let snapshot = Snapshot {
        id: SnapshotId::from_random(random),
        region: region.clone(),
        volume_bytes: 20 << 30,
        digest: Digest::of(&random),
    };
    let ami = Ami {
        id: AmiId::from_random(random),
        region: region.clone(),
        owner: account.clone(),
        name: name.to_owned(),
        description: Some("A web server".to_owned()),
        architecture: Architecture::X86_64,
        boot_mode: BootMode::Uefi,
        root: snapshot.id,
        tags,
    };
    Registration {
        snapshot: snapshot::Entry { snapshot, blocks: 3, created_at: AT },
        ami: ami::Entry::new(ami, RunId::from_random(random), AT),
    }
}
