//! What runs made: the disk's digest and size, and what its tests said.

use serde_json::Value;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use name::{Digest, RunId};

use crate::column::{json, number, signed, text};
use crate::error::attempt;
use crate::{Db, StoreError, StoreErrorKind};

/// The disk that a run made.
#[derive(Debug, Clone, PartialEq)]
pub struct Artefact {
    /// The run.
    pub run: RunId,
    /// The digest of the disk's content.
    pub digest: Digest,
    /// The disk's size in bytes.
    pub size: u64,
    /// The results of its tests, a list of objects; JSON null before they ran.
    pub tests: Value,
    /// When it was made, in microseconds.
    pub made_at: i64,
}

/// Records what a run made, in place of what an earlier attempt made.
pub async fn put(db: &Db, artefact: &Artefact) -> Result<(), StoreError> {
    attempt("record the artefact", async {
        sqlx::query(
            "INSERT INTO artefact (run_id, digest, size, tests, made_at)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (run_id) DO UPDATE
                SET digest = excluded.digest, size = excluded.size, tests = excluded.tests,
                    made_at = excluded.made_at",
        )
        .bind(artefact.run.to_string())
        .bind(artefact.digest.to_string())
        .bind(signed("size", artefact.size)?)
        .bind(artefact.tests.to_string())
        .bind(artefact.made_at)
        .execute(db.writer())
        .await?;
        Ok(())
    })
    .await
}

/// Records what the tests of what a run made have said so far.
///
/// Fails with [`StoreErrorKind::Missing`] if the run has made nothing.
pub async fn set_tests(db: &Db, run: RunId, tests: &Value) -> Result<(), StoreError> {
    attempt("record the results of tests", async {
        let done = sqlx::query("UPDATE artefact SET tests = $2 WHERE run_id = $1")
            .bind(run.to_string())
            .bind(tests.to_string())
            .execute(db.writer())
            .await?;
        match done.rows_affected() {
            1 => Ok(()),
            _ => Err(StoreErrorKind::Missing { what: format!("artefact of {run}") }),
        }
    })
    .await
}

/// Returns what a run made, if it came so far.
pub async fn get(db: &Db, run: RunId) -> Result<Option<Artefact>, StoreError> {
    attempt("look for the artefact", async {
        let row = sqlx::query("SELECT * FROM artefact WHERE run_id = $1")
            .bind(run.to_string())
            .fetch_optional(db.pool())
            .await?;
        row.map(Artefact::read).transpose()
    })
    .await
}

impl Artefact {
    fn read(row: SqliteRow) -> Result<Self, StoreErrorKind> {
        Ok(Self {
            run: text(&row, "run_id")?,
            digest: text(&row, "digest")?,
            size: number(&row, "size")?,
            tests: json(&row, "tests")?,
            made_at: row.try_get("made_at")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixture::Fixture;

    #[tokio::test]
    async fn test_results_are_added_to_the_artefact() {
        let fixture = Fixture::new().await;
        let run = fixture.run(1, "web").await.id;
        assert_eq!(get(&fixture.db, run).await.unwrap(), None);
        let digest = Digest::of(b"disk");
        let mut artefact = Artefact { run, digest, size: 2 << 30, tests: Value::Null, made_at: 1 };
        let none = set_tests(&fixture.db, run, &json!([])).await.unwrap_err();
        assert!(matches!(none.kind(), StoreErrorKind::Missing { .. }), "{none:?}");
        put(&fixture.db, &artefact).await.unwrap();
        artefact.tests = json!([{"step": "nginx answers", "status": "success"}]);
        set_tests(&fixture.db, run, &artefact.tests).await.unwrap();
        assert_eq!(get(&fixture.db, run).await.unwrap(), Some(artefact));
    }
}
