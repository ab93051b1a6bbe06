//! Runs that lost their process.

use model::ImageState;
use name::RunId;

use super::change;
use crate::error::attempt;
use crate::{Db, StoreError};

/// Ends a run as `FAILED`, for `reason`, if it has not ended and is still `owner`'s; returns
/// whether it was.
///
/// One transaction: of several processes that find the same dead owner, one gets `true`, and a
/// run that was begun once more meanwhile is its new owner's.
pub async fn end_orphan(
    db: &Db,
    id: RunId,
    owner: &str,
    reason: &str,
    at: i64,
) -> Result<bool, StoreError> {
    attempt("take over the run", async {
        let mut tx = db.begin().await?;
        let found: Option<i64> = sqlx::query_scalar(
            "SELECT 1 FROM run WHERE id = $1 AND owner = $2 AND ended_at IS NULL",
        )
        .bind(id.to_string())
        .bind(owner)
        .fetch_optional(&mut *tx)
        .await?;
        if found.is_none() {
            return Ok(false);
        }
        change(&mut tx, id, ImageState::Failed, reason, at).await?;
        tx.commit().await?;
        Ok(true)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Fixture, owner};
    use crate::run::list;

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn one_process_adopts_a_dead_ones_run() {
        let fixture = Fixture::new().await;
        let run = fixture.run(1, "web").await;
        let tasks = (0..8).map(|at| {
            let (db, run) = (fixture.db.clone(), run.clone());
            tokio::spawn(async move {
                end_orphan(&db, run.id, &run.owner, "it lost its process", at).await.unwrap()
            })
        });
        let mut ended = 0;
        for task in tasks.collect::<Vec<_>>() {
            ended += u32::from(task.await.unwrap());
        }
        let found = list(&fixture.db).await.unwrap().remove(0);
        assert_eq!((ended, found.state), (1, ImageState::Failed));
        assert_eq!(found.reason, "it lost its process");
    }

    #[tokio::test]
    async fn a_run_that_has_another_owner_by_now_is_left_alone() {
        let fixture = Fixture::new().await;
        let run = fixture.run(1, "web").await;
        let ended = end_orphan(&fixture.db, run.id, &owner(9), "it lost its process", 1).await;
        assert!(!ended.unwrap());
        assert_eq!(list(&fixture.db).await.unwrap().remove(0), run);
    }
}
