//! Images: what the API shows of runs, and how an image leaves the catalogue.
//!
//! An image that is `DELETED` is found no more; its run stays for its logs.

mod delete;
mod list;
mod tag;

use serde_json::{Value, json};
use sqlx::{Sqlite, Transaction};

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
        let row: Option<Row> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
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
        row.map(Image::try_from).transpose()
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
        let row: Option<Row> = sqlx::query_as(sqlx::AssertSqlSafe(latest_sql(builds)))
            .bind(scope.account.as_str())
            .bind(scope.region.as_str())
            .bind(name)
            .bind(from)
            .bind(to)
            .fetch_optional(db.pool())
            .await?;
        row.map(Image::try_from).transpose()
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
        let row: Option<Row> =
            sqlx::query_as(sqlx::AssertSqlSafe(format!("{SELECT} WHERE image.run_id = $1")))
                .bind(run.to_string())
                .fetch_optional(db.pool())
                .await?;
        row.ok_or_else(|| StoreErrorKind::Missing { what: format!("image of {run}") })?.try_into()
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
        let text: Option<Option<String>> =
            sqlx::query_scalar("SELECT packages FROM image WHERE run_id = $1")
                .bind(run.to_string())
                .fetch_optional(db.pool())
                .await?;
        text.flatten().map(|text| read_json("packages", text)).transpose()
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
    let plan: String = sqlx::query_scalar("SELECT plan FROM image WHERE run_id = $1")
        .bind(run.to_string())
        .fetch_one(&mut **tx)
        .await?;
    let mut plan: Vec<Value> = match read_json("plan", plan)? {
        Value::Array(steps) => steps,
        _ => Vec::new(),
    };
    let attempt = plan.last().and_then(|step| step["attempt"].as_u64()).unwrap_or(1) + 1;
    let before = plan.len();
    plan.extend(steps.into_iter().map(|mut step| {
        step["attempt"] = json!(attempt);
        step
    }));
    sqlx::query("UPDATE image SET plan = $2, packages = NULL WHERE run_id = $1")
        .bind(run.to_string())
        .bind(Value::Array(plan).to_string())
        .execute(&mut **tx)
        .await?;
    number("plan", before as i64)
}

/// Gives the runs of databases from before images were shown an image each.
pub(crate) async fn show_earlier_runs(
    tx: &mut Transaction<'_, Sqlite>,
) -> Result<(), StoreErrorKind> {
    type Earlier = (String, String, String, String, String, i64, String, i64);
    let runs: Vec<Earlier> = sqlx::query_as(
        "SELECT id, account, region, image, version, build, recipe, started_at FROM run",
    )
    .fetch_all(&mut **tx)
    .await?;
    for (run, account, region, name, version, build, recipe, started_at) in runs {
        let version = text("version", version)?;
        let recipe = read_json("recipe", recipe)?;
        let title = recipe["name"].as_str().unwrap_or(&name);
        let new = New::of(text("account", account)?, text("region", region)?, title);
        let build = BuildVersion { version, build: number("build", build)? };
        insert(tx, text("id", run)?, &name, build, &new, started_at).await?;
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

#[derive(sqlx::FromRow)]
struct Row {
    run_id: String,
    account: String,
    region: String,
    name: String,
    version: String,
    build: i64,
    title: String,
    state: String,
    reason: String,
    platform: String,
    os_version: Option<String>,
    build_type: String,
    pipeline: Option<String>,
    body: String,
    tags: String,
    plan: String,
    policy: Option<String>,
    lifecycle_id: Option<String>,
    work: String,
    created_at: i64,
    ended_at: Option<i64>,
}

impl TryFrom<Row> for Image {
    type Error = StoreErrorKind;

    fn try_from(row: Row) -> Result<Self, Self::Error> {
        let build = number("build", row.build)?;
        Ok(Self {
            run: text("run_id", row.run_id)?,
            account: text("account", row.account)?,
            region: text("region", row.region)?,
            name: row.name,
            build: BuildVersion { version: text("version", row.version)?, build },
            title: row.title,
            state: word("state", row.state, &ImageState::ALL, ImageState::as_str)?,
            reason: row.reason,
            platform: row.platform,
            os_version: row.os_version,
            build_type: text("build_type", row.build_type)?,
            pipeline: row.pipeline,
            body: read_json("body", row.body)?,
            tags: tags("tags", row.tags)?,
            plan: read_json("plan", row.plan)?,
            policy: row.policy,
            lifecycle: row.lifecycle_id,
            work: row.work,
            created_at: row.created_at,
            ended_at: row.ended_at,
        })
    }
}

fn read(rows: Vec<Row>) -> Result<Vec<Image>, StoreErrorKind> {
    rows.into_iter().map(Image::try_from).collect()
}
