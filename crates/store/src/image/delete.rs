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
/// Refused with [`crate::StoreErrorKind::Transition`] while the run is at work.
pub async fn delete(db: &Db, run: RunId, at: i64) -> Result<Deleted, StoreError> {
    attempt("delete the image", async {
        let mut tx = db.begin().await?;
        run::change(&mut tx, run, ImageState::Deleted, "", at).await?;
        let amis = ami::delete_of_run(&mut tx, run).await?;
        let snapshots = snapshot::delete_unused(&mut tx).await?;
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
    use crate::run::Wanted;

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
        let run = run::find(db, Wanted::Build("web", gone.build)).await.unwrap();
        assert_eq!((run.state, run.ended_at), (ImageState::Deleted, Some(9_000_000)));
    }
}
