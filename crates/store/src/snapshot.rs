//! Snapshots: which volume content a region keeps.
//!
//! They come with an AMI ([`crate::run::publish`]) and go with its image
//! ([`crate::image::delete`]). One that is recorded is complete.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, Transaction};

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
        let row = sqlx::query("SELECT * FROM snapshot WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(db.pool())
            .await?;
        Entry::read(row.ok_or_else(|| StoreErrorKind::Missing { what: id.to_string() })?)
    })
    .await
}

/// Returns all snapshots, by region and age: what garbage collection must keep.
pub async fn list(db: &Db) -> Result<Vec<Entry>, StoreError> {
    attempt("list the snapshots", async {
        let rows = sqlx::query("SELECT * FROM snapshot ORDER BY region, created_at, id")
            .fetch_all(db.pool())
            .await?;
        rows.into_iter().map(Entry::read).collect()
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

/// Deletes a snapshot unless an AMI names it, inside a transaction; returns what went.
pub(crate) async fn release(
    tx: &mut Transaction<'_, Sqlite>,
    id: SnapshotId,
) -> Result<Option<Entry>, StoreErrorKind> {
    let row = sqlx::query(
        "DELETE FROM snapshot
          WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM ami WHERE ami.snapshot_id = snapshot.id)
         RETURNING *",
    )
    .bind(id.to_string())
    .fetch_optional(&mut **tx)
    .await?;
    row.map(Entry::read).transpose()
}

impl Entry {
    fn read(row: SqliteRow) -> Result<Self, StoreErrorKind> {
        Ok(Self {
            snapshot: Snapshot {
                id: text(&row, "id")?,
                region: text(&row, "region")?,
                volume_bytes: number(&row, "volume_bytes")?,
                digest: text(&row, "digest")?,
            },
            blocks: number(&row, "blocks")?,
            created_at: row.try_get("created_at")?,
        })
    }
}
