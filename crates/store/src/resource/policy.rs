//! The policies of resources: with whom they are shared, as text.

use name::Arn;

use super::missing;
use crate::error::attempt;
use crate::{Db, StoreError};

/// Returns the policy of the resource with exactly this ARN, if it has one.
///
/// Fails with [`crate::StoreErrorKind::Missing`] if there is no such resource.
pub async fn policy(db: &Db, arn: &Arn) -> Result<Option<String>, StoreError> {
    attempt("find the resource's policy", async {
        let row: Option<Option<String>> =
            sqlx::query_scalar("SELECT policy FROM resource WHERE arn = $1")
                .bind(arn.to_string())
                .fetch_optional(db.pool())
                .await?;
        row.ok_or_else(|| missing(arn))
    })
    .await
}

/// Sets the policy of the resource with exactly this ARN.
///
/// Fails with [`crate::StoreErrorKind::Missing`] if there is no such resource.
pub async fn set_policy(db: &Db, arn: &Arn, policy: &str) -> Result<(), StoreError> {
    attempt("set the resource's policy", async {
        let changed = sqlx::query("UPDATE resource SET policy = $2 WHERE arn = $1")
            .bind(arn.to_string())
            .bind(policy)
            .execute(db.writer())
            .await?;
        if changed.rows_affected() == 1 { Ok(()) } else { Err(missing(arn)) }
    })
    .await
}
