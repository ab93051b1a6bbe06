//! What the tests of this crate start from: a database in a folder of its own, and things to record.

use std::collections::BTreeMap;

use serde_json::json;

use model::{Ami, Architecture, BootMode, ImageState, Snapshot, Tags};
use name::{Account, AmiId, Digest, RunId, SnapshotId};

use crate::access_key::NewKey;
use crate::ami::Registration;
use crate::run::{NewRun, Run};
use crate::step::NewStep;
use crate::{Db, Keyring, StoreError, Workflow, account, ami, image, run, snapshot, step};

/// A database that lives as long as its folder.
pub(crate) struct Fixture {
    pub(crate) db: Db,
    pub(crate) folder: tempfile::TempDir,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&folder.path().join("goldsmith.db")).await.unwrap();
        Self { db, folder }
    }

    /// Opens the keyring beside the database.
    pub(crate) fn keyring(&self) -> Keyring {
        Keyring::open(&self.folder.path().join("keyring")).unwrap()
    }

    /// Records the `n`th account.
    pub(crate) async fn account(&self, n: u8) -> Account {
        let entry = account(n, &format!("account-{n}"));
        account::create(&self.db, &entry).await.unwrap();
        entry.id
    }

    /// Records the `n`th run, of `image` 1.0.0.
    pub(crate) async fn run(&self, n: u8, image: &str) -> Run {
        run::create(&self.db, new_run(n, image)).await.unwrap()
    }

    /// Brings a run that has no steps yet to its end as `AVAILABLE`, by one that publishes.
    pub(crate) async fn publish(&self, id: RunId, registrations: &[Registration]) {
        self.try_publish(id, registrations).await.unwrap();
    }

    pub(crate) async fn try_publish(
        &self,
        run: RunId,
        registrations: &[Registration],
    ) -> Result<(), StoreError> {
        run::advance(&self.db, run, ImageState::Distributing, "", 1).await?;
        let step = NewStep {
            run,
            ordinal: 1,
            workflow: Workflow::Distribution,
            action: "DistributeImage",
            label: "distribute",
            started_at: 1,
        };
        step::start(&self.db, &step).await?;
        run::publish(&self.db, run, 1, registrations, 9_000_000).await
    }
}

/// Checks that a query is answered by `index` in order: it reads no table from end to end, and
/// sorts nothing but what is in `small`, tables that hold no more than a page.
#[track_caller]
pub(crate) fn explain<'a>(
    db: &'a Db,
    sql: &'a str,
    index: &'a str,
    small: &'a [&str],
) -> impl Future<Output = ()> + use<'a> {
    let caller = std::panic::Location::caller();
    async move {
        let text = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
        let rows: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(text).fetch_all(db.pool()).await.unwrap();
        let plan: Vec<&str> = rows.iter().map(|row| row.3.as_str()).collect();
        let scans = |line: &&&str| {
            let table = line.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next());
            table.is_some_and(|table| !small.contains(&table) && table != "CONSTANT")
        };
        let scan = plan.iter().find(scans);
        assert_eq!(scan, None, "{caller}: {sql}\n{plan:#?}");
        let sorts = plan.iter().filter(|line| line.starts_with("USE TEMP B-TREE")).count();
        assert!(sorts <= small.len(), "{caller}: {sql}\n{plan:#?}");
        assert!(plan.iter().any(|line| line.contains(index)), "{caller}: {sql}\n{plan:#?}");
    }
}

/// Returns the `n`th account.
pub(crate) fn account(n: u8, alias: &str) -> account::Entry {
    account::Entry {
        id: Account::from_random([n; 8]),
        alias: alias.parse().unwrap(),
        created_at: i64::from(n),
    }
}

/// Returns the `n`th access key.
pub(crate) fn new_key(n: u8) -> NewKey {
    NewKey::from_random([n; 40], i64::from(n))
}

/// Returns the `n`th owner of runs.
pub(crate) fn owner(n: u8) -> String {
    format!("owner {n}")
}

pub(crate) fn new_run(n: u8, image: &str) -> NewRun {
    NewRun {
        id: RunId::from_random([n; 8]),
        image: image.to_owned(),
        version: "1.0.0".parse().unwrap(),
        project: "/projects/web-server".to_owned(),
        recipe: json!({"name": image, "semanticVersion": "1.0.0"}),
        work: format!("run-{n}"),
        owner: owner(7),
        started_at: i64::from(n) * 1_000_000,
        shown: image::New::of("000000000000".parse().unwrap(), "local-1".parse().unwrap(), image),
    }
}

/// Returns the `n`th AMI, called `name`, with its snapshot.
pub(crate) fn registration(n: u8, run: RunId, region: &str, name: &str) -> Registration {
    let snapshot = Snapshot {
        id: SnapshotId::from_random([n; 8]),
        region: region.parse().unwrap(),
        volume_bytes: 2 << 30,
        digest: Digest::of(&[n]),
    };
    let tags = BTreeMap::from([("Name".to_owned(), name.to_owned())]);
    let ami = Ami {
        id: AmiId::from_random([n; 8]),
        region: snapshot.region.clone(),
        owner: "000000000000".parse().unwrap(),
        name: name.to_owned(),
        description: Some("a web server".to_owned()),
        architecture: Architecture::X86_64,
        boot_mode: BootMode::Uefi,
        root: snapshot.id,
        tags: Tags::new(tags).unwrap(),
    };
    let created_at = i64::from(n);
    Registration {
        snapshot: snapshot::Entry { snapshot, blocks: 3, created_at },
        ami: ami::Entry::new(ami, run, created_at),
    }
}
