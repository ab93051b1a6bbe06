//! The AMI catalogue. An AMI that is recorded is available.

use std::collections::BTreeMap;

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, Transaction};

use model::{Ami, Architecture, BootMode};
use name::{Account, AmiId, Region, RunId};

use crate::column::{tags, text, word};
use crate::error::attempt;
use crate::{AmiStatus, Db, StoreError, StoreErrorKind, snapshot};

/// An AMI as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The AMI.
    pub ami: Ami,
    /// The run that made it.
    pub run: RunId,
    /// When it was registered, in microseconds.
    pub created_at: i64,
    /// Whether it can be launched.
    pub status: AmiStatus,
    /// From when on it is told to be out of date, in microseconds.
    pub deprecated_at: Option<i64>,
}

impl Entry {
    /// Returns the entry of an AMI that is registered now and can be launched.
    pub fn new(ami: Ami, run: RunId, created_at: i64) -> Self {
        Self { ami, run, created_at, status: AmiStatus::Available, deprecated_at: None }
    }
}

/// An AMI to register, with its snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The snapshot. Its blocks must be in its region's store, durably.
    pub snapshot: snapshot::Entry,
    /// The AMI that names it.
    pub ami: Entry,
}

/// Returns the AMI with the id.
pub async fn get(db: &Db, id: AmiId) -> Result<Entry, StoreError> {
    attempt("find the AMI", async {
        let row = sqlx::query("SELECT * FROM ami WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(db.pool())
            .await?;
        Entry::read(row.ok_or_else(|| StoreErrorKind::Missing { what: id.to_string() })?)
    })
    .await
}

/// Returns all AMIs, the newest first.
pub async fn list(db: &Db) -> Result<Vec<Entry>, StoreError> {
    attempt("list the AMIs", async {
        let rows = sqlx::query("SELECT * FROM ami ORDER BY created_at DESC, region, id");
        read(rows.fetch_all(db.pool()).await?)
    })
    .await
}

/// Returns the AMIs that a run made, by region.
pub async fn of_run(db: &Db, run: RunId) -> Result<Vec<Entry>, StoreError> {
    attempt("list the run's AMIs", async {
        let rows = sqlx::query("SELECT * FROM ami WHERE run_id = $1 ORDER BY region, id");
        read(rows.bind(run.to_string()).fetch_all(db.pool()).await?)
    })
    .await
}

/// Returns the AMIs that some runs made, by run and region.
pub async fn of_runs(db: &Db, runs: &[RunId]) -> Result<Vec<Entry>, StoreError> {
    attempt("list the runs' AMIs", async {
        if runs.is_empty() {
            return Ok(Vec::new());
        }
        read(of_runs_sql(runs).build().fetch_all(db.pool()).await?)
    })
    .await
}

fn of_runs_sql(runs: &[RunId]) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new("SELECT * FROM ami WHERE run_id IN (");
    let mut list = sql.separated(", ");
    for run in runs {
        list.push_bind(run.to_string());
    }
    sql.push(") ORDER BY run_id, region, id");
    sql
}

/// Returns whether an owner has an AMI of that name in a region.
///
/// Only a hint, so that a build with a fixed name can fail before it starts;
/// [`crate::run::publish`] decides.
pub async fn name_is_taken(
    db: &Db,
    region: &Region,
    owner: &Account,
    name: &str,
) -> Result<bool, StoreError> {
    attempt("look for the AMI name", async {
        let found: Option<String> =
            sqlx::query_scalar("SELECT id FROM ami WHERE region = $1 AND owner = $2 AND name = $3")
                .bind(region.as_str())
                .bind(owner.as_str())
                .bind(name)
                .fetch_optional(db.pool())
                .await?;
        Ok(found.is_some())
    })
    .await
}

/// Deletes a run's AMIs and returns them, inside a transaction.
pub(crate) async fn delete_of_run(
    tx: &mut Transaction<'_, Sqlite>,
    run: RunId,
) -> Result<Vec<Entry>, StoreErrorKind> {
    let rows = sqlx::query("DELETE FROM ami WHERE run_id = $1 RETURNING *");
    let mut entries = read(rows.bind(run.to_string()).fetch_all(&mut **tx).await?)?;
    entries.sort_by(|a, b| a.ami.region.cmp(&b.ami.region));
    Ok(entries)
}

/// Registers AMIs and their snapshots, inside a transaction.
pub(crate) async fn register(
    tx: &mut Transaction<'_, Sqlite>,
    registrations: &[Registration],
) -> Result<(), StoreErrorKind> {
    for Registration { snapshot, ami } in registrations {
        snapshot::insert(tx, snapshot).await?;
        insert(tx, ami).await?;
    }
    Ok(())
}

async fn insert(tx: &mut Transaction<'_, Sqlite>, entry: &Entry) -> Result<(), StoreErrorKind> {
    let Entry { ami, run, created_at, status, deprecated_at } = entry;
    let tags: BTreeMap<&str, &str> = ami.tags.iter().collect();
    let done = sqlx::query(
        "INSERT INTO ami (id, region, owner, name, description, architecture, boot_mode, tags,
                          snapshot_id, run_id, created_at, status, deprecated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT (region, owner, name) DO NOTHING",
    )
    .bind(ami.id.to_string())
    .bind(ami.region.as_str())
    .bind(ami.owner.as_str())
    .bind(&ami.name)
    .bind(&ami.description)
    .bind(ami.architecture.as_str())
    .bind(ami.boot_mode.as_str())
    .bind(serde_json::json!(tags).to_string())
    .bind(ami.root.to_string())
    .bind(run.to_string())
    .bind(created_at)
    .bind(status.as_str())
    .bind(deprecated_at)
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 1 {
        return Ok(());
    }
    let (name, region) = (ami.name.clone(), ami.region.clone());
    Err(StoreErrorKind::DuplicateAmiName { name, region })
}

impl Entry {
    fn read(row: SqliteRow) -> Result<Self, StoreErrorKind> {
        const ARCHITECTURES: [Architecture; 2] = [Architecture::X86_64, Architecture::Arm64];
        const BOOT_MODES: [BootMode; 3] =
            [BootMode::Uefi, BootMode::LegacyBios, BootMode::UefiPreferred];
        Ok(Self {
            ami: Ami {
                id: text(&row, "id")?,
                region: text(&row, "region")?,
                owner: text(&row, "owner")?,
                name: row.try_get("name")?,
                description: row.try_get("description")?,
                architecture: word(&row, "architecture", &ARCHITECTURES, Architecture::as_str)?,
                boot_mode: word(&row, "boot_mode", &BOOT_MODES, BootMode::as_str)?,
                root: text(&row, "snapshot_id")?,
                tags: tags(&row, "tags")?,
            },
            run: text(&row, "run_id")?,
            created_at: row.try_get("created_at")?,
            status: text(&row, "status")?,
            deprecated_at: row.try_get("deprecated_at")?,
        })
    }
}

fn read(rows: Vec<SqliteRow>) -> Result<Vec<Entry>, StoreErrorKind> {
    rows.into_iter().map(Entry::read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Fixture, explain, registration};

    #[tokio::test]
    async fn amis_come_back_as_they_were() {
        let fixture = Fixture::new().await;
        let run = fixture.run(1, "web").await.id;
        let [one, two] = [(1, "local-1"), (2, "local-2")]
            .map(|(n, region)| registration(n, run, region, "web 1"));
        fixture.publish(run, &[two.clone(), one.clone()]).await;
        assert_eq!(get(&fixture.db, one.ami.ami.id).await.unwrap(), one.ami);
        assert_eq!(of_run(&fixture.db, run).await.unwrap(), [one.ami.clone(), two.ami.clone()]);
        assert_eq!(list(&fixture.db).await.unwrap(), [two.ami, one.ami]);
        let root = snapshot::get(&fixture.db, one.snapshot.snapshot.id).await.unwrap();
        assert_eq!(root, one.snapshot);
        let error = get(&fixture.db, AmiId::from_random([9; 8])).await.unwrap_err();
        assert!(matches!(error.kind(), StoreErrorKind::Missing { .. }), "{error:?}");
    }

    /// The AMIs of a page of images are found by an index; they alone are sorted.
    #[tokio::test]
    async fn the_amis_of_runs_are_not_searched_for() {
        let Fixture { db, folder: _folder, .. } = Fixture::new().await;
        let sql = of_runs_sql(&[RunId::from_random([1; 8]), RunId::from_random([2; 8])]);
        explain(&db, &sql.into_string(), "ami_by_run", &["the page's AMIs"]).await;
    }

    #[tokio::test]
    async fn a_hint_says_which_names_are_taken() {
        let fixture = Fixture::new().await;
        let run = fixture.run(1, "web").await.id;
        let one = registration(1, run, "local-2", "web");
        fixture.publish(run, std::slice::from_ref(&one)).await;
        let taken = async |region: &str| {
            let ami = &one.ami.ami;
            name_is_taken(&fixture.db, &region.parse().unwrap(), &ami.owner, "web").await.unwrap()
        };
        assert_eq!((taken("local-1").await, taken("local-2").await), (false, true));
    }
}
