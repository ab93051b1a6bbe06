//! Runs: who builds which image build version, and how far that is.

mod orphan;
mod publish;
mod retry;

use serde_json::Value;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, Transaction};

use model::ImageState;
use name::{Account, Arn, BuildVersion, Kind, Level, Region, RunId, Version};

use crate::client_token::{self, Claim};
use crate::column::{invalid, json, number, text, word};
use crate::error::attempt;
use crate::{Db, StoreError, StoreErrorKind, image, step};

pub use orphan::end_orphan;
pub use publish::publish;
pub use retry::{Retried, retry_once};

/// One execution that makes one image build version.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// Whose the image is.
    pub account: Account,
    /// Where the image's record is.
    pub region: Region,
    /// The image's name as ARNs have it.
    pub image: String,
    /// The build it makes.
    pub build: BuildVersion,
    /// Where it is.
    pub state: ImageState,
    /// Why it is there: the failure's story, or empty.
    pub reason: String,
    /// Where the project lies, for people.
    pub project: String,
    /// The recipe as it was when the run began.
    pub recipe: Value,
    /// The name of its folder under `work/` and `logs/`.
    pub work: String,
    /// What the lock is called that the process holds which carries it out.
    pub owner: String,
    /// When it began, in microseconds.
    pub started_at: i64,
    /// When it ended, in microseconds.
    pub ended_at: Option<i64>,
}

/// A run to record; the store gives it its build number.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// Its id.
    pub id: RunId,
    /// The image's name as ARNs have it.
    pub image: String,
    /// The version to build.
    pub version: Version,
    /// Where the project lies, for people.
    pub project: String,
    /// The recipe as it is now.
    pub recipe: Value,
    /// The name of its folder under `work/` and `logs/`.
    pub work: String,
    /// What the lock is called that the process holds which will carry it out.
    pub owner: String,
    /// The time, in microseconds.
    pub started_at: i64,
    /// What is shown of it.
    pub shown: image::New,
}

/// Records a run as `PENDING` under the next build number of its image version,
/// and what is shown of it.
///
/// Each account counts for itself in each region. No two runs get the same number and no number is given out twice, even
/// after its image was deleted: the counter's row is locked until the run is
/// recorded. A crash before that leaves neither.
pub async fn create(db: &Db, new: NewRun) -> Result<Run, StoreError> {
    attempt("record the run", async {
        let mut tx = db.begin().await?;
        let run = insert(&mut tx, new).await?;
        tx.commit().await?;
        Ok(run)
    })
    .await
}

/// What became of a request for a run that came with a client's token.
#[derive(Debug, Clone, PartialEq)]
pub enum Once {
    /// The run was recorded.
    Now(Box<Run>),
    /// The request had been carried out before, and was answered so.
    Before(String),
}

/// Like [`create`], for a request that a client may send again: its answer is
/// the image build version's ARN.
///
/// One transaction with the token: however many equal requests come at once,
/// one makes a run.
pub async fn create_once(db: &Db, new: NewRun, claim: &Claim) -> Result<Once, StoreError> {
    attempt("record the run", async {
        let mut tx = db.begin().await?;
        if let Some(answer) = client_token::find(&mut *tx, claim).await? {
            return Ok(Once::Before(answer));
        }
        let run = insert(&mut tx, new).await?;
        client_token::record(&mut tx, claim, &arn(&run)?).await?;
        tx.commit().await?;
        Ok(Once::Now(Box::new(run)))
    })
    .await
}

/// Returns the ARN of the image build version that a run makes.
fn arn(run: &Run) -> Result<String, StoreErrorKind> {
    let owner = name::Owner::Account(run.account.clone());
    let arn = Arn::new(run.region.clone(), owner, Kind::Image, &run.image, Level::Build(run.build));
    arn.map(|arn| arn.to_string()).map_err(|error| invalid("image", run.image.clone(), error))
}

async fn insert(tx: &mut Transaction<'_, Sqlite>, new: NewRun) -> Result<Run, StoreErrorKind> {
    let row = sqlx::query(
        "INSERT INTO build_number (account, region, image, version, last)
         VALUES ($1, $2, $3, $4, 1)
         ON CONFLICT (account, region, image, version) DO UPDATE
            SET last = build_number.last + 1
         RETURNING last",
    )
    .bind(new.shown.account.as_str())
    .bind(new.shown.region.as_str())
    .bind(&new.image)
    .bind(new.version.to_string())
    .fetch_one(&mut **tx)
    .await?;
    let build = BuildVersion { version: new.version, build: number(&row, "last")? };
    sqlx::query(
        "INSERT INTO run (id, image, version, build, state, reason, project, recipe, work,
                          owner, started_at, account, region)
         VALUES ($1, $2, $3, $4, $5, '', $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(new.id.to_string())
    .bind(&new.image)
    .bind(new.version.to_string())
    .bind(i64::from(build.build))
    .bind(ImageState::Pending.as_str())
    .bind(&new.project)
    .bind(new.recipe.to_string())
    .bind(&new.work)
    .bind(&new.owner)
    .bind(new.started_at)
    .bind(new.shown.account.as_str())
    .bind(new.shown.region.as_str())
    .execute(&mut **tx)
    .await?;
    image::insert(tx, new.id, &new.image, build, &new.shown, new.started_at).await?;
    Ok(Run {
        id: new.id,
        account: new.shown.account,
        region: new.shown.region,
        image: new.image,
        build,
        state: ImageState::Pending,
        reason: String::new(),
        project: new.project,
        recipe: new.recipe,
        work: new.work,
        owner: new.owner,
        started_at: new.started_at,
        ended_at: None,
    })
}

/// Moves a run, and the image it makes, to the state `to` at the time `at`.
///
/// One transaction. A state in which no run works on the image ends the run,
/// and with it, as `CANCELLED`, the steps it left running. A step to a state
/// that [`ImageState::advance`] forbids is refused, so a run ends once: who
/// comes second gets [`StoreErrorKind::Transition`].
pub async fn advance(
    db: &Db,
    id: RunId,
    to: ImageState,
    reason: &str,
    at: i64,
) -> Result<(), StoreError> {
    attempt("advance the run", async {
        let mut tx = db.begin().await?;
        change(&mut tx, id, to, reason, at).await?;
        Ok(tx.commit().await?)
    })
    .await
}

/// Moves a run to another state, inside a transaction.
pub(crate) async fn change(
    tx: &mut Transaction<'_, Sqlite>,
    id: RunId,
    to: ImageState,
    reason: &str,
    at: i64,
) -> Result<(), StoreErrorKind> {
    let to = state_of(tx, id).await?.advance(to);
    let to = to.map_err(|source| StoreErrorKind::Transition { run: id, source })?;
    sqlx::query(
        "UPDATE run SET state = $2, reason = $3, ended_at = COALESCE(ended_at, $4) WHERE id = $1",
    )
    .bind(id.to_string())
    .bind(to.as_str())
    .bind(reason)
    .bind((!to.is_in_progress()).then_some(at))
    .execute(&mut **tx)
    .await?;
    if !to.is_in_progress() {
        step::cancel_all(tx, id, at).await?;
    }
    Ok(())
}

/// Returns where a run is, inside a transaction.
pub(crate) async fn state_of(
    tx: &mut Transaction<'_, Sqlite>,
    id: RunId,
) -> Result<ImageState, StoreErrorKind> {
    let row = sqlx::query("SELECT state FROM run WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(&mut **tx)
        .await?;
    state(&row.ok_or_else(|| StoreErrorKind::Missing { what: id.to_string() })?)
}

/// Returns all runs, the newest first.
pub async fn list(db: &Db) -> Result<Vec<Run>, StoreError> {
    attempt("list the runs", async {
        let rows = sqlx::query("SELECT * FROM run ORDER BY started_at DESC, id DESC");
        read(rows.fetch_all(db.pool()).await?)
    })
    .await
}

/// Returns the runs that have not ended, the oldest first, whether or not their owner lives.
pub async fn unfinished(db: &Db) -> Result<Vec<Run>, StoreError> {
    attempt("list the unfinished runs", async {
        let rows = sqlx::query("SELECT * FROM run WHERE ended_at IS NULL ORDER BY started_at, id");
        read(rows.fetch_all(db.pool()).await?)
    })
    .await
}

impl Run {
    fn read(row: SqliteRow) -> Result<Self, StoreErrorKind> {
        Ok(Self {
            id: text(&row, "id")?,
            account: text(&row, "account")?,
            region: text(&row, "region")?,
            image: row.try_get("image")?,
            build: BuildVersion { version: text(&row, "version")?, build: number(&row, "build")? },
            state: state(&row)?,
            reason: row.try_get("reason")?,
            project: row.try_get("project")?,
            recipe: json(&row, "recipe")?,
            work: row.try_get("work")?,
            owner: row.try_get("owner")?,
            started_at: row.try_get("started_at")?,
            ended_at: row.try_get("ended_at")?,
        })
    }
}

/// Returns the state that a column's word stands for.
fn state(row: &SqliteRow) -> Result<ImageState, StoreErrorKind> {
    word(row, "state", &ImageState::ALL, ImageState::as_str)
}

fn read(rows: Vec<SqliteRow>) -> Result<Vec<Run>, StoreErrorKind> {
    rows.into_iter().map(Run::read).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::fixture::{Fixture, new_run};
    use crate::step::NewStep;
    use crate::{StepState, Workflow};

    #[tokio::test]
    async fn runs_come_back_as_they_were() {
        let fixture = Fixture::new().await;
        let run = fixture.run(1, "web").await;
        assert_eq!(run.build.to_string(), "1.0.0/1");
        assert_eq!(list(&fixture.db).await.unwrap(), std::slice::from_ref(&run));
        assert_eq!(unfinished(&fixture.db).await.unwrap(), [run]);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn sixteen_tasks_get_sixteen_build_numbers() {
        let fixture = Fixture::new().await;
        // Half of them as another process would: over connections of their own.
        let other = Db::open(&fixture.folder.path().join("goldsmith.db")).await.unwrap();
        let tasks = (0..16).map(|n| {
            let db = if n % 2 == 0 { fixture.db.clone() } else { other.clone() };
            tokio::spawn(async move { create(&db, new_run(n, "web")).await.unwrap().build.build })
        });
        let mut numbers = BTreeSet::new();
        for task in tasks.collect::<Vec<_>>() {
            numbers.insert(task.await.unwrap());
        }
        assert_eq!(numbers, (1..=16).collect());
        assert_eq!(fixture.run(16, "mail").await.build.build, 1);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn equal_requests_at_once_make_one_run() {
        let fixture = Fixture::new().await;
        let claim = |token: &str, digest: &str| Claim {
            account: "000000000000".parse().unwrap(),
            region: "local-1".parse().unwrap(),
            operation: "CreateImage",
            token: token.to_owned(),
            digest: name::Digest::of(digest.as_bytes()),
            at: 1_000_000,
        };
        let tasks = (0..8).map(|n| {
            let (db, claim) = (fixture.db.clone(), claim("a", "same"));
            tokio::spawn(async move { create_once(&db, new_run(n, "web"), &claim).await.unwrap() })
        });
        let mut made = 0;
        for task in tasks.collect::<Vec<_>>() {
            match task.await.unwrap() {
                Once::Now(_) => made += 1,
                Once::Before(answer) => assert_eq!(
                    answer,
                    "arn:aws:imagebuilder:local-1:000000000000:image/web/1.0.0/1"
                ),
            }
        }
        assert_eq!((made, list(&fixture.db).await.unwrap().len()), (1, 1));
        let other = create_once(&fixture.db, new_run(9, "web"), &claim("a", "other")).await;
        let kind = other.unwrap_err();
        assert!(matches!(kind.kind(), StoreErrorKind::TokenMismatch { .. }), "{kind:?}");
    }

    #[tokio::test]
    async fn a_run_ends_once_and_takes_its_steps_along() {
        let fixture = Fixture::new().await;
        let db = &fixture.db;
        let run = fixture.run(1, "web").await.id;
        let step = |ordinal| NewStep {
            run,
            ordinal,
            workflow: Workflow::Build,
            action: "ExecuteComponents",
            label: "nginx",
            started_at: 1,
        };
        advance(db, run, ImageState::Building, "", 1).await.unwrap();
        step::start(db, &step(1)).await.unwrap();
        step::end(db, run, 1, StepState::Completed, "", 2).await.unwrap();
        step::start(db, &step(2)).await.unwrap();

        advance(db, run, ImageState::Failed, "nginx failed", 3).await.unwrap();
        let found = list(db).await.unwrap().remove(0);
        assert_eq!((found.state, found.reason.as_str()), (ImageState::Failed, "nginx failed"));
        assert_eq!(found.ended_at, Some(3));
        let states = step::list(db, run).await.unwrap().into_iter().map(|step| step.state);
        assert_eq!(states.collect::<Vec<_>>(), [StepState::Completed, StepState::Cancelled]);
        assert_eq!(unfinished(db).await.unwrap(), []);

        for late in [ImageState::Cancelled, ImageState::Available, ImageState::Testing] {
            let error = advance(db, run, late, "", 4).await.unwrap_err();
            assert!(matches!(error.kind(), StoreErrorKind::Transition { .. }), "{error:?}");
        }
        assert_eq!(list(db).await.unwrap().remove(0), found);
    }
}
