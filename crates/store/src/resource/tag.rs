//! The tags of resources.

use name::Arn;

use super::missing;
use crate::column::json;
use crate::error::attempt;
use crate::tag::column;
use crate::{Db, StoreError, StoreErrorKind, TagChange};

/// Changes the tags of the resource with exactly this ARN.
///
/// Fails with [`StoreErrorKind::Missing`] if there is none and with
/// [`StoreErrorKind::Tags`] if they would break a rule together.
pub async fn change_tags(db: &Db, arn: &Arn, change: TagChange) -> Result<(), StoreError> {
    attempt("change the resource's tags", async {
        let mut tx = db.begin().await?;
        let row = sqlx::query("SELECT tags FROM resource WHERE arn = $1")
            .bind(arn.to_string())
            .fetch_optional(&mut *tx)
            .await?;
        let tags = change
            .apply(json(&row.ok_or_else(|| missing(arn))?, "tags")?)
            .map_err(|source| StoreErrorKind::Tags { arn: arn.to_string(), source })?;
        sqlx::query("UPDATE resource SET tags = $2 WHERE arn = $1")
            .bind(arn.to_string())
            .bind(column(&tags))
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    })
    .await
}
