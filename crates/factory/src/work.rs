//! A build under way: its steps are carried out in the order that the engine says, and recorded.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use engine::{Command, End};
use instance::sandbox::Sandbox;
use instance::vm::Machine;
use model::{BuildFacts, ImageState};
use name::{Account, Digest};
use plan::{Action, Plan};
use store::step::NewStep;
use store::{StepState, Workflow, run, step};
use tokio::runtime::Handle;

use crate::bases;
use crate::build::{BuildError, Recorded, Stop};
use crate::clock::{build_time, instant, now_micros};
use crate::log::Log;
use crate::order::LoadedComponent;
use crate::teller::{Teller, Watch};
use crate::{
    Cause, Factory, Failure, Notice, Observer, Order, PlannedStep, Report, StepReport, action,
    recover,
};

/// A build under way.
pub(crate) struct Work<'a> {
    pub(crate) factory: &'a Factory,
    pub(crate) order: &'a Order,
    pub(crate) run: &'a run::Run,
    /// Whose the image will be.
    pub(crate) account: &'a Account,
    /// The build's folder below the data folder.
    pub(crate) folder: PathBuf,
    pub(crate) facts: BuildFacts,
    pub(crate) cancel: &'a AtomicBool,
    pub(crate) handle: Handle,
    pub(crate) base: Option<base::Receipt>,
    pub(crate) sandbox: Option<Sandbox>,
    pub(crate) artefact: Option<Artefact>,
    pub(crate) machine: Option<Machine>,
    /// When the tests must be over.
    pub(crate) deadline: Option<Instant>,
    /// The place in the catalogue of the step that is carried out.
    pub(crate) ordinal: u32,
    pub(crate) report: Report,
    plan: &'a Plan,
    steps_before: u32,
    stop: &'a Stop,
    /// Keeps the base at hand.
    _bases: File,
    teller: Teller<'a>,
    began: Instant,
}

/// The disk that the build made.
#[derive(Debug, Clone)]
pub(crate) struct Artefact {
    /// The raw image, relative to the data folder.
    pub(crate) disk: PathBuf,
    /// What it holds.
    pub(crate) digest: Digest,
}

impl<'a> Work<'a> {
    pub(crate) fn begin(
        factory: &'a Factory,
        recorded: &'a Recorded,
        observer: &'a dyn Observer,
        stop: &'a Stop,
        handle: Handle,
    ) -> Result<Self, BuildError> {
        let Recorded { run, image, account, order, plan, steps_before } = recorded;
        let log = Log::create(factory.cells.data(), &run.work)?;
        let facts = BuildFacts { time: build_time(now_micros()), version: run.build };
        let report = Report {
            image: image.clone(),
            run: run.id.to_string(),
            state: run.state.as_str().to_owned(),
            failure: None,
            digest: None,
            disk_bytes: None,
            data_bytes: None,
            boot_seconds: None,
            amis: Vec::new(),
            cases: Vec::new(),
            steps: Vec::new(),
            seconds: 0.0,
        };
        let folder = Path::new(recover::WORK).join(&run.work);
        {
            let _lock = recover::lock_work(factory.cells.data()).map_err(BuildError::Folder)?;
            factory.cells.make_folder(&folder).map_err(BuildError::Folder)?;
        }
        let bases = bases::hold(factory.cells.data()).map_err(BuildError::Folder)?;
        let teller = Teller::new(observer, log);
        Ok(Self {
            factory,
            order,
            run,
            account,
            folder,
            facts,
            cancel: &stop.cancel,
            handle,
            base: None,
            sandbox: None,
            artefact: None,
            machine: None,
            deadline: None,
            ordinal: *steps_before,
            report,
            plan,
            steps_before: *steps_before,
            stop,
            _bases: bases,
            teller,
            began: instant(),
        })
    }

    /// Carries the run out to its end, which is in the catalogue when this returns.
    pub(crate) fn carry_out(mut self) -> Result<Report, BuildError> {
        let end = self.advance();
        self.release();
        match end {
            // The AMIs and the end of the run are one record.
            Ok(end) if self.is_published() => self.report.state = end.state.as_str().to_owned(),
            Ok(end) => {
                let stopped = end.state == ImageState::Cancelled;
                let End { state, reason } = if stopped { self.stop.end() } else { end };
                self.enter(state, &reason)?;
            }
            Err(error) => {
                // If records failed for want of room, there is some again.
                let reason = Failure::of(Cause::Factory, &error).reason();
                self.enter(ImageState::Failed, &reason)?;
                return Err(error);
            }
        }
        self.report.cases = self.teller.cases();
        self.report.seconds = self.began.elapsed().as_secs_f64();
        Ok(self.report)
    }

    /// Says whether the image is in the catalogue for others to use: nothing fails it any more.
    fn is_published(&self) -> bool {
        !self.report.amis.is_empty()
    }

    /// Does what the engine says until it says how the run ends.
    fn advance(&mut self) -> Result<End, BuildError> {
        let steps = self.planned_steps()?;
        let (image, id) = (self.report.image.clone(), self.report.run.clone());
        self.teller.notice(&Notice::Begun { image: &image, run: &id, steps: &steps });
        let mut run = engine::Run::new(self.plan);
        let mut commands = run.advance(engine::Event::Begun);
        loop {
            let mut settled = None;
            for command in std::mem::take(&mut commands) {
                match command {
                    Command::Enter(state) => self.enter(state, "")?,
                    Command::Perform(step) => settled = Some((step, self.perform(step)?)),
                    Command::Finish(end) => return Ok(end),
                }
            }
            let Some((step, result)) = settled else {
                // The engine always answers with a step or an end.
                unreachable!("a run in progress has a step to perform");
            };
            commands = match result {
                Err(failure) if failure.cause == Cause::Cancelled => {
                    self.report.failure = Some(*failure);
                    run.advance(engine::Event::CancelAsked)
                }
                Err(failure) => {
                    let reason = failure.reason();
                    self.report.failure = Some(*failure);
                    run.advance(engine::Event::Settled { step, result: Err(reason) })
                }
                Ok(()) => run.advance(engine::Event::Settled { step, result: Ok(()) }),
            };
        }
    }

    /// Ends the build's processes and removes its folder.
    fn release(&mut self) {
        // Processes first, then what they had open.
        self.machine = None;
        self.sandbox = None;
        // After a failure it is gone already.
        if self.factory.cells.data().join(&self.folder).exists() {
            // What is left is told, and tried again, when the factory is next opened.
            let _left = recover::remove(&self.factory.cells, vec![self.folder.clone()]);
        }
    }

    fn planned_steps(&self) -> Result<Vec<PlannedStep>, BuildError> {
        let mut planned = Vec::new();
        for step in self.plan.steps() {
            let typical = step::typical_seconds(&self.factory.db, &self.run.image, &step.label);
            let estimate = self.handle.block_on(typical)?.map(Duration::from_secs_f64);
            planned.push(PlannedStep { label: step.label.clone(), estimate });
        }
        Ok(planned)
    }

    fn enter(&mut self, state: ImageState, reason: &str) -> Result<(), BuildError> {
        let recorded = run::advance(&self.factory.db, self.run.id, state, reason, now_micros());
        self.handle.block_on(recorded)?;
        self.report.state = state.as_str().to_owned();
        Ok(())
    }

    /// Records a step, carries it out and records how it ended.
    fn perform(&mut self, n: usize) -> Result<Result<(), Box<Failure>>, BuildError> {
        let step = self.plan.steps()[n].clone();
        self.ordinal = self.steps_before + n as u32 + 1;
        let new = NewStep {
            run: self.run.id,
            ordinal: self.ordinal,
            workflow: match step.workflow {
                plan::Workflow::Build => Workflow::Build,
                plan::Workflow::Test => Workflow::Test,
                plan::Workflow::Distribution => Workflow::Distribution,
            },
            action: step.action.as_str(),
            label: &step.label,
            started_at: now_micros(),
        };
        self.handle.block_on(step::start(&self.factory.db, &new))?;
        self.teller.begin(n, &step.label);
        let began = instant();
        let result = if self.cancel.load(Ordering::Acquire) {
            Err(cancelled())
        } else {
            match &step.action {
                Action::PrepareBase => action::prepare_base(self),
                Action::BuildComponent(n) => action::build_component(self, *n),
                Action::CreateImage => action::create_image(self),
                Action::LaunchTest => action::launch_test(self),
                Action::TestComponent(n) => action::test_component(self, *n),
                Action::VerifyImage => action::verify_image(self),
                Action::Distribute => action::distribute(self),
            }
        };
        let took = began.elapsed();
        let result = match result {
            // What a cancelled step says of its own end is a consequence.
            Err(_) if self.cancel.load(Ordering::Acquire) => Err(cancelled()),
            other => other,
        };
        if result.is_err() {
            // Nothing comes after a failure, and on a full disk there is no
            // room to record it before this.
            self.release();
        }
        if step.workflow == plan::Workflow::Test {
            let (db, tests) = (&self.factory.db, self.teller.tests());
            self.handle.block_on(store::artefact::set_tests(db, self.run.id, &tests))?;
        }
        self.settle(&result)?;
        let log_error = self.teller.log_error();
        let result = match (result, &log_error) {
            // Too late to fail for it.
            (Ok(outcome), Some(error)) if self.is_published() => Ok(format!(
                "{outcome}; the log is incomplete: {}",
                Failure::of(Cause::Factory, error)
            )),
            (result, _) => result,
        };
        let seconds = took.as_secs_f64();
        self.report.steps.push(StepReport { label: step.label, seconds });
        self.teller.notice(&Notice::StepEnded {
            step: n,
            took,
            outcome: result.as_deref().unwrap_or_default(),
            failure: result.as_ref().err().map(Box::as_ref),
        });
        match log_error {
            // A failure says more than that the log of it is incomplete.
            Some(error) if result.is_ok() && !self.is_published() => Err(error.into()),
            Some(_) | None => Ok(result.map(drop)),
        }
    }

    /// Records how the step that was carried out ended.
    fn settle(&self, result: &Result<String, Box<Failure>>) -> Result<(), BuildError> {
        let (state, message) = match result {
            // The AMIs and the end of the step are one record.
            Ok(_) if self.is_published() => return Ok(()),
            Ok(_) => (StepState::Completed, String::new()),
            Err(failure) if failure.cause == Cause::Cancelled => {
                (StepState::Cancelled, failure.reason())
            }
            Err(failure) => (StepState::Failed, failure.reason()),
        };
        let (db, run) = (&self.factory.db, self.run.id);
        let ended = step::end(db, run, self.ordinal, state, &message, now_micros());
        Ok(self.handle.block_on(ended)?)
    }

    /// Returns a component of the recipe.
    pub(crate) fn component(&self, n: usize) -> &'a LoadedComponent {
        &self.order.components[n]
    }

    /// Returns what passes a component's events on.
    pub(crate) fn teller(&self) -> &Teller<'a> {
        &self.teller
    }

    /// Returns what an instance reports to while it works on `component`.
    pub(crate) fn watch<'b>(&'b self, component: &'b str) -> Watch<'b> {
        Watch { teller: &self.teller, cancel: self.cancel, deadline: self.deadline, component }
    }
}

fn cancelled() -> Box<Failure> {
    Failure::plain(Cause::Cancelled, "the build was cancelled".to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::sync::{Arc, Mutex};

    use tokio::runtime::Runtime;

    use super::*;
    use crate::fixture;

    /// A factory, and a run of it that comes to its last step.
    struct Setting {
        runtime: Runtime,
        factory: Factory,
        recorded: Recorded,
        told: Arc<Told>,
        _data: tempfile::TempDir,
    }

    #[derive(Default)]
    struct Told(Mutex<Vec<String>>);

    impl Observer for Told {
        fn notice(&self, notice: &Notice<'_>) {
            if let Notice::StepEnded { outcome, .. } = notice {
                self.0.lock().unwrap().push((*outcome).to_owned());
            }
        }
    }

    impl Setting {
        fn new(order: Order) -> Self {
            let runtime = Runtime::new().unwrap();
            let data = tempfile::tempdir().unwrap();
            let factory = runtime.block_on(fixture::factory(data.path()));
            let account = "123456789012".parse().unwrap();
            let recorded = runtime.block_on(factory.record(account, order)).unwrap();
            Self { runtime, factory, recorded, told: Arc::default(), _data: data }
        }

        /// Carries a step out on a disk that was made before, as far as it goes before anything
        /// else is done.
        fn perform(&self, state: ImageState, action: &Action) -> Result<(), Box<Failure>> {
            let (stop, handle) = (Stop::default(), self.runtime.handle().clone());
            let mut work =
                Work::begin(&self.factory, &self.recorded, &*self.told, &stop, handle).unwrap();
            work.enter(state, "").unwrap();
            let disk = work.folder.join("disk.raw");
            let path = self.factory.cells.data().join(&disk);
            fs::write(&path, vec![0; 1 << 20]).unwrap();
            let mut watch = publish::Watch { progress: &mut |_| (), cancel: work.cancel };
            let digest = publish::disk_digest(&fs::File::open(path).unwrap(), &mut watch).unwrap();
            let (run, size, tests) = (work.run.id, 1 << 20, serde_json::Value::Null);
            let made = store::artefact::Artefact { run, digest, size, tests, made_at: 1 };
            self.runtime.block_on(store::artefact::put(&self.factory.db, &made)).unwrap();
            work.artefact = Some(Artefact { disk, digest });
            let n = work.plan.steps().iter().position(|step| step.action == *action).unwrap();
            work.perform(n).unwrap()
        }

        fn publish(&self) -> Result<(), Box<Failure>> {
            self.perform(ImageState::Distributing, &Action::Distribute)
        }

        /// Returns how the catalogue has it: the image's state, its last step's, and its AMIs.
        fn kept(&self) -> (ImageState, StepState, usize) {
            let db = &self.factory.db;
            self.runtime.block_on(async {
                let run = run::list(db).await.unwrap().remove(0);
                let step = step::list(db, run.id).await.unwrap().pop().unwrap();
                (run.state, step.state, store::ami::of_run(db, run.id).await.unwrap().len())
            })
        }
    }

    /// Promise 1 the other way round: what is published is never called failed, whenever the
    /// factory is killed.
    #[test]
    fn an_image_is_available_from_the_moment_its_amis_are_there() {
        let setting = Setting::new(fixture::order());
        setting.publish().unwrap();
        assert_eq!(setting.kept(), (ImageState::Available, StepState::Completed, 2));
    }

    #[test]
    fn an_image_that_is_published_does_not_fail_for_its_log() {
        let setting = Setting::new(fixture::order());
        let log = setting.factory.cells.data().join("logs").join(&setting.recorded.run.work);
        fs::create_dir_all(&log).unwrap();
        symlink("/dev/full", log.join("log.jsonl")).unwrap();
        setting.publish().unwrap();
        assert_eq!(setting.kept(), (ImageState::Available, StepState::Completed, 2));
        let told = setting.told.0.lock().unwrap();
        assert!(told[0].contains("; the log is incomplete: failed to keep the log"), "{told:?}");
        assert!(told[0].ends_with("No space left on device (os error 28)"), "{told:?}");
    }

    #[test]
    fn what_tests_said_is_kept_with_what_they_tested() {
        let mut order = fixture::order();
        order.project.tests.enabled = true;
        let setting = Setting::new(order);
        setting.perform(ImageState::Testing, &Action::VerifyImage).unwrap();
        let kept = store::artefact::get(&setting.factory.db, setting.recorded.run.id);
        let kept = setting.runtime.block_on(kept).unwrap().unwrap();
        assert_eq!(kept.tests, serde_json::json!([]));
    }
}
