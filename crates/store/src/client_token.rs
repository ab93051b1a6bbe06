//! Client tokens: a request that comes again is answered as it was, for 24 hours (reference §1.5).
//!
//! A token is recorded in the transaction that carries its request out, so
//! that of several equal requests at once one is carried out.

use sqlx::{Sqlite, SqliteExecutor, Transaction};

use name::{Account, Digest, Region};

use crate::error::attempt;
use crate::{Db, StoreError, StoreErrorKind};

/// A request with the token its client gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Whose request it is.
    pub account: Account,
    /// The region it is for.
    pub region: Region,
    /// What it asks for.
    pub operation: &'static str,
    /// The client's token.
    pub token: String,
    /// The digest of its parameters.
    pub digest: Digest,
    /// When it came, in microseconds.
    pub at: i64,
}

/// How long a token is kept, in microseconds: 24 hours.
const KEPT: i64 = 24 * 60 * 60 * 1_000_000;

/// Returns what the request was answered with, if it was carried out before.
///
/// Fails with [`StoreErrorKind::TokenMismatch`] if the token came with another
/// request.
pub async fn answered(db: &Db, claim: &Claim) -> Result<Option<String>, StoreError> {
    attempt("look for the client token", find(db.pool(), claim)).await
}

/// Records that the request was carried out and answered with `answer`.
///
/// For what may be done twice without harm: a crash between the deed and this
/// leaves a token that is not known.
pub async fn keep(db: &Db, claim: &Claim, answer: &str) -> Result<(), StoreError> {
    attempt("record the client token", async {
        let mut tx = db.begin().await?;
        if find(&mut *tx, claim).await?.is_none() {
            record(&mut tx, claim, answer).await?;
        }
        Ok(tx.commit().await?)
    })
    .await
}

/// Like [`answered`], also inside the transaction that is to carry the request out.
pub(crate) async fn find(
    executor: impl SqliteExecutor<'_>,
    claim: &Claim,
) -> Result<Option<String>, StoreErrorKind> {
    let row: Option<(String, String)> = sqlx::query_as(
        "SELECT digest, answer FROM client_token
         WHERE account = $1 AND region = $2 AND operation = $3 AND token = $4 AND created_at > $5",
    )
    .bind(claim.account.as_str())
    .bind(claim.region.as_str())
    .bind(claim.operation)
    .bind(&claim.token)
    .bind(claim.at - KEPT)
    .fetch_optional(executor)
    .await?;
    match row {
        None => Ok(None),
        Some((digest, answer)) if digest == claim.digest.hex() => Ok(Some(answer)),
        Some(_) => Err(StoreErrorKind::TokenMismatch { token: claim.token.clone() }),
    }
}

/// Records that the request is carried out and answered with `answer`; forgets old tokens.
pub(crate) async fn record(
    tx: &mut Transaction<'_, Sqlite>,
    claim: &Claim,
    answer: &str,
) -> Result<(), StoreErrorKind> {
    sqlx::query("DELETE FROM client_token WHERE created_at <= $1")
        .bind(claim.at - KEPT)
        .execute(&mut **tx)
        .await?;
    sqlx::query("INSERT INTO client_token VALUES ($1, $2, $3, $4, $5, $6, $7)")
        .bind(claim.account.as_str())
        .bind(claim.region.as_str())
        .bind(claim.operation)
        .bind(&claim.token)
        .bind(claim.digest.hex())
        .bind(answer)
        .bind(claim.at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
