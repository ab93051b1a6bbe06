//! The moment at which an image is there: its AMIs, the end of the step that published them and
//! the end of its run are one record.

use name::RunId;

use model::ImageState;

use super::change;
use crate::ami::{self, Registration};
use crate::error::attempt;
use crate::{Db, StepState, StoreError, step};

/// Registers what the step `ordinal` of a run published, and ends the step as `COMPLETED` and the
/// run, with its image, as `AVAILABLE`: all of it or nothing.
///
/// One transaction: whoever reads the store after a crash finds AMIs and an image that has them,
/// or neither. A name that is taken ([`crate::StoreErrorKind::DuplicateAmiName`]) and a run that
/// has ended meanwhile ([`crate::StoreErrorKind::Transition`]) leave no trace of any of it.
pub async fn publish(
    db: &Db,
    id: RunId,
    ordinal: u32,
    registrations: &[Registration],
    at: i64,
) -> Result<(), StoreError> {
    attempt("register the AMIs", async {
        let mut tx = db.begin().await?;
        ami::register(&mut tx, registrations).await?;
        step::settle(&mut tx, id, ordinal, StepState::Completed, "", at).await?;
        change(&mut tx, id, ImageState::Available, "", at).await?;
        Ok(tx.commit().await?)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Fixture, registration};
    use crate::run::{advance, list};
    use crate::{StoreErrorKind, snapshot};

    #[tokio::test]
    async fn an_image_is_available_as_soon_as_its_amis_are_there() {
        let fixture = Fixture::new().await;
        let db = &fixture.db;
        let run = fixture.run(1, "web").await.id;
        fixture.publish(run, &[registration(1, run, "local-1", "web")]).await;
        let found = list(db).await.unwrap().remove(0);
        assert_eq!((found.state, found.ended_at), (ImageState::Available, Some(9_000_000)));
        let step = step::list(db, run).await.unwrap().remove(0);
        assert_eq!((step.state, step.ended_at), (StepState::Completed, Some(9_000_000)));
        assert_eq!(ami::of_run(db, run).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_taken_name_registers_nothing() {
        let fixture = Fixture::new().await;
        let db = &fixture.db;
        let [first, second] = [fixture.run(1, "web").await.id, fixture.run(2, "web").await.id];
        fixture.publish(first, &[registration(1, first, "local-2", "web")]).await;

        // Free in the first region, taken in the second.
        let both = [("local-1", 2), ("local-2", 3)]
            .map(|(region, n)| registration(n, second, region, "web"));
        let error = fixture.try_publish(second, &both).await.unwrap_err();
        let StoreErrorKind::DuplicateAmiName { name, region } = error.kind() else {
            panic!("{error:?}")
        };
        assert_eq!((name.as_str(), region.as_str()), ("web", "local-2"));
        assert_eq!(ami::list(db).await.unwrap().len(), 1);
        assert_eq!(snapshot::list(db).await.unwrap().len(), 1);
        let found = list(db).await.unwrap().remove(0);
        assert_eq!((found.state, found.ended_at), (ImageState::Distributing, None));
        assert_eq!(step::list(db, second).await.unwrap()[0].state, StepState::Running);
    }

    #[tokio::test]
    async fn a_run_that_has_ended_publishes_nothing() {
        let fixture = Fixture::new().await;
        let db = &fixture.db;
        let run = fixture.run(1, "web").await.id;
        let step = step::NewStep {
            run,
            ordinal: 1,
            workflow: crate::Workflow::Distribution,
            action: "DistributeImage",
            label: "distribute",
            started_at: 1,
        };
        advance(db, run, ImageState::Failed, "it lost its process", 2).await.unwrap();
        step::start(db, &step).await.unwrap();
        let late = publish(db, run, 1, &[registration(1, run, "local-1", "web")], 3).await;
        let late = late.unwrap_err();
        assert!(matches!(late.kind(), StoreErrorKind::Transition { .. }), "{late:?}");
        assert_eq!(ami::list(db).await.unwrap(), []);
    }
}
