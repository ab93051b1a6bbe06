//! The jobs of a queue: each has a place from the moment at which its run is recorded, waits for
//! its turn, and leaves when it is done.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::End;
use name::RunId;
use store::run;
use tokio::sync::{Notify, Semaphore};

use super::{Limits, StartError, Started};
use crate::build::{Recorded, Stop, Why};
use crate::clock::now_micros;
use crate::{BuildError, Factory, Notice, Observer};

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) factory: Factory,
    pub(super) limits: Limits,
    pub(super) turns: Semaphore,
    pub(super) jobs: Mutex<Jobs>,
    /// Told whenever a job is done.
    pub(super) done: Notify,
}

#[derive(Debug, Default)]
pub(super) struct Jobs {
    pub(super) closed: bool,
    /// Runs that are being recorded.
    pub(super) begun: usize,
    pub(super) runs: HashMap<RunId, Job>,
}

/// What stops a job, whether it waits or works.
#[derive(Debug, Clone, Default)]
pub(super) struct Job {
    pub(super) stop: Stop,
    pub(super) asked: Arc<Notify>,
}

impl Jobs {
    pub(super) fn is_empty(&self) -> bool {
        self.begun == 0 && self.runs.is_empty()
    }
}

impl Job {
    pub(super) fn stop(&self, why: Why) {
        self.stop.ask(why);
        self.asked.notify_one();
    }
}

impl Shared {
    pub(super) fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn and carries the run out, unless it is stopped before.
    async fn perform(self: Arc<Self>, recorded: Recorded, job: Job) {
        let asked = Arc::clone(&job.asked);
        let _leaving = Leaving { shared: &self, run: recorded.run.id, asked };
        let turn = tokio::select! {
            biased;
            () = job.asked.notified() => None,
            turn = self.turns.acquire() => turn.ok(),
        };
        // Whatever fails is in the run's record by then, or the catalogue is
        // what failed: then the next start of the factory ends the run.
        let _ = match turn {
            Some(_turn) => {
                let observer = Arc::new(Nobody);
                self.factory.carry_out(recorded, observer, job.stop).await.map(drop)
            }
            None => {
                let End { state, reason } = job.stop.end();
                let run = recorded.run.id;
                let ended = run::advance(&self.factory.db, run, state, &reason, now_micros());
                ended.await.map_err(BuildError::from)
            }
        };
    }
}

/// A place in the queue that a run is being recorded for.
pub(super) struct Place<'a> {
    shared: &'a Arc<Shared>,
}

impl<'a> Place<'a> {
    pub(super) fn take(shared: &'a Arc<Shared>) -> Result<Self, StartError> {
        let mut jobs = shared.jobs();
        if jobs.closed {
            return Err(StartError::Closed);
        }
        if jobs.begun + jobs.runs.len() >= shared.limits.in_all {
            return Err(StartError::Full { limit: shared.limits.in_all });
        }
        jobs.begun += 1;
        Ok(Self { shared })
    }

    /// Has a run carried out that was recorded now, if it was.
    pub(super) fn begin(self, recorded: Result<Recorded, String>) -> Started {
        let recorded = match recorded {
            Ok(recorded) => recorded,
            Err(image) => return Started { image },
        };
        let image = recorded.image.clone();
        let shared = Arc::clone(self.shared);
        let job = self.fill(recorded.run.id);
        tokio::spawn(shared.perform(recorded, job));
        Started { image }
    }

    fn fill(self, run: RunId) -> Job {
        let job = Job::default();
        let mut jobs = self.shared.jobs();
        jobs.runs.insert(run, job.clone());
        if jobs.closed {
            // Closed while it was recorded: nobody else will stop it.
            job.stop(Why::Closing);
        }
        drop(jobs);
        job
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.shared.jobs().begun -= 1;
        self.shared.done.notify_waiters();
    }
}

/// Takes a run out of the queue when it is done, however that came.
pub(super) struct Leaving<'a> {
    pub(super) shared: &'a Shared,
    pub(super) run: RunId,
    pub(super) asked: Arc<Notify>,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        let mut jobs = self.shared.jobs();
        // The run has ended for all to see, and may be at its next attempt.
        if jobs.runs.get(&self.run).is_some_and(|job| Arc::ptr_eq(&job.asked, &self.asked)) {
            jobs.runs.remove(&self.run);
        }
        drop(jobs);
        self.shared.done.notify_waiters();
    }
}

/// Watches nothing: what happens is in the catalogue and the log.
struct Nobody;

impl Observer for Nobody {
    fn notice(&self, _: &Notice<'_>) {}
}
