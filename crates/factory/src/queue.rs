//! Runs that were asked for and wait for their turn: recorded at once, carried out a few at a time.

mod job;

use std::sync::Arc;

use name::{Region, RunId};
use store::StoreError;
use store::client_token::Claim;
use store::image::{Image, New};
use tokio::sync::{Notify, Semaphore};

use crate::build::Why;
use crate::{BuildError, Factory, Order};

use job::{Job, Place, Shared};

/// How much is done at once, and how much may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Runs that are carried out at the same time, at least one.
    pub at_once: usize,
    /// Runs that are carried out or wait.
    pub in_all: usize,
}

impl Limits {
    /// Returns the limits of a machine with `cores`: a build keeps two of them busy.
    pub fn of_cores(cores: usize) -> Self {
        Self { at_once: (cores / 2).max(1), in_all: 1000 }
    }
}

/// Carries runs out, in the order in which they were asked for. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Queue {
    shared: Arc<Shared>,
}

/// A run that was recorded, now or when the request came first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The image build version's ARN.
    pub image: String,
}

/// A run could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// There are too many already.
    #[error("{limit} images are being built or wait for it, and no more may")]
    Full {
        /// How many may.
        limit: usize,
    },
    /// The queue was closed.
    #[error("the service is being stopped")]
    Closed,
    /// An AMI's name is fixed and taken, so that the build could only fail.
    #[error("the AMI name `{name}` is already in use in {region}")]
    TakenName {
        /// The name.
        name: String,
        /// The region.
        region: Region,
    },
    /// The names of AMIs could not be looked up.
    #[error("failed to look for the names of AMIs")]
    Store(#[from] StoreError),
    /// The run could not be recorded.
    #[error("failed to record the run")]
    Record(#[from] BuildError),
}

impl Queue {
    /// Returns an empty queue before `factory`.
    pub fn new(factory: Factory, limits: Limits) -> Self {
        let turns = Semaphore::new(limits.at_once.max(1));
        let (jobs, done) = (Default::default(), Notify::new());
        Self { shared: Arc::new(Shared { factory, limits, turns, jobs, done }) }
    }

    /// Records a run that will build `order`, and returns; the run goes on by itself.
    ///
    /// The image is `PENDING` until its turn comes.
    ///
    /// A request that was carried out before makes no second run.
    pub async fn start(
        &self,
        order: Order,
        shown: New,
        claim: &Claim,
    ) -> Result<Started, StartError> {
        let shared = &self.shared;
        let taken = shared.factory.taken_names(&shown.account, &order).await?;
        if let Some((region, name)) = taken.into_iter().next() {
            return Err(StartError::TakenName { name, region });
        }
        let place = Place::take(shared)?;
        let recorded = shared.factory.record_once(order, shown, claim).await?;
        Ok(place.begin(recorded))
    }

    /// Records that a failed or cancelled image will be built once more, as
    /// `order`, and returns; the image keeps its ARN and is `PENDING` again.
    ///
    /// A request that was carried out before makes no other attempt.
    pub async fn retry(
        &self,
        order: Order,
        image: &Image,
        claim: &Claim,
    ) -> Result<Started, StartError> {
        let shared = &self.shared;
        let taken = shared.factory.taken_names(&image.account, &order).await?;
        if let Some((region, name)) = taken.into_iter().next() {
            return Err(StartError::TakenName { name, region });
        }
        let place = Place::take(shared)?;
        let recorded = shared.factory.record_retry(order, image, claim).await?;
        Ok(place.begin(recorded))
    }

    /// Asks a run to stop; returns whether it was one of this queue's that had not ended.
    ///
    /// It is `CANCELLED` soon after, and nothing of it is left.
    pub fn cancel(&self, run: RunId) -> bool {
        let job = self.shared.jobs().runs.get(&run).cloned();
        job.map(|job| job.stop(Why::Cancelled)).is_some()
    }

    /// Takes no more runs, ends those there are as `FAILED` with that reason, and returns when
    /// the last has ended.
    pub async fn close(&self) {
        let jobs: Vec<Job> = {
            let mut jobs = self.shared.jobs();
            jobs.closed = true;
            jobs.runs.values().cloned().collect()
        };
        for job in jobs {
            job.stop(Why::Closing);
        }
        self.idle().await;
    }

    /// Returns when no run is under way or waits.
    pub async fn idle(&self) {
        loop {
            let done = self.shared.done.notified();
            tokio::pin!(done);
            // From here on no end is missed.
            done.as_mut().enable();
            if self.shared.jobs().is_empty() {
                return;
            }
            done.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use model::ImageState;
    use serde_json::json;
    use store::{image, run};

    use super::job::Leaving;
    use super::*;
    use crate::Settings;

    /// A queue whose one turn is taken, so that whatever comes waits.
    struct Waiting {
        queue: Queue,
        _data: tempfile::TempDir,
    }

    impl Waiting {
        async fn new() -> Self {
            let data = tempfile::tempdir().unwrap();
            let agent = data.path().join("agent");
            std::fs::write(&agent, "agent").unwrap();
            let settings = Settings {
                data: data.path().join("data"),
                agent,
                region: "local-1".parse().unwrap(),
            };
            std::fs::create_dir(&settings.data).unwrap();
            let (factory, _) = Factory::open(settings).await.unwrap();
            let queue = Queue::new(factory, Limits { at_once: 1, in_all: 2 });
            queue.shared.turns.forget_permits(1);
            Self { queue, _data: data }
        }

        async fn start(&self, token: &str) -> Result<Started, StartError> {
            let order = Order::of_catalogue(&project(), &[]).unwrap();
            let claim = claim("CreateImage", token);
            let shown = New::of(claim.account.clone(), claim.region.clone(), "Web");
            self.queue.start(order, shown, &claim).await
        }

        async fn states(&self) -> Vec<(ImageState, String)> {
            let mut runs = run::list(&self.queue.shared.factory.db).await.unwrap();
            runs.sort_by_key(|run| run.build);
            runs.into_iter().map(|run| (run.state, run.reason)).collect()
        }
    }

    fn project() -> serde_json::Value {
        json!({
            "recipe": {
                "name": "Web",
                "semanticVersion": "1.0.0",
                "parentImage": "ami-00000000000000001",
            },
            "distributions": [{ "region": "local-1" }],
        })
    }

    fn claim(operation: &'static str, token: &str) -> Claim {
        Claim {
            account: "123456789012".parse().unwrap(),
            region: "local-1".parse().unwrap(),
            operation,
            token: token.to_owned(),
            digest: name::Digest::of(b""),
            at: 1_000_000,
        }
    }

    #[test]
    fn a_build_has_two_cores() {
        let at_once = |cores| Limits::of_cores(cores).at_once;
        assert_eq!([0, 1, 2, 3, 4, 16].map(at_once), [1, 1, 1, 1, 2, 8]);
    }

    #[tokio::test]
    async fn runs_wait_and_can_be_cancelled_while_they_do() {
        let waiting = Waiting::new().await;
        let first = waiting.start("a").await.unwrap();
        assert_eq!(first.image, "arn:aws:imagebuilder:local-1:123456789012:image/web/1.0.0/1");
        assert_eq!(waiting.start("a").await.unwrap(), first);
        let second = waiting.start("b").await.unwrap();
        let full = waiting.start("c").await.unwrap_err().to_string();
        assert_eq!(full, "2 images are being built or wait for it, and no more may");
        let pending = (ImageState::Pending, String::new());
        assert_eq!(waiting.states().await, [pending.clone(), pending]);
        assert!(second.image.ends_with("/2"));

        for run in run::list(&waiting.queue.shared.factory.db).await.unwrap() {
            assert!(waiting.queue.cancel(run.id));
        }
        waiting.queue.idle().await;
        let cancelled = (ImageState::Cancelled, "cancelled".to_owned());
        assert_eq!(waiting.states().await, [cancelled.clone(), cancelled]);
        assert!(!waiting.queue.cancel(RunId::from_random([1; 8])));
        waiting.start("d").await.unwrap();
    }

    #[tokio::test]
    async fn a_cancelled_run_is_retried_under_its_arn() {
        let waiting = Waiting::new().await;
        let first = waiting.start("a").await.unwrap();
        let db = &waiting.queue.shared.factory.db;
        let run = run::list(db).await.unwrap().remove(0).id;
        waiting.queue.cancel(run);
        waiting.queue.idle().await;
        let image = image::of_run(db, run).await.unwrap();
        for _ in 0..2 {
            let order = Order::of_catalogue(&project(), &[]).unwrap();
            let again = waiting.queue.retry(order, &image, &claim("RetryImage", "b")).await;
            assert_eq!(again.unwrap(), first);
        }
        assert_eq!(waiting.states().await, [(ImageState::Pending, String::new())]);
        assert_eq!(image::of_run(db, run).await.unwrap().plan.as_array().unwrap().len(), 10);
        assert!(waiting.queue.cancel(run));
    }

    /// A run is retried as soon as the catalogue has its end, which is before its job is done.
    #[tokio::test]
    async fn the_end_of_an_attempt_leaves_the_next_one_alone() {
        let waiting = Waiting::new().await;
        waiting.start("a").await.unwrap();
        let shared = &waiting.queue.shared;
        let run = run::list(&shared.factory.db).await.unwrap().remove(0).id;
        drop(Leaving { shared, run, asked: Arc::default() });
        assert!(waiting.queue.cancel(run));
    }

    #[tokio::test]
    async fn a_closed_queue_ends_its_runs_and_takes_no_more() {
        let waiting = Waiting::new().await;
        waiting.start("a").await.unwrap();
        waiting.queue.close().await;
        let reason = "the service was stopped before the build had ended";
        assert_eq!(waiting.states().await, [(ImageState::Failed, reason.to_owned())]);
        assert!(matches!(waiting.start("b").await, Err(StartError::Closed)));
    }

    #[tokio::test]
    async fn what_was_cancelled_before_the_queue_was_closed_is_cancelled() {
        let waiting = Waiting::new().await;
        waiting.start("a").await.unwrap();
        let run = run::list(&waiting.queue.shared.factory.db).await.unwrap().remove(0).id;
        assert!(waiting.queue.cancel(run));
        waiting.queue.close().await;
        let cancelled = (ImageState::Cancelled, "cancelled".to_owned());
        assert_eq!(waiting.states().await, [cancelled]);
    }

    #[tokio::test]
    async fn the_plan_of_a_run_is_shown_before_it_begins() {
        let waiting = Waiting::new().await;
        waiting.start("a").await.unwrap();
        let db = &waiting.queue.shared.factory.db;
        let run = run::list(db).await.unwrap().remove(0);
        let plan = image::of_run(db, run.id).await.unwrap().plan;
        let labels: Vec<&str> =
            plan.as_array().unwrap().iter().map(|step| step["label"].as_str().unwrap()).collect();
        assert_eq!(
            labels,
            [
                "base ami-00000000000000001",
                "create image",
                "boot",
                "verify image",
                "distribute to local-1"
            ]
        );
    }
}
