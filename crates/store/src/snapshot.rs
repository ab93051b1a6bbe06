//! Snapshots: which volume content a region keeps.
//!
//! They come with an AMI ([`crate::run::publish`]) and go with its image
//! ([`crate::image::delete`]). One that is recorded is complete.

use sqlx::{Sqlite, Transaction};

use model::Snapshot;
use name::SnapshotId;

use crate::column::{number, signed, text};
use crate::error::attempt;
use crate::{Db, StoreError, StoreErrorKind};

/// A snapshot as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The snapshot. Its digest is that of its block map.
    pub snapshot: Snapshot,
    /// How many of its blocks are not all zeros.
    pub blocks: u64,
    /// When it was recorded, in microseconds.
    pub created_at: i64,
}

/// Returns the snapshot with the id.
pub async fn get(db: &Db, id: SnapshotId) -> Result<Entry, StoreError> {
    attempt("find the snapshot", async {
        let row: Option<Row> = sqlx::query_as("SELECT * FROM snapshot WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(db.pool())
            .await?;
        row.ok_or_else(|| StoreErrorKind::Missing { what: id.to_string() })?.try_into()
    })
    .await
}

/// Returns all snapshots, by region and age: what garbage collection must keep.
pub async fn list(db: &Db) -> Result<Vec<Entry>, StoreError> {
    attempt("list the snapshots", async {
        let rows = sqlx::query_as("SELECT * FROM snapshot ORDER BY region, created_at, id");
        read(rows.fetch_all(db.pool()).await?)
    })
    .await
}

/// Records a snapshot, inside a transaction.
pub(crate) async fn insert(
    tx: &mut Transaction<'_, Sqlite>,
    entry: &Entry,
) -> Result<(), StoreErrorKind> {
    let Entry { snapshot, blocks, created_at } = entry;
    sqlx::query(
        "INSERT INTO snapshot (id, region, digest, volume_bytes, blocks, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(snapshot.id.to_string())
    .bind(snapshot.region.as_str())
    .bind(snapshot.digest.to_string())
    .bind(signed("volume_bytes", snapshot.volume_bytes)?)
    .bind(signed("blocks", *blocks)?)
    .bind(created_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Deletes the snapshots that no AMI names any more and returns them, inside a transaction.
pub(crate) async fn delete_unused(
    tx: &mut Transaction<'_, Sqlite>,
) -> Result<Vec<Entry>, StoreErrorKind> {
    let rows = sqlx::query_as(
        "DELETE FROM snapshot
          WHERE NOT EXISTS (SELECT 1 FROM ami WHERE ami.snapshot_id = snapshot.id)
         RETURNING *",
    );
    read(rows.fetch_all(&mut **tx).await?)
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    region: String,
    digest: String,
    volume_bytes: i64,
    blocks: i64,
    created_at: i64,
}

impl TryFrom<Row> for Entry {
    type Error = StoreErrorKind;

    fn try_from(row: Row) -> Result<Self, Self::Error> {
        Ok(Self {
            snapshot: Snapshot {
                id: text("id", row.id)?,
                region: text("region", row.region)?,
                volume_bytes: number("volume_bytes", row.volume_bytes)?,
                digest: text("digest", row.digest)?,
            },
            blocks: number("blocks", row.blocks)?,
            created_at: row.created_at,
        })
    }
}

fn read(rows: Vec<Row>) -> Result<Vec<Entry>, StoreErrorKind> {
    rows.into_iter().map(Entry::try_from).collect()
}
