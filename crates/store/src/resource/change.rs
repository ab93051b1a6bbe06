//! How resources change and go: replaced as a whole, deleted unless something needs them.

use sqlx::{Row, Sqlite, Transaction};

use serde_json::Value;

use name::{Arn, Level};

use super::create::refer;
use super::find::find_in;
use super::{Done, missing};
use crate::client_token::{self, Claim};
use crate::column::text;
use crate::error::attempt;
use crate::{Db, StoreError, StoreErrorKind};

/// What a resource is to become; name, tags and times of making stay.
#[derive(Debug, Clone, PartialEq)]
pub struct Replacement {
    /// The resource.
    pub arn: Arn,
    /// What it is, in JSON.
    pub body: Value,
    /// Resources of the same account that must be there, and stay as long as this one.
    pub references: Vec<Arn>,
    /// When it is changed, in microseconds.
    pub at: i64,
}

/// Replaces what a resource is.
///
/// One transaction with the client's token. Fails with
/// [`StoreErrorKind::Missing`] if there is no such resource and with
/// [`StoreErrorKind::Unresolved`] if something it refers to is not there.
pub async fn replace(db: &Db, new: &Replacement, claim: &Claim) -> Result<Done, StoreError> {
    attempt("change the resource", async {
        let mut tx = db.begin().await?;
        if let Some(answer) = client_token::find(&mut *tx, claim).await? {
            return Ok(Done::Before(answer));
        }
        let Replacement { arn, body, references, at } = new;
        for reference in references {
            if find_in(&mut tx, reference).await?.is_none() {
                return Err(StoreErrorKind::Unresolved { arn: reference.to_string() });
            }
        }
        let changed = sqlx::query("UPDATE resource SET body = $2, updated_at = $3 WHERE arn = $1")
            .bind(arn.to_string())
            .bind(body.to_string())
            .bind(at)
            .execute(&mut *tx)
            .await?;
        if changed.rows_affected() == 0 {
            return Err(missing(arn));
        }
        sqlx::query("DELETE FROM resource_reference WHERE from_arn = $1")
            .bind(arn.to_string())
            .execute(&mut *tx)
            .await?;
        refer(&mut tx, arn, references).await?;
        client_token::record(&mut tx, claim, &arn.to_string()).await?;
        tx.commit().await?;
        Ok(Done::Now(arn.clone()))
    })
    .await
}

/// Deletes the resource with exactly this ARN.
///
/// Fails with [`StoreErrorKind::Missing`] if there is none and with
/// [`StoreErrorKind::Needed`] if another refers to it, or to something that
/// only it stands for.
pub async fn delete(db: &Db, arn: &Arn) -> Result<(), StoreError> {
    attempt("delete the resource", async {
        let mut tx = db.begin().await?;
        let deleted = sqlx::query("DELETE FROM resource WHERE arn = $1")
            .bind(arn.to_string())
            .execute(&mut *tx)
            .await?;
        if deleted.rows_affected() == 0 {
            return Err(missing(arn));
        }
        let by = left_behind(&mut tx, arn).await?;
        if !by.is_empty() {
            return Err(StoreErrorKind::Needed { arn: arn.to_string(), by });
        }
        mark(&mut tx, arn).await?;
        Ok(tx.commit().await?)
    })
    .await
}

/// Returns whose references to `gone` no longer stand for anything.
async fn left_behind(
    tx: &mut Transaction<'_, Sqlite>,
    gone: &Arn,
) -> Result<Vec<String>, StoreErrorKind> {
    let rows = sqlx::query(
        "SELECT from_arn, to_arn FROM resource_reference WHERE to_name = $1 ORDER BY from_arn",
    )
    .bind(gone.without_version().to_string())
    .fetch_all(&mut **tx)
    .await?;
    let mut left = Vec::new();
    for row in rows {
        let to: Arn = text(&row, "to_arn")?;
        if to.covers(gone) && find_in(tx, &to).await?.is_none() {
            left.push(row.try_get("from_arn")?);
        }
    }
    // One may refer to several that only `gone` stood for.
    left.dedup();
    Ok(left)
}

/// Marks the newest build and version again after `gone` went.
async fn mark(tx: &mut Transaction<'_, Sqlite>, gone: &Arn) -> Result<(), StoreErrorKind> {
    for (any, mark) in [
        (gone.at(Level::Version(gone.versions())).ok(), MARK_BUILD),
        (Some(gone.without_version()), MARK_VERSION),
    ] {
        let Some(any) = any else { continue };
        if let Some(newest) = find_in(tx, &any).await? {
            sqlx::query(mark).bind(newest.arn.to_string()).execute(&mut **tx).await?;
        }
    }
    Ok(())
}

const MARK_BUILD: &str = "UPDATE resource SET newest_build = 1 WHERE arn = $1";
const MARK_VERSION: &str = "UPDATE resource SET newest_version = 1 WHERE arn = $1";
