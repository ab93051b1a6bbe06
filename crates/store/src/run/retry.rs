//! Another attempt at an image that came to nothing, by the run that failed to make it.

use serde_json::Value;

use name::RunId;

use super::{Run, arn};
use crate::client_token::{self, Claim};
use crate::error::attempt;
use crate::{Db, StoreError, StoreErrorKind, image};

/// What became of a request to retry a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Retried {
    /// The run is `PENDING` again.
    Now {
        /// The run.
        run: Box<Run>,
        /// How many steps its earlier attempts had, those that were never begun among them.
        steps_before: u32,
    },
    /// The request had been carried out before, and was answered so.
    Before(String),
}

/// Begins a run that failed or was cancelled once more: it makes the same image build version.
///
/// One transaction with the client's token. `steps`, those of the new attempt,
/// follow the earlier ones in what is shown of the run, and are numbered on
/// from them; what the earlier attempts made is forgotten. The run must be of
/// the account and region that `claim` names. One that stands elsewhere is
/// refused with [`StoreErrorKind::Transition`].
pub async fn retry_once(
    db: &Db,
    id: RunId,
    owner: &str,
    steps: Vec<Value>,
    claim: &Claim,
) -> Result<Retried, StoreError> {
    attempt("record the retry", async {
        let mut tx = db.begin().await?;
        if let Some(answer) = client_token::find(&mut *tx, claim).await? {
            return Ok(Retried::Before(answer));
        }
        let row = sqlx::query("SELECT * FROM run WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(&mut *tx)
            .await?;
        let row = row.ok_or_else(|| StoreErrorKind::Missing { what: id.to_string() })?;
        let run = Run::read(row)?;
        let state = run.state.retry();
        let state = state.map_err(|source| StoreErrorKind::Transition { run: id, source })?;
        sqlx::query(
            "UPDATE run SET state = $2, reason = '', owner = $3, started_at = $4, ended_at = NULL
              WHERE id = $1",
        )
        .bind(id.to_string())
        .bind(state.as_str())
        .bind(owner)
        .bind(claim.at)
        .execute(&mut *tx)
        .await?;
        sqlx::query("DELETE FROM artefact WHERE run_id = $1")
            .bind(id.to_string())
            .execute(&mut *tx)
            .await?;
        let steps_before = image::plan_again(&mut tx, id, steps).await?;
        client_token::record(&mut tx, claim, &arn(&run)?).await?;
        tx.commit().await?;
        let run = Run {
            state,
            reason: String::new(),
            owner: owner.to_owned(),
            started_at: claim.at,
            ended_at: None,
            ..run
        };
        Ok(Retried::Now { run: Box::new(run), steps_before })
    })
    .await
}

#[cfg(test)]
mod tests {
    use model::ImageState;

    use super::*;
    use crate::fixture::{Fixture, owner};
    use crate::run::{advance, list};

    #[tokio::test]
    async fn a_retried_run_goes_on_under_its_number() {
        let fixture = Fixture::new().await;
        let db = &fixture.db;
        let run = fixture.run(1, "web").await.id;
        let claim = |token: &str| Claim {
            account: "000000000000".parse().unwrap(),
            region: "local-1".parse().unwrap(),
            operation: "RetryImage",
            token: token.to_owned(),
            digest: name::Digest::of(b""),
            at: 1_000_000,
        };
        let steps =
            || vec![serde_json::json!({"label": "one"}), serde_json::json!({"label": "two"})];
        let retry = async |token| retry_once(db, run, &owner(8), steps(), &claim(token)).await;
        let refused = async |token| {
            let error = retry(token).await.unwrap_err();
            assert!(matches!(error.kind(), StoreErrorKind::Transition { .. }), "{error:?}");
        };
        refused("a").await;
        let mut before = 0;
        for token in ["a", "b"] {
            advance(db, run, ImageState::Failed, "broken", 3).await.unwrap();
            let Retried::Now { run: again, steps_before } = retry(token).await.unwrap() else {
                panic!("the request is new");
            };
            assert_eq!(list(db).await.unwrap()[0], *again);
            assert_eq!((again.build.build, again.ended_at, again.owner), (1, None, owner(8)));
            assert_eq!(steps_before, before);
            let arn = "arn:aws:imagebuilder:local-1:000000000000:image/web/1.0.0/1".to_owned();
            assert_eq!(retry(token).await.unwrap(), Retried::Before(arn));
            before += 2;
        }
        let plan = image::of_run(db, run).await.unwrap().plan;
        let attempts =
            plan.as_array().unwrap().iter().map(|step| step["attempt"].as_u64().unwrap());
        assert_eq!(attempts.collect::<Vec<_>>(), [2, 2, 3, 3]);
        for end in [ImageState::Distributing, ImageState::Available] {
            advance(db, run, end, "", 9).await.unwrap();
        }
        refused("c").await;
    }
}
