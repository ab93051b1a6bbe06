//! A server whose builder records runs and carries none out: tests say how they go.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use api::{Builder, Starting};
use factory::{Order, StartError, Started};
use model::ImageState;
use name::{Arn, Kind, RunId};
use serde_json::{Value, json};
use store::client_token::Claim;
use store::resource::{self, Numbering};
use store::run::{self, NewRun, Once, Retried};
use store::step::{self, NewStep};
use store::{Db, StepState, ami, image, snapshot};
use wire::imagebuilder::Operation;

use crate::component::create;
use crate::server::{OWN, Server, caller};

/// Records what is asked for.
pub(crate) struct Recorder {
    db: Db,
    count: AtomicU8,
}

impl Builder for Recorder {
    fn start<'a>(&'a self, order: Order, shown: image::New, claim: &'a Claim) -> Starting<'a> {
        Box::pin(async move {
            let n = self.count.fetch_add(1, Ordering::Relaxed);
            let recipe = &order.project.recipe;
            let new = NewRun {
                id: RunId::from_random([n + 1; 8]),
                image: recipe.name.segment(),
                version: recipe.version,
                project: String::new(),
                recipe: json!({}),
                work: n.to_string(),
                owner: "owner".to_owned(),
                started_at: claim.at,
                shown: image::New { plan: plan().into(), ..shown },
            };
            let image = match run::create_once(&self.db, new, claim).await {
                Ok(Once::Now(run)) => format!("{OWN}:image/{}/{}", run.image, run.build),
                Ok(Once::Before(answer)) => answer,
                Err(error) => return Err(StartError::Store(error)),
            };
            Ok(Started { image })
        })
    }

    fn retry<'a>(&'a self, _: Order, image: &'a image::Image, claim: &'a Claim) -> Starting<'a> {
        Box::pin(async move {
            let image = match run::retry_once(&self.db, image.run, "owner", plan(), claim).await {
                Ok(Retried::Now { run, .. }) => format!("{OWN}:image/{}/{}", run.image, run.build),
                Ok(Retried::Before(answer)) => answer,
                Err(error) => return Err(StartError::Store(error)),
            };
            Ok(Started { image })
        })
    }

    fn cancel(&self, run: RunId) -> bool {
        // The ninth is some other process's.
        run != RunId::from_random([9; 8])
    }
}

/// Returns the steps of every run.
fn plan() -> Vec<Value> {
    [
        ("build", "PrepareBase", "base debian"),
        ("build", "CreateImage", "create image"),
        ("test", "LaunchInstance", "boot"),
        ("distribution", "DistributeImage", "distribute"),
    ]
    .map(
        |(workflow, action, label)| json!({"workflow": workflow, "action": action, "label": label}),
    )
    .to_vec()
}

/// A server with a component, a recipe, configurations and a pipeline, all called `web`.
pub(crate) async fn bench() -> Server {
    let mut server = Server::new().await;
    let recorder = Recorder { db: server.db.clone(), count: AtomicU8::new(0) };
    server.api = server.api.clone().with_builder(Arc::new(recorder));
    server.get(Operation::CreateComponent, create("web", "1.0.0", "hi"), "").await;
    let numbering = Numbering::Version("1.0.0".parse().unwrap());
    let recipe = json!({
        "type": "AMI",
        "platform": "Linux",
        "owner": "123456789012",
        "parentImage": "arn:aws:imagebuilder:eu-west-1:aws:image/debian-server-12-x86/x.x.x",
        "components": [{"componentArn": format!("{OWN}:component/web/1.x.x")}],
        "workingDirectory": "/tmp",
    });
    put(&server, Kind::ImageRecipe, numbering, recipe).await;
    let infrastructure = json!({"instanceProfileName": "none", "instanceTypes": ["m5.large"]});
    put(&server, Kind::InfrastructureConfiguration, Numbering::Unversioned, infrastructure).await;
    let distribution = json!({
        "distributions": [{
            "region": "eu-west-1",
            "amiDistributionConfiguration": {"name": "web {{ imagebuilder:buildDate }}"},
        }],
        "timeoutMinutes": 720,
    });
    put(&server, Kind::DistributionConfiguration, Numbering::Unversioned, distribution).await;
    let pipeline = json!({
        "imageRecipeArn": format!("{OWN}:image-recipe/web/x.x.x"),
        "infrastructureConfigurationArn": format!("{OWN}:infrastructure-configuration/web"),
        "imageTags": {"team": "web", "by": "pipeline"},
        "status": "DISABLED",
    });
    put(&server, Kind::ImagePipeline, Numbering::Unversioned, pipeline).await;
    server
}

/// Records a resource called `Web`.
pub(crate) async fn put(server: &Server, kind: Kind, numbering: Numbering, body: Value) {
    let (who, at) = (caller("123456789012"), 1_788_981_143_000_000);
    let (account, region) = (who.account, who.region);
    let name = "Web".to_owned();
    let new = resource::New {
        account: account.clone(),
        region: region.clone(),
        kind,
        name,
        numbering,
        body,
        tags: BTreeMap::new(),
        references: Vec::new(),
        at,
    };
    let claim = Claim {
        account,
        region,
        operation: "Put",
        token: format!("{}-{numbering:?}", kind.as_str()),
        digest: name::Digest::of(b""),
        at,
    };
    resource::create(&server.db, &new, &claim).await.unwrap();
}

/// Returns a request for an image of the recipe.
pub(crate) fn wish(token: &str) -> Value {
    json!({
        "imageRecipeArn": format!("{OWN}:image-recipe/web/1.0.0"),
        "infrastructureConfigurationArn": format!("{OWN}:infrastructure-configuration/web"),
        "distributionConfigurationArn": format!("{OWN}:distribution-configuration/web"),
        "clientToken": token,
    })
}

/// Asks for an image and returns its ARN.
pub(crate) async fn start(server: &Server, token: &str) -> Value {
    server.get(Operation::CreateImage, wish(token), "/imageBuildVersionArn").await
}

/// Returns the run that makes an image.
pub(crate) async fn run_of(server: &Server, arn: &Value) -> RunId {
    let arn: Arn = arn.as_str().unwrap().parse().unwrap();
    let name::Level::Build(build) = arn.level() else { panic!("{arn} is no build") };
    let who = caller("123456789012");
    let scope = image::Scope { account: &who.account, region: &who.region };
    image::get(&server.db, scope, arn.name(), build).await.unwrap().unwrap().run
}

/// Carries a run's steps out, up to the `last` one, which fails unless it is the fourth.
pub(crate) async fn carry_out(server: &Server, arn: &Value, last: u32) {
    use store::Workflow::{Build, Distribution, Test};
    let (db, run) = (&server.db, run_of(server, arn).await);
    let steps = [
        (Build, "PrepareBase", "base debian", ImageState::Creating),
        (Build, "CreateImage", "create image", ImageState::Building),
        (Test, "LaunchInstance", "boot", ImageState::Testing),
        (Distribution, "DistributeImage", "distribute", ImageState::Distributing),
    ];
    // After those of earlier attempts.
    let all = image::of_run(db, run).await.unwrap().plan.as_array().unwrap().len() as u32;
    let before = all - steps.len() as u32;
    for (ordinal, (workflow, action, label, state)) in (before + 1..=before + last).zip(steps) {
        let started_at = 1_788_981_200_000_000 + i64::from(ordinal) * 1_000_000;
        run::advance(db, run, state, "", started_at).await.unwrap();
        let new = NewStep { run, ordinal, workflow, action, label, started_at };
        step::start(db, &new).await.unwrap();
        let at = started_at + 500_000;
        if workflow == Distribution {
            run::publish(db, run, ordinal, &[registration(run)], at).await.unwrap();
            return;
        }
        let (state, message) = match ordinal == before + last {
            true => (StepState::Failed, "component web: exit code 1"),
            false => (StepState::Completed, ""),
        };
        step::end(db, run, ordinal, state, message, at).await.unwrap();
    }
    let at = 1_788_981_300_000_000;
    let reason = "component web: exit code 1\nE: no such package";
    run::advance(db, run, ImageState::Failed, reason, at).await.unwrap();
}

fn registration(run: RunId) -> ami::Registration {
    let bytes = run.to_random();
    let snapshot = model::Snapshot {
        id: name::SnapshotId::from_random(bytes),
        region: "eu-west-1".parse().unwrap(),
        volume_bytes: 2 << 30,
        digest: name::Digest::of(&bytes),
    };
    let ami = model::Ami {
        id: name::AmiId::from_random(bytes),
        region: snapshot.region.clone(),
        owner: "123456789012".parse().unwrap(),
        name: format!("web {run}"),
        description: None,
        architecture: model::Architecture::X86_64,
        boot_mode: model::BootMode::Uefi,
        root: snapshot.id,
        tags: model::Tags::default(),
    };
    ami::Registration {
        snapshot: snapshot::Entry { snapshot, blocks: 1, created_at: 1 },
        ami: ami::Entry::new(ami, run, 1),
    }
}
