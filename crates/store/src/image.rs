//! Images: what the API shows of runs, and how an image leaves the catalogue.
//!
//! An image that is `DELETED` is found no more; its run stays for its logs.

mod delete;
mod list;
mod tag;

use serde_json::{Value, json};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, Transaction};

use model::{ImageState, Tags};
use name::{Account, BuildVersion, Region, RunId, Version, VersionPattern};

use crate::column::{json as read_json, number, tags, text, word};
use crate::error::attempt;
use crate::{BuildType, Db, StoreError, StoreErrorKind};

pub use delete::{Deleted, delete, forget};
pub use list::{Deprecated, Entries, Filters, Key, builds, of_pipeline, versions};
pub use tag::change_tags;

/// An image build version as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// The run that makes or made it.
    pub run: RunId,
    /// Whose it is.
    pub account: Account,
    /// Where its record is.
    pub region: Region,
    /// Its name as ARNs have it.
    pub name: String,
    /// Which build it is.
    pub build: BuildVersion,
    /// Its name as it is shown.
    pub title: String,
    /// Where it stands.
    pub state: ImageState,
    /// Why it stands there; empty if all is well.
    pub reason: String,
    /// `Linux` or `Windows`.
    pub platform: String,
    /// What its operating system says it is, once that is known.
    pub os_version: Option<String>,
    /// Who asked for it.
    pub build_type: BuildType,
    /// The ARN of the pipeline that made it.
    pub pipeline: Option<String>,
    /// Copies of the resources it was made from.
    pub body: Value,
    /// Its tags.
    pub tags: Tags,
    /// The steps of its run, those to come among them. Those of a retry follow the earlier
    /// ones, and have an `attempt`, from 2 on.
    pub plan: Value,
    /// Who may see it besides its owner, as JSON text.
    pub policy: Option<String>,
    /// The lifecycle execution that changed it last.
    pub lifecycle: Option<String>,
    /// The run's folder under `logs/`.
    pub work: String,
    /// When it was asked for, in microseconds.
    pub created_at: i64,
    /// When its run ended, in microseconds.
    pub ended_at: Option<i64>,
}

/// What is shown of a run that is to be recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct New {
    /// Whose the image will be.
    pub account: Account,
    /// Where its record is.
    pub region: Region,
    /// Its name as it is shown.
    pub title: String,
    /// `Linux` or `Windows`.
    pub platform: String,
    /// Who asked for it.
    pub build_type: BuildType,
    /// The ARN of the pipeline that makes it.
    pub pipeline: Option<String>,
    /// Copies of the resources it is made from.
    pub body: Value,
    /// Its tags.
    pub tags: Tags,
    /// The run's steps.
    pub plan: Value,
}

impl New {
    /// Returns an image for Linux that a user asked for and of which nothing else is known.
    pub fn of(account: Account, region: Region, title: &str) -> Self {
        Self {
            account,
            region,
            title: title.to_owned(),
            platform: "Linux".to_owned(),
            build_type: BuildType::UserInitiated,
            pipeline: None,
            body: json!({}),
            tags: Tags::default(),
            plan: json!([]),
        }
    }
}

/// Whose images are meant, and where.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The account.
    pub account: &'a Account,
    /// The region.
    pub region: &'a Region,
}

/// Which builds of an image are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Builds {
    /// Those in any state.
    Any,
    /// Those that can be built upon.
    Available,
}

/// Returns an image build version, unless it was deleted.
pub async fn get(
    db: &Db,
    scope: Scope<'_>,
    name: &str,
    build: BuildVersion,
) -> Result<Option<Image>, StoreError> {
    attempt("find the image", async {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "{SELECT} WHERE image.account = $1 AND image.region = $2 AND image.name = $3
                AND image.ordered_version = $4 AND image.build = $5 AND run.state <> 'DELETED'"
        )))
        .bind(scope.account.as_str())
        .bind(scope.region.as_str())
        .bind(name)
        .bind(ordered(build.version))
        .bind(i64::from(build.build))
        .fetch_optional(db.pool())
        .await?;
        row.map(Image::read).transpose()
    })
    .await
}

/// Returns the last build of the greatest version that `pattern` fits.
pub async fn latest(
    db: &Db,
    scope: Scope<'_>,
    name: &str,
    pattern: VersionPattern,
    builds: Builds,
) -> Result<Option<Image>, StoreError> {
    let (from, to) = range(pattern);
    attempt("find the image", async {
        let row = sqlx::query(sqlx::AssertSqlSafe(latest_sql(builds)))
            .bind(scope.account.as_str())
            .bind(scope.region.as_str())
            .bind(name)
            .bind(from)
            .bind(to)
            .fetch_optional(db.pool())
            .await?;
        row.map(Image::read).transpose()
    })
    .await
}

fn latest_sql(builds: Builds) -> String {
    let state = match builds {
        Builds::Any => "run.state <> 'DELETED'",
        Builds::Available => "run.state = 'AVAILABLE'",
    };
    format!(
        "{SELECT} WHERE image.account = $1 AND image.region = $2 AND image.name = $3
            AND image.ordered_version BETWEEN $4 AND $5 AND {state}
          ORDER BY image.ordered_version DESC, image.build DESC LIMIT 1"
    )
}

/// Returns the image that a run makes, whatever its state.
pub async fn of_run(db: &Db, run: RunId) -> Result<Image, StoreError> {
    attempt("find the run's image", async {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("{SELECT} WHERE image.run_id = $1")))
            .bind(run.to_string())
            .fetch_optional(db.pool())
            .await?;
        Image::read(row.ok_or_else(|| StoreErrorKind::Missing { what: format!("image of {run}") })?)
    })
    .await
}

/// Records what the image's operating system says it is.
pub async fn set_os_version(db: &Db, run: RunId, version: &str) -> Result<(), StoreError> {
    set(db, run, "UPDATE image SET os_version = $2 WHERE run_id = $1", version).await
}

/// Records what is installed in the image.
pub async fn set_packages(db: &Db, run: RunId, packages: &Value) -> Result<(), StoreError> {
    let sql = "UPDATE image SET packages = $2 WHERE run_id = $1";
    set(db, run, sql, &packages.to_string()).await
}

/// Records who may see the image besides its owner.
pub async fn set_policy(db: &Db, run: RunId, policy: &str) -> Result<(), StoreError> {
    set(db, run, "UPDATE image SET policy = $2 WHERE run_id = $1", policy).await
}

/// Returns what is installed in the image, if that is known.
pub async fn packages(db: &Db, run: RunId) -> Result<Option<Value>, StoreError> {
    attempt("read the image's packages", async {
        let row =
            sqlx::query("SELECT packages FROM image WHERE run_id = $1 AND packages IS NOT NULL")
                .bind(run.to_string())
                .fetch_optional(db.pool())
                .await?;
        row.map(|row| read_json(&row, "packages")).transpose()
    })
    .await
}

async fn set(db: &Db, run: RunId, sql: &'static str, value: &str) -> Result<(), StoreError> {
    attempt("change the image's record", async {
        let done = sqlx::query(sql).bind(run.to_string()).bind(value).execute(db.writer()).await?;
        match done.rows_affected() {
            1 => Ok(()),
            _ => Err(StoreErrorKind::Missing { what: format!("image of {run}") }),
        }
    })
    .await
}

/// Records what is shown of a run, inside a transaction.
pub(crate) async fn insert(
    tx: &mut Transaction<'_, Sqlite>,
    run: RunId,
    name: &str,
    build: BuildVersion,
    new: &New,
    created_at: i64,
) -> Result<(), StoreErrorKind> {
    sqlx::query(
        "INSERT INTO image (run_id, account, region, name, ordered_version, build, title,
                            platform, build_type, pipeline, body, tags, plan, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(run.to_string())
    .bind(new.account.as_str())
    .bind(new.region.as_str())
    .bind(name)
    .bind(ordered(build.version))
    .bind(i64::from(build.build))
    .bind(&new.title)
    .bind(&new.platform)
    .bind(new.build_type.as_str())
    .bind(&new.pipeline)
    .bind(new.body.to_string())
    .bind(crate::tag::column(&new.tags))
    .bind(new.plan.to_string())
    .bind(created_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Lets the steps of another attempt follow those of the earlier ones, and forgets what these
/// made; returns how many came before.
pub(crate) async fn plan_again(
    tx: &mut Transaction<'_, Sqlite>,
    run: RunId,
    steps: Vec<Value>,
) -> Result<u32, StoreErrorKind> {
    let row = sqlx::query("SELECT plan FROM image WHERE run_id = $1")
        .bind(run.to_string())
        .fetch_one(&mut **tx)
        .await?;
    let mut plan: Vec<Value> = read_json(&row, "plan")?;
    let attempt = plan.last().and_then(|step| step["attempt"].as_u64()).unwrap_or(1) + 1;
    let before = plan.len() as u32;
    plan.extend(steps.into_iter().map(|mut step| {
        step["attempt"] = json!(attempt);
        step
    }));
    sqlx::query("UPDATE image SET plan = $2, packages = NULL WHERE run_id = $1")
        .bind(run.to_string())
        .bind(Value::Array(plan).to_string())
        .execute(&mut **tx)
        .await?;
    Ok(before)
}

/// Gives the runs of databases from before images were shown an image each.
pub(crate) async fn show_earlier_runs(
    tx: &mut Transaction<'_, Sqlite>,
) -> Result<(), StoreErrorKind> {
    let runs = sqlx::query(
        "SELECT id, account, region, image, version, build, recipe, started_at FROM run",
    )
    .fetch_all(&mut **tx)
    .await?;
    for run in &runs {
        let name: String = run.try_get("image")?;
        let recipe: Value = read_json(run, "recipe")?;
        let title = recipe["name"].as_str().unwrap_or(&name);
        let new = New::of(text(run, "account")?, text(run, "region")?, title);
        let build = BuildVersion { version: text(run, "version")?, build: number(run, "build")? };
        insert(tx, text(run, "id")?, &name, build, &new, run.try_get("started_at")?).await?;
    }
    Ok(())
}

/// Returns a version as texts compare it.
fn ordered(version: Version) -> String {
    let [major, minor, patch] = version.nodes();
    format!("{major:010}.{minor:010}.{patch:010}")
}

/// Returns the first and the last version that a pattern fits, as texts compare them.
fn range(pattern: VersionPattern) -> (String, String) {
    // `:` follows `9`, so a text that ends with it follows all that go on.
    match pattern {
        VersionPattern::Any => (String::new(), ":".to_owned()),
        VersionPattern::Major(major) => (format!("{major:010}."), format!("{major:010}.:")),
        VersionPattern::Minor(major, minor) => {
            (format!("{major:010}.{minor:010}."), format!("{major:010}.{minor:010}.:"))
        }
        VersionPattern::Exact(version) => (ordered(version), ordered(version)),
    }
}

/// Every column that an [`Image`] is made of. Deleted images are told by their run's state.
const SELECT: &str = "SELECT image.run_id, image.account, image.region, image.name, run.version,
       image.build, image.title, run.state, run.reason, image.platform, image.os_version,
       image.build_type, image.pipeline, image.body, image.tags, image.plan, image.policy,
       image.lifecycle_id, run.work, image.created_at, run.ended_at
  FROM image JOIN run ON run.id = image.run_id";

impl Image {
    fn read(row: SqliteRow) -> Result<Self, StoreErrorKind> {
        Ok(Self {
            run: text(&row, "run_id")?,
            account: text(&row, "account")?,
            region: text(&row, "region")?,
            name: row.try_get("name")?,
            build: BuildVersion { version: text(&row, "version")?, build: number(&row, "build")? },
            title: row.try_get("title")?,
            state: word(&row, "state", &ImageState::ALL, ImageState::as_str)?,
            reason: row.try_get("reason")?,
            platform: row.try_get("platform")?,
            os_version: row.try_get("os_version")?,
            build_type: text(&row, "build_type")?,
            pipeline: row.try_get("pipeline")?,
            body: read_json(&row, "body")?,
            tags: tags(&row, "tags")?,
            plan: read_json(&row, "plan")?,
            policy: row.try_get("policy")?,
            lifecycle: row.try_get("lifecycle_id")?,
            work: row.try_get("work")?,
            created_at: row.try_get("created_at")?,
            ended_at: row.try_get("ended_at")?,
        })
    }
}

fn read(rows: Vec<SqliteRow>) -> Result<Vec<Image>, StoreErrorKind> {
    rows.into_iter().map(Image::read).collect()
}
