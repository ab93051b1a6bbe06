//! The tags of resources.

use std::collections::BTreeMap;

use sqlx::{Sqlite, Transaction};

use model::Tags;
use name::Arn;

use super::{missing, tags};
use crate::error::attempt;
use crate::{Db, StoreError, StoreErrorKind};

/// Adds tags to the resource with exactly this ARN, in place of those of the same names.
///
/// Fails with [`StoreErrorKind::Missing`] if there is none and with
/// [`StoreErrorKind::Tags`] if they would break a rule together.
pub async fn set_tags(
    db: &Db,
    arn: &Arn,
    more: BTreeMap<String, String>,
) -> Result<(), StoreError> {
    attempt("tag the resource", async {
        let mut tx = db.begin().await?;
        let mut tags = read(&mut tx, arn).await?;
        tags.extend(more);
        Tags::new(tags.clone())
            .map_err(|source| StoreErrorKind::Tags { arn: arn.to_string(), source })?;
        write(&mut tx, arn, &tags).await?;
        Ok(tx.commit().await?)
    })
    .await
}

/// Removes the tags of these names, where they are there, from the resource with exactly this ARN.
///
/// Fails with [`StoreErrorKind::Missing`] if there is none.
pub async fn remove_tags(db: &Db, arn: &Arn, names: &[String]) -> Result<(), StoreError> {
    attempt("untag the resource", async {
        let mut tx = db.begin().await?;
        let mut tags = read(&mut tx, arn).await?;
        tags.retain(|name, _| !names.contains(name));
        write(&mut tx, arn, &tags).await?;
        Ok(tx.commit().await?)
    })
    .await
}

async fn read(
    tx: &mut Transaction<'_, Sqlite>,
    arn: &Arn,
) -> Result<BTreeMap<String, String>, StoreErrorKind> {
    let row: Option<String> = sqlx::query_scalar("SELECT tags FROM resource WHERE arn = $1")
        .bind(arn.to_string())
        .fetch_optional(&mut **tx)
        .await?;
    tags(row.ok_or_else(|| missing(arn))?)
}

async fn write(
    tx: &mut Transaction<'_, Sqlite>,
    arn: &Arn,
    tags: &BTreeMap<String, String>,
) -> Result<(), StoreErrorKind> {
    sqlx::query("UPDATE resource SET tags = $2 WHERE arn = $1")
        .bind(arn.to_string())
        .bind(serde_json::json!(tags).to_string())
        .execute(&mut **tx)
        .await?;
    Ok(())
}
