//! How an image leaves the catalogue, with its AMIs or without them.

use model::ImageState;
use name::RunId;

use crate::error::attempt;
use crate::{Db, StoreError, ami, run, snapshot};

/// What a deletion took out of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted {
    /// The AMIs.
    pub amis: Vec<ami::Entry>,
    /// The snapshots; their blocks stay until the next garbage collection.
    pub snapshots: Vec<snapshot::Entry>,
}

/// Deletes the AMIs that a run made and their snapshots, in every region; the image is `DELETED`.
///
/// One transaction: all of it is gone, or nothing. The run stays for its logs.
/// Refused with [`crate::StoreErrorKind::Transition`] while the run is at work,
/// and where there is nothing left to delete. An image that was forgotten
/// ([`forget`]) may have AMIs.
pub async fn delete(db: &Db, run: RunId, at: i64) -> Result<Deleted, StoreError> {
    attempt("delete the image", async {
        let mut tx = db.begin().await?;
        let amis = ami::delete_of_run(&mut tx, run).await?;
        if amis.is_empty() || run::state_of(&mut tx, run).await? != ImageState::Deleted {
            run::change(&mut tx, run, ImageState::Deleted, "", at).await?;
        }
        let mut snapshots = Vec::new();
        for ami in &amis {
            snapshots.extend(snapshot::release(&mut tx, ami.ami.root).await?);
        }
        tx.commit().await?;
        Ok(Deleted { amis, snapshots })
    })
    .await
}

/// Makes an image `DELETED` and leaves its AMIs as they are, which is what DeleteImage does
/// (reference §1.3).
///
/// Refused with [`crate::StoreErrorKind::Transition`] while the run is at work.
pub async fn forget(db: &Db, run: RunId, at: i64) -> Result<(), StoreError> {
    run::advance(db, run, ImageState::Deleted, "", at).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoreErrorKind;
    use crate::fixture::{Fixture, registration};

    #[tokio::test]
    async fn deleting_takes_one_image_and_keeps_its_run() {
        let fixture = Fixture::new().await;
        let db = &fixture.db;
        let [gone, kept] = [fixture.run(1, "web").await, fixture.run(2, "web").await];
        let ours = [
            registration(1, gone.id, "local-1", "web 1"),
            registration(2, gone.id, "local-2", "web 1"),
        ];
        fixture.publish(kept.id, &[registration(3, kept.id, "local-1", "web 2")]).await;

        let error = delete(db, gone.id, 0).await.unwrap_err();
        assert!(matches!(error.kind(), StoreErrorKind::Transition { .. }), "{error:?}");

        fixture.publish(gone.id, &ours).await;
        assert_eq!(ami::list(db).await.unwrap().len(), 3);
        let deleted = delete(db, gone.id, 10_000_000).await.unwrap();
        assert_eq!(deleted.amis, ours.clone().map(|one| one.ami));
        assert_eq!(deleted.snapshots, ours.map(|one| one.snapshot));
        assert_eq!(ami::list(db).await.unwrap().len(), 1);
        assert_eq!(snapshot::list(db).await.unwrap().len(), 1);
        let run = run::list(db).await.unwrap().into_iter().find(|run| run.id == gone.id).unwrap();
        assert_eq!((run.state, run.ended_at), (ImageState::Deleted, Some(9_000_000)));
        let error = delete(db, gone.id, 11_000_000).await.unwrap_err();
        assert!(matches!(error.kind(), StoreErrorKind::Transition { .. }), "{error:?}");
    }

    #[tokio::test]
    async fn an_image_that_was_forgotten_can_be_deleted() {
        let fixture = Fixture::new().await;
        let (db, run) = (&fixture.db, fixture.run(1, "web").await.id);
        let registration = registration(1, run, "local-1", "web 1");
        fixture.publish(run, std::slice::from_ref(&registration)).await;
        forget(db, run, 10).await.unwrap();
        assert_eq!(ami::list(db).await.unwrap().len(), 1);
        let deleted = delete(db, run, 11).await.unwrap();
        let expected =
            Deleted { amis: vec![registration.ami], snapshots: vec![registration.snapshot] };
        assert_eq!(deleted, expected);
    }

    #[tokio::test]
    async fn snapshots_that_outlive_their_amis_are_left_alone() {
        let fixture = Fixture::new().await;
        let db = &fixture.db;
        let [first, second] = [fixture.run(1, "web").await.id, fixture.run(2, "web").await.id];
        let [kept, gone] = [
            registration(1, first, "local-1", "web 1"),
            registration(2, second, "local-1", "web 2"),
        ];
        fixture.publish(first, std::slice::from_ref(&kept)).await;
        fixture.publish(second, std::slice::from_ref(&gone)).await;
        sqlx::query("DELETE FROM ami WHERE run_id = $1")
            .bind(first.to_string())
            .execute(db.writer())
            .await
            .unwrap();
        assert_eq!(delete(db, second, 10).await.unwrap().snapshots, [gone.snapshot]);
        assert_eq!(snapshot::list(db).await.unwrap(), [kept.snapshot]);
    }
}
