//! The steps of runs: what was begun, how it ended and how long it took.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, Transaction};

use name::RunId;

use crate::column::{number, text};
use crate::error::attempt;
use crate::{Db, StepState, StoreError, StoreErrorKind, Workflow};

/// A step of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The run.
    pub run: RunId,
    /// Its place in the run, counted from 1.
    pub ordinal: u32,
    /// The workflow it belongs to.
    pub workflow: Workflow,
    /// The step action, such as `ExecuteComponents`.
    pub action: String,
    /// What people see; equal in every run of the same recipe.
    pub label: String,
    /// Where it is.
    pub state: StepState,
    /// Why it failed or was skipped; empty otherwise.
    pub message: String,
    /// When it began, in microseconds.
    pub started_at: i64,
    /// When it ended, in microseconds.
    pub ended_at: Option<i64>,
}

/// A step that is about to run.
#[derive(Debug, Clone)]
pub struct NewStep<'a> {
    /// The run.
    pub run: RunId,
    /// Its place in the run, counted from 1.
    pub ordinal: u32,
    /// The workflow it belongs to.
    pub workflow: Workflow,
    /// The step action, such as `ExecuteComponents`.
    pub action: &'a str,
    /// What people see; equal in every run of the same recipe.
    pub label: &'a str,
    /// The time, in microseconds.
    pub started_at: i64,
}

/// Records that a step is about to run.
///
/// Call it before the step does anything: after a crash, a step without a
/// record has not begun.
pub async fn start(db: &Db, step: &NewStep<'_>) -> Result<(), StoreError> {
    attempt("record the step", async {
        sqlx::query(
            "INSERT INTO step (run_id, ordinal, workflow, action, label, state, message,
                               started_at)
             VALUES ($1, $2, $3, $4, $5, $6, '', $7)",
        )
        .bind(step.run.to_string())
        .bind(i64::from(step.ordinal))
        .bind(step.workflow.as_str())
        .bind(step.action)
        .bind(step.label)
        .bind(StepState::Running.as_str())
        .bind(step.started_at)
        .execute(db.writer())
        .await?;
        Ok(())
    })
    .await
}

/// Records how a running step ended.
///
/// A step ends once: a second end is refused with [`StoreErrorKind::Missing`].
pub async fn end(
    db: &Db,
    run: RunId,
    ordinal: u32,
    state: StepState,
    message: &str,
    ended_at: i64,
) -> Result<(), StoreError> {
    attempt("record the step's end", async {
        let mut tx = db.begin().await?;
        settle(&mut tx, run, ordinal, state, message, ended_at).await?;
        Ok(tx.commit().await?)
    })
    .await
}

/// Records how a running step ended, inside a transaction.
pub(crate) async fn settle(
    tx: &mut Transaction<'_, Sqlite>,
    run: RunId,
    ordinal: u32,
    state: StepState,
    message: &str,
    ended_at: i64,
) -> Result<(), StoreErrorKind> {
    let done = sqlx::query(
        "UPDATE step SET state = $3, message = $4, ended_at = $5
          WHERE run_id = $1 AND ordinal = $2 AND ended_at IS NULL",
    )
    .bind(run.to_string())
    .bind(i64::from(ordinal))
    .bind(state.as_str())
    .bind(message)
    .bind(ended_at)
    .execute(&mut **tx)
    .await?;
    match done.rows_affected() {
        1 => Ok(()),
        _ => Err(StoreErrorKind::Missing { what: format!("running step {ordinal} of {run}") }),
    }
}

/// Returns a run's steps in order.
pub async fn list(db: &Db, run: RunId) -> Result<Vec<Step>, StoreError> {
    attempt("list the run's steps", async {
        let rows = sqlx::query("SELECT * FROM step WHERE run_id = $1 ORDER BY ordinal")
            .bind(run.to_string())
            .fetch_all(db.pool())
            .await?;
        rows.into_iter().map(Step::read).collect()
    })
    .await
}

/// Returns how many seconds a step of an image takes: the median of its last five successes.
pub async fn typical_seconds(db: &Db, image: &str, label: &str) -> Result<Option<f64>, StoreError> {
    attempt("read the durations of earlier steps", async {
        let micros = sqlx::query_scalar(
            "SELECT step.ended_at - step.started_at
               FROM step JOIN run ON run.id = step.run_id
              WHERE run.image = $1 AND step.label = $2 AND step.state = $3
              ORDER BY step.ended_at DESC LIMIT 5",
        )
        .bind(image)
        .bind(label)
        .bind(StepState::Completed.as_str())
        .fetch_all(db.pool())
        .await?;
        Ok(median(micros).map(|micros| micros / 1e6))
    })
    .await
}

/// Ends all running steps of a run as `CANCELLED`, inside a transaction.
pub(crate) async fn cancel_all(
    tx: &mut Transaction<'_, Sqlite>,
    run: RunId,
    ended_at: i64,
) -> Result<(), StoreErrorKind> {
    sqlx::query("UPDATE step SET state = $2, ended_at = $3 WHERE run_id = $1 AND ended_at IS NULL")
        .bind(run.to_string())
        .bind(StepState::Cancelled.as_str())
        .bind(ended_at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

fn median(mut values: Vec<i64>) -> Option<f64> {
    values.sort_unstable();
    let upper = values.len() / 2;
    let lower = values.len().checked_sub(1)? / 2;
    Some((values[lower] as f64 + values[upper] as f64) / 2.0)
}

impl Step {
    fn read(row: SqliteRow) -> Result<Self, StoreErrorKind> {
        Ok(Self {
            run: text(&row, "run_id")?,
            ordinal: number(&row, "ordinal")?,
            workflow: text(&row, "workflow")?,
            action: row.try_get("action")?,
            label: row.try_get("label")?,
            state: text(&row, "state")?,
            message: row.try_get("message")?,
            started_at: row.try_get("started_at")?,
            ended_at: row.try_get("ended_at")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3]), Some(3.0));
        assert_eq!(median(vec![9, 2]), Some(5.5));
        assert_eq!(median(vec![100, 1, 3]), Some(3.0));
    }

    fn nginx(run: RunId, ordinal: u32, started_at: i64) -> NewStep<'static> {
        let (workflow, action, label) = (Workflow::Build, "ExecuteComponents", "nginx");
        NewStep { run, ordinal, workflow, action, label, started_at }
    }

    #[tokio::test]
    async fn steps_come_back_in_order_and_end_once() {
        let fixture = Fixture::new().await;
        let run = fixture.run(1, "web").await.id;
        start(&fixture.db, &nginx(run, 2, 20)).await.unwrap();
        start(&fixture.db, &nginx(run, 1, 10)).await.unwrap();
        end(&fixture.db, run, 1, StepState::Failed, "exit code 1", 15).await.unwrap();
        let steps = list(&fixture.db, run).await.unwrap();
        assert_eq!(steps.iter().map(|step| step.ordinal).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(
            steps[0],
            Step {
                run,
                ordinal: 1,
                workflow: Workflow::Build,
                action: "ExecuteComponents".to_owned(),
                label: "nginx".to_owned(),
                state: StepState::Failed,
                message: "exit code 1".to_owned(),
                started_at: 10,
                ended_at: Some(15),
            }
        );
        let again = end(&fixture.db, run, 1, StepState::Completed, "", 16).await.unwrap_err();
        assert!(matches!(again.kind(), StoreErrorKind::Missing { .. }), "{again:?}");
        let foreign = start(&fixture.db, &nginx(RunId::from_random([9; 8]), 1, 0)).await;
        assert!(matches!(foreign.unwrap_err().kind(), StoreErrorKind::Database(_)));
    }

    #[tokio::test]
    async fn estimates_are_the_median_of_the_last_five_successes() {
        let fixture = Fixture::new().await;
        let db = &fixture.db;
        let web = fixture.run(1, "web").await.id;
        assert_eq!(typical_seconds(db, "web", "nginx").await.unwrap(), None);
        let seconds = [90, 80, 5, 1, 2, 3, 4];
        for (n, seconds) in (1..).zip(seconds) {
            let began = i64::from(n) * 1_000_000_000;
            start(db, &nginx(web, n, began)).await.unwrap();
            let ended = began + seconds * 1_000_000;
            // A failure is quick and says nothing about how long success takes.
            let state = if seconds == 1 { StepState::Failed } else { StepState::Completed };
            end(db, web, n, state, "", ended).await.unwrap();
        }
        assert_eq!(typical_seconds(db, "web", "nginx").await.unwrap(), Some(4.0));
        assert_eq!(typical_seconds(db, "web", "other").await.unwrap(), None);
        assert_eq!(typical_seconds(db, "mail", "nginx").await.unwrap(), None);
    }
}
