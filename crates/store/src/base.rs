//! Bases that were made or imported, by the key of what decided their bytes.

use serde_json::Value;

use name::{Arn, Digest};

use crate::column::{json, number, signed, text};
use crate::error::attempt;
use crate::{Db, StoreError, StoreErrorKind};

/// An operating system tree or disk that recipes start from.
#[derive(Debug, Clone, PartialEq)]
pub struct Base {
    /// The key of everything that decides its bytes.
    pub key: Digest,
    /// What recipes call it.
    pub arn: Arn,
    /// The digest of its archive.
    pub digest: Digest,
    /// The archive's size in bytes.
    pub size: u64,
    /// What is in it, as its maker describes it.
    pub description: Value,
    /// When it was made, in microseconds.
    pub made_at: i64,
}

/// Records a base, in place of an earlier one with the same key.
pub async fn put(db: &Db, base: &Base) -> Result<(), StoreError> {
    attempt("record the base", async {
        sqlx::query(
            "INSERT INTO base (key, arn, digest, size, description, made_at)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (key) DO UPDATE
                SET arn = excluded.arn, digest = excluded.digest, size = excluded.size,
                    description = excluded.description, made_at = excluded.made_at",
        )
        .bind(base.key.to_string())
        .bind(base.arn.to_string())
        .bind(base.digest.to_string())
        .bind(signed("size", base.size)?)
        .bind(base.description.to_string())
        .bind(base.made_at)
        .execute(db.writer())
        .await?;
        Ok(())
    })
    .await
}

/// Returns the base with the key, if it was made.
pub async fn get(db: &Db, key: &Digest) -> Result<Option<Base>, StoreError> {
    attempt("look for the base", async {
        let row: Option<Row> = sqlx::query_as("SELECT * FROM base WHERE key = $1")
            .bind(key.to_string())
            .fetch_optional(db.pool())
            .await?;
        row.map(Base::try_from).transpose()
    })
    .await
}

/// Returns all bases, the newest first.
pub async fn list(db: &Db) -> Result<Vec<Base>, StoreError> {
    attempt("list the bases", async {
        let rows: Vec<Row> = sqlx::query_as("SELECT * FROM base ORDER BY made_at DESC, key")
            .fetch_all(db.pool())
            .await?;
        rows.into_iter().map(Base::try_from).collect()
    })
    .await
}

/// Forgets a base; returns whether it was known.
pub async fn remove(db: &Db, key: &Digest) -> Result<bool, StoreError> {
    attempt("forget the base", async {
        let done = sqlx::query("DELETE FROM base WHERE key = $1")
            .bind(key.to_string())
            .execute(db.writer())
            .await?;
        Ok(done.rows_affected() == 1)
    })
    .await
}

#[derive(sqlx::FromRow)]
struct Row {
    key: String,
    arn: String,
    digest: String,
    size: i64,
    description: String,
    made_at: i64,
}

impl TryFrom<Row> for Base {
    type Error = StoreErrorKind;

    fn try_from(row: Row) -> Result<Self, Self::Error> {
        Ok(Self {
            key: text("key", row.key)?,
            arn: text("arn", row.arn)?,
            digest: text("digest", row.digest)?,
            size: number("size", row.size)?,
            description: json("description", row.description)?,
            made_at: row.made_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixture::Fixture;

    #[tokio::test]
    async fn a_base_made_again_takes_the_place_of_the_first() {
        let fixture = Fixture::new().await;
        let db = &fixture.db;
        let arn = "arn:aws:imagebuilder:local-1:aws:image/debian-server-12-x86/x.x.x";
        let mut base = Base {
            key: Digest::of(b"key"),
            arn: arn.parse().unwrap(),
            digest: Digest::of(b"first"),
            size: 300_000_000,
            description: json!({"packages": 151}),
            made_at: 1,
        };
        assert_eq!(get(db, &base.key).await.unwrap(), None);
        put(db, &base).await.unwrap();
        base.digest = Digest::of(b"second");
        base.made_at = 2;
        put(db, &base).await.unwrap();
        assert_eq!(get(db, &base.key).await.unwrap().as_ref(), Some(&base));
        assert_eq!(list(db).await.unwrap(), [base.clone()]);
        assert!(remove(db, &base.key).await.unwrap());
        assert!(!remove(db, &base.key).await.unwrap());

        base.size = u64::MAX;
        let error = put(db, &base).await.unwrap_err();
        assert_eq!(error.kind().to_string(), "18446744073709551615 does not fit column `size`");
    }
}
