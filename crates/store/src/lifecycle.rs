//! Lifecycle executions: what was done to images that are no longer wanted, and to what they consist of.
//!
//! Whether something may be done to an image or AMI was decided before.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, Transaction};

use model::ImageState;
use name::{Account, AmiId, Region, RunId, SnapshotId};

use crate::client_token::{self, Claim};
use crate::column::{invalid, text};
use crate::error::attempt;
use crate::image::Scope;
use crate::{
    AmiStatus, Db, LifecycleAction, LifecycleState, StoreError, StoreErrorKind, run, snapshot,
};

/// A lifecycle execution as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// Its id, `lce-` and a UUID.
    pub id: String,
    /// Whose it is.
    pub account: Account,
    /// Where its record is.
    pub region: Region,
    /// The ARN of the image that it is about.
    pub resource: String,
    /// How it went.
    pub state: LifecycleState,
    /// Why it failed; empty otherwise.
    pub reason: String,
    /// When it began, in microseconds.
    pub started_at: i64,
    /// When it ended, in microseconds.
    pub ended_at: Option<i64>,
}

/// Something that an execution dealt with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// The resource that it is a part of: the image of an AMI.
    pub parent: Option<String>,
    /// What it is: an ARN or an id.
    pub resource: String,
    /// Whose it is.
    pub account: Account,
    /// Where it is.
    pub region: Region,
    /// What was done to it.
    pub action: LifecycleAction,
    /// How that went.
    pub state: LifecycleState,
    /// Why it was passed over or failed; empty otherwise.
    pub reason: String,
    /// The snapshots that went with it.
    pub snapshots: Vec<SnapshotId>,
    /// When that began, in microseconds.
    pub started_at: i64,
    /// When it ended, in microseconds.
    pub ended_at: Option<i64>,
}

/// What to do to an image and its AMIs.
#[derive(Debug, Clone)]
pub struct Change {
    /// The image's run.
    pub run: RunId,
    /// What the image becomes.
    pub to: ImageState,
    /// The AMIs that go the same way.
    pub amis: Vec<AmiId>,
    /// Whether the snapshots of deleted AMIs go too.
    pub snapshots: Snapshots,
}

/// What becomes of the snapshots of deleted AMIs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Snapshots {
    /// They stay.
    Kept,
    /// They go, unless another AMI names them.
    Deleted,
}

/// Carries a change out, records it with its execution and returns the
/// execution's id; of a request that was carried out before, that one's.
///
/// One transaction with the client's token: all of it is done and told, or
/// nothing. Refused with [`StoreErrorKind::Transition`] if the image cannot go
/// there.
pub async fn carry_out(
    db: &Db,
    change: &Change,
    execution: &Execution,
    resources: &[Resource],
    claim: &Claim,
) -> Result<String, StoreError> {
    attempt("change the image's state", async {
        let mut tx = db.begin().await?;
        if let Some(answer) = client_token::find(&mut *tx, claim).await? {
            return Ok(answer);
        }
        run::change(&mut tx, change.run, change.to, "", execution.started_at).await?;
        for ami in &change.amis {
            apply(&mut tx, change, *ami, execution.started_at).await?;
        }
        sqlx::query("UPDATE image SET lifecycle_id = $2 WHERE run_id = $1")
            .bind(change.run.to_string())
            .bind(&execution.id)
            .execute(&mut *tx)
            .await?;
        insert(&mut tx, execution, resources).await?;
        client_token::record(&mut tx, claim, &execution.id).await?;
        tx.commit().await?;
        Ok(execution.id.clone())
    })
    .await
}

async fn apply(
    tx: &mut Transaction<'_, Sqlite>,
    change: &Change,
    ami: AmiId,
    at: i64,
) -> Result<(), StoreErrorKind> {
    let (status, deprecated_at) = match change.to {
        ImageState::Deleted => return delete(tx, change, ami).await,
        ImageState::Deprecated => (AmiStatus::Available, Some(at)),
        ImageState::Disabled => (AmiStatus::Disabled, None),
        ImageState::Pending
        | ImageState::Creating
        | ImageState::Building
        | ImageState::Testing
        | ImageState::Distributing
        | ImageState::Integrating
        | ImageState::Available
        | ImageState::Failed
        | ImageState::Cancelled => (AmiStatus::Available, None),
    };
    sqlx::query("UPDATE ami SET status = $2, deprecated_at = $3 WHERE id = $1")
        .bind(ami.to_string())
        .bind(status.as_str())
        .bind(deprecated_at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

async fn delete(
    tx: &mut Transaction<'_, Sqlite>,
    change: &Change,
    ami: AmiId,
) -> Result<(), StoreErrorKind> {
    let row = sqlx::query("DELETE FROM ami WHERE id = $1 RETURNING snapshot_id")
        .bind(ami.to_string())
        .fetch_optional(&mut **tx)
        .await?;
    if let (Some(row), Snapshots::Deleted) = (row, change.snapshots) {
        snapshot::release(tx, text(&row, "snapshot_id")?).await?;
    }
    Ok(())
}

async fn insert(
    tx: &mut Transaction<'_, Sqlite>,
    execution: &Execution,
    resources: &[Resource],
) -> Result<(), StoreErrorKind> {
    sqlx::query(
        "INSERT INTO lifecycle_execution (id, account, region, resource, state, reason,
                                          started_at, ended_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&execution.id)
    .bind(execution.account.as_str())
    .bind(execution.region.as_str())
    .bind(&execution.resource)
    .bind(execution.state.as_str())
    .bind(&execution.reason)
    .bind(execution.started_at)
    .bind(execution.ended_at)
    .execute(&mut **tx)
    .await?;
    for (ordinal, resource) in (0_i64..).zip(resources) {
        let snapshots: Vec<String> = resource.snapshots.iter().map(SnapshotId::to_string).collect();
        sqlx::query(
            "INSERT INTO lifecycle_resource (execution_id, ordinal, parent, resource, account,
                                             region, action, state, reason, snapshots,
                                             started_at, ended_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        )
        .bind(&execution.id)
        .bind(ordinal)
        .bind(&resource.parent)
        .bind(&resource.resource)
        .bind(resource.account.as_str())
        .bind(resource.region.as_str())
        .bind(resource.action.as_str())
        .bind(resource.state.as_str())
        .bind(&resource.reason)
        .bind(snapshots.join(" "))
        .bind(resource.started_at)
        .bind(resource.ended_at)
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// Returns the execution with the id, if there is one.
pub async fn get(db: &Db, scope: Scope<'_>, id: &str) -> Result<Option<Execution>, StoreError> {
    attempt("find the lifecycle execution", async {
        let row = sqlx::query(
            "SELECT * FROM lifecycle_execution WHERE id = $1 AND account = $2 AND region = $3",
        )
        .bind(id)
        .bind(scope.account.as_str())
        .bind(scope.region.as_str())
        .fetch_optional(db.pool())
        .await?;
        row.map(Execution::read).transpose()
    })
    .await
}

/// Returns the executions about a resource, the newest first, after `after`, at most `limit`.
pub async fn list(
    db: &Db,
    scope: Scope<'_>,
    resource: &str,
    after: Option<(i64, &str)>,
    limit: u32,
) -> Result<Vec<Execution>, StoreError> {
    // Later than every execution, for a list's first page.
    let (at, id) = after.unwrap_or((i64::MAX, ""));
    attempt("list the lifecycle executions", async {
        let rows = sqlx::query(LIST)
            .bind(scope.account.as_str())
            .bind(scope.region.as_str())
            .bind(resource)
            .bind(at)
            .bind(id)
            .bind(i64::from(limit))
            .fetch_all(db.pool())
            .await?;
        rows.into_iter().map(Execution::read).collect()
    })
    .await
}

/// Returns what an execution dealt with, in order, from the `skip`th on, at most `limit`;
/// of a `parent`, its parts, else what is no part of anything.
pub async fn resources(
    db: &Db,
    id: &str,
    parent: Option<&str>,
    skip: u32,
    limit: u32,
) -> Result<Vec<Resource>, StoreError> {
    attempt("list what the lifecycle execution dealt with", async {
        let rows = sqlx::query(RESOURCES)
            .bind(id)
            .bind(parent.unwrap_or_default())
            .bind(i64::from(limit))
            .bind(i64::from(skip))
            .fetch_all(db.pool())
            .await?;
        rows.into_iter().map(Resource::read).collect()
    })
    .await
}

const LIST: &str = "SELECT * FROM lifecycle_execution
  WHERE account = $1 AND region = $2 AND resource = $3 AND (started_at, id) < ($4, $5)
  ORDER BY started_at DESC, id DESC LIMIT $6";

// One execution deals with one image's parts: there is not much to skip.
const RESOURCES: &str = "SELECT * FROM lifecycle_resource
  WHERE execution_id = $1 AND COALESCE(parent, '') = $2
  ORDER BY ordinal LIMIT $3 OFFSET $4";

impl Execution {
    fn read(row: SqliteRow) -> Result<Self, StoreErrorKind> {
        Ok(Self {
            id: row.try_get("id")?,
            account: text(&row, "account")?,
            region: text(&row, "region")?,
            resource: row.try_get("resource")?,
            state: text(&row, "state")?,
            reason: row.try_get("reason")?,
            started_at: row.try_get("started_at")?,
            ended_at: row.try_get("ended_at")?,
        })
    }
}

impl Resource {
    fn read(row: SqliteRow) -> Result<Self, StoreErrorKind> {
        let snapshots: String = row.try_get("snapshots")?;
        let snapshots = snapshots.split_whitespace();
        let snapshots = snapshots
            .map(|id| id.parse().map_err(|error| invalid("snapshots", id.to_owned(), error)));
        Ok(Self {
            parent: row.try_get("parent")?,
            resource: row.try_get("resource")?,
            account: text(&row, "account")?,
            region: text(&row, "region")?,
            action: text(&row, "action")?,
            state: text(&row, "state")?,
            reason: row.try_get("reason")?,
            snapshots: snapshots.collect::<Result<_, _>>()?,
            started_at: row.try_get("started_at")?,
            ended_at: row.try_get("ended_at")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Fixture, explain, registration};
    use crate::{ami, image, snapshot};

    struct Setting {
        fixture: Fixture,
        run: RunId,
        ami: AmiId,
    }

    async fn setting() -> Setting {
        let fixture = Fixture::new().await;
        let run = fixture.run(1, "web").await.id;
        let registration = registration(1, run, "local-1", "web 1");
        fixture.publish(run, std::slice::from_ref(&registration)).await;
        Setting { fixture, run, ami: registration.ami.ami.id }
    }

    fn execution(n: u8, at: i64) -> Execution {
        Execution {
            id: format!("lce-{n}"),
            account: "000000000000".parse().unwrap(),
            region: "local-1".parse().unwrap(),
            resource: "web/1.0.0/1".to_owned(),
            state: LifecycleState::Success,
            reason: String::new(),
            started_at: at,
            ended_at: Some(at),
        }
    }

    fn claim(token: u8) -> Claim {
        Claim {
            account: "000000000000".parse().unwrap(),
            region: "local-1".parse().unwrap(),
            operation: "StartResourceStateUpdate",
            token: token.to_string(),
            digest: name::Digest::of(&[token]),
            at: 1,
        }
    }

    fn resource(parent: Option<&str>) -> Resource {
        Resource {
            parent: parent.map(str::to_owned),
            resource: "web/1.0.0/1".to_owned(),
            account: "000000000000".parse().unwrap(),
            region: "local-1".parse().unwrap(),
            action: LifecycleAction::Deprecate,
            state: LifecycleState::Success,
            reason: String::new(),
            snapshots: vec![SnapshotId::from_random([1; 8])],
            started_at: 1,
            ended_at: Some(2),
        }
    }

    #[tokio::test]
    async fn an_image_and_its_amis_go_the_same_way() {
        let Setting { fixture: Fixture { db, folder: _folder, .. }, run, ami } = setting().await;
        let go = async |n: u8, to: ImageState, snapshots: Snapshots| {
            let change = Change { run, to, amis: vec![ami], snapshots };
            let execution = execution(n, i64::from(n));
            let id = carry_out(&db, &change, &execution, &[], &claim(n)).await.unwrap();
            assert_eq!(id, execution.id);
            // The same request again is answered and changes nothing.
            assert_eq!(carry_out(&db, &change, &execution, &[], &claim(n)).await.unwrap(), id);
        };
        let ami_is = async |status: AmiStatus, deprecated_at: Option<i64>| {
            let entry = ami::get(&db, ami).await.unwrap();
            assert_eq!((entry.status, entry.deprecated_at), (status, deprecated_at));
        };
        go(1, ImageState::Deprecated, Snapshots::Kept).await;
        ami_is(AmiStatus::Available, Some(1)).await;
        go(2, ImageState::Disabled, Snapshots::Kept).await;
        ami_is(AmiStatus::Disabled, None).await;
        go(3, ImageState::Available, Snapshots::Kept).await;
        ami_is(AmiStatus::Available, None).await;
        assert_eq!(image::of_run(&db, run).await.unwrap().lifecycle.as_deref(), Some("lce-3"));
        go(4, ImageState::Deleted, Snapshots::Deleted).await;
        assert!(ami::list(&db).await.unwrap().is_empty());
        assert!(snapshot::list(&db).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn what_is_refused_leaves_no_trace() {
        let Setting { fixture: Fixture { db, folder: _folder, .. }, run, ami } = setting().await;
        let to = ImageState::Available;
        let change = Change { run, to, amis: vec![ami], snapshots: Snapshots::Kept };
        let error = carry_out(&db, &change, &execution(1, 1), &[], &claim(1)).await.unwrap_err();
        assert!(matches!(error.kind(), StoreErrorKind::Transition { .. }), "{error:?}");
        let (account, region) = ("000000000000".parse().unwrap(), "local-1".parse().unwrap());
        let scope = Scope { account: &account, region: &region };
        assert_eq!(get(&db, scope, "lce-1").await.unwrap(), None);
    }

    #[tokio::test]
    async fn lists_read_an_index() {
        let Fixture { db, folder: _folder, .. } = Fixture::new().await;
        explain(&db, LIST, "lifecycle_by_resource", &[]).await;
        explain(&db, RESOURCES, "sqlite_autoindex_lifecycle_resource_1", &[]).await;
    }

    #[tokio::test]
    async fn executions_and_what_they_dealt_with_come_back() {
        let Setting { fixture: Fixture { db, folder: _folder, .. }, run, .. } = setting().await;
        let (account, region) = ("000000000000".parse().unwrap(), "local-1".parse().unwrap());
        let scope = Scope { account: &account, region: &region };
        let resources_of = [resource(None), resource(Some("web/1.0.0/1"))];
        for (n, to) in [(1, ImageState::Deprecated), (2, ImageState::Disabled)] {
            let change = Change { run, to, amis: Vec::new(), snapshots: Snapshots::Kept };
            let execution = execution(n, i64::from(n));
            carry_out(&db, &change, &execution, &resources_of, &claim(n)).await.unwrap();
        }
        let of = "web/1.0.0/1";
        assert_eq!(get(&db, scope, "lce-1").await.unwrap(), Some(execution(1, 1)));
        let first = list(&db, scope, of, None, 1).await.unwrap();
        assert_eq!(first, [execution(2, 2)]);
        assert_eq!(list(&db, scope, of, Some((2, "lce-2")), 9).await.unwrap(), [execution(1, 1)]);
        assert_eq!(resources(&db, "lce-1", None, 0, 9).await.unwrap(), [resource(None)]);
        assert_eq!(resources(&db, "lce-1", Some(of), 0, 9).await.unwrap(), [resource(Some(of))]);
        assert!(resources(&db, "lce-1", None, 1, 9).await.unwrap().is_empty());
    }
}
