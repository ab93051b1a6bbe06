//! The tags of images.

use std::collections::BTreeMap;

use sqlx::{Sqlite, Transaction};

use model::Tags;
use name::RunId;

use super::tags_json;
use crate::column;
use crate::error::attempt;
use crate::{Db, StoreError, StoreErrorKind};

/// Adds tags to the image that a run makes, in place of those of the same names.
///
/// Fails with [`StoreErrorKind::Tags`] if they would break a rule together.
pub async fn set_tags(
    db: &Db,
    run: RunId,
    more: BTreeMap<String, String>,
) -> Result<(), StoreError> {
    change(db, run, |tags| tags.extend(more)).await
}

/// Removes the tags of these names, where they are there, from the image that a run makes.
pub async fn remove_tags(db: &Db, run: RunId, names: &[String]) -> Result<(), StoreError> {
    change(db, run, |tags| tags.retain(|name, _| !names.contains(name))).await
}

/// Reads and writes in one transaction: of those who tag at once, nobody's tags are lost.
async fn change(
    db: &Db,
    run: RunId,
    change: impl FnOnce(&mut BTreeMap<String, String>),
) -> Result<(), StoreError> {
    attempt("tag the image", async {
        let mut tx = db.begin().await?;
        let tags = read(&mut tx, run).await?;
        let tags = tags.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut tags = tags.collect();
        change(&mut tags);
        let tags = Tags::new(tags);
        let tags = tags.map_err(|source| StoreErrorKind::Tags { arn: run.to_string(), source })?;
        sqlx::query("UPDATE image SET tags = $2 WHERE run_id = $1")
            .bind(run.to_string())
            .bind(tags_json(&tags))
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    })
    .await
}

async fn read(tx: &mut Transaction<'_, Sqlite>, run: RunId) -> Result<Tags, StoreErrorKind> {
    let row: Option<String> = sqlx::query_scalar("SELECT tags FROM image WHERE run_id = $1")
        .bind(run.to_string())
        .fetch_optional(&mut **tx)
        .await?;
    let missing = || StoreErrorKind::Missing { what: format!("image of {run}") };
    column::tags("tags", row.ok_or_else(missing)?)
}
