//! One build, from an order to a report.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use engine::{Command, End};
use instance::sandbox::Sandbox;
use instance::vm::Machine;
use model::{BuildFacts, BuildTime, ImageState};
use name::{Account, Arn, Digest, Kind, Level, Owner, Region, RunId};
use plan::{Action, Outline, Plan};
use store::client_token::Claim;
use store::run::{Once, Retried};
use store::step::NewStep;
use store::{StepState, StoreError, Workflow, run, step};
use tokio::runtime::Handle;

use crate::clock::{instant, now_micros};
use crate::log::Log;
use crate::order::LoadedComponent;
use crate::teller::{Teller, Watch};
use crate::{
    Cause, Factory, Failure, LogError, Notice, Observer, Order, PlannedStep, Report, StepReport,
    action, owner, recover, shown,
};

/// A build could not be recorded; its own failures are in the [`Report`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The catalogue failed.
    #[error("failed to record the build")]
    Store(#[from] StoreError),
    /// The log failed.
    #[error("failed to begin the build's log")]
    Log(#[from] LogError),
    /// The build's folder cannot be made.
    #[error("failed to make the build's folder")]
    Folder(#[source] std::io::Error),
    /// The kernel gave no random numbers.
    #[error("failed to draw an id")]
    Random(#[source] std::io::Error),
}

impl Factory {
    /// Builds what `order` says for `account` and tells `observer`; `cancel` ends it early.
    ///
    /// Every record is written before the work it describes. Whatever happens,
    /// no process, mount or folder of the build is left when this returns.
    pub async fn build(
        &self,
        account: Account,
        order: Order,
        observer: Arc<dyn Observer>,
        cancel: Arc<AtomicBool>,
    ) -> Result<Report, BuildError> {
        let shown = shown::of_project(account, self.settings.region.clone(), &order.project);
        let place = (shown.account.clone(), shown.region.clone());
        let (new, plan) = draft(&order, shown)?;
        let run = run::create(&self.db, new).await?;
        let recorded = recorded(run, order, plan, place);
        self.carry_out(recorded, observer, Stop::by(cancel)).await
    }

    /// Records that `order` will be built, and nothing more, unless the
    /// request was carried out before: then returns what it was answered with.
    pub(crate) async fn record_once(
        &self,
        order: Order,
        shown: store::image::New,
        claim: &Claim,
    ) -> Result<Result<Recorded, String>, BuildError> {
        let place = (shown.account.clone(), shown.region.clone());
        let (new, plan) = draft(&order, shown)?;
        Ok(match run::create_once(&self.db, new, claim).await? {
            Once::Now(run) => Ok(recorded(*run, order, plan, place)),
            Once::Before(answer) => Err(answer),
        })
    }

    /// Records that `image`, which came to nothing, will be built once more as
    /// `order`, unless the request was carried out before.
    pub(crate) async fn record_retry(
        &self,
        order: Order,
        image: &store::image::Image,
        claim: &Claim,
    ) -> Result<Result<Recorded, String>, BuildError> {
        let place = (image.account.clone(), image.region.clone());
        let plan = Plan::new(&outline(&order));
        let (owner, steps) = (owner::this_process(), shown::steps(&plan));
        Ok(match run::retry_once(&self.db, image.run, &owner, steps, claim).await? {
            Retried::Now { run, steps_before } => {
                Ok(Recorded { steps_before, ..recorded(*run, order, plan, place) })
            }
            Retried::Before(answer) => Err(answer),
        })
    }

    /// Builds what was recorded. Whatever happens, the run has an end in the
    /// catalogue when this returns, unless the catalogue itself failed.
    pub(crate) async fn carry_out(
        &self,
        recorded: Recorded,
        observer: Arc<dyn Observer>,
        stop: Stop,
    ) -> Result<Report, BuildError> {
        let factory = self.clone();
        let handle = Handle::current();
        let run = recorded.run.id;
        let work = move || {
            Work::begin(&factory, &recorded, &*observer, &stop, handle).map(Work::carry_out)
        };
        let begun =
            tokio::task::spawn_blocking(work).await.expect("a build's thread does not panic");
        match begun {
            Ok(report) => report,
            Err(error) => {
                let reason = Failure::of(Cause::Factory, &error).reason();
                run::advance(&self.db, run, ImageState::Failed, &reason, now_micros()).await?;
                Err(error)
            }
        }
    }
}

/// Returns the run that will build `order`, and its steps.
fn draft(order: &Order, shown: store::image::New) -> Result<(run::NewRun, Plan), BuildError> {
    let plan = Plan::new(&outline(order));
    let recipe = &order.project.recipe;
    let id = RunId::from_random(random().map_err(BuildError::Random)?);
    let new = run::NewRun {
        id,
        image: recipe.name.segment(),
        version: recipe.version,
        project: order.folder.display().to_string(),
        recipe: serde_json::json!({ "name": recipe.name.as_str() }),
        work: id.to_string(),
        owner: owner::this_process(),
        started_at: now_micros(),
        shown: store::image::New { plan: shown::steps(&plan).into(), ..shown },
    };
    Ok((new, plan))
}

fn recorded(run: run::Run, order: Order, plan: Plan, place: (Account, Region)) -> Recorded {
    let (account, region) = place;
    let owner = Owner::Account(account.clone());
    let arn = Arn::new(region, owner, Kind::Image, &run.image, Level::Build(run.build));
    let image = arn.map_or_else(|_| format!("{}/{}", run.image, run.build), |arn| arn.to_string());
    Recorded { run, image, account, order, plan, steps_before: 0 }
}

/// A run that is recorded and that nothing is done for yet.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) run: run::Run,
    /// The image build version's ARN.
    pub(crate) image: String,
    /// Whose the image will be.
    account: Account,
    order: Order,
    plan: Plan,
    /// How many steps earlier attempts had.
    steps_before: u32,
}

/// What ends a build early.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop {
    /// The build is to end.
    pub(crate) cancel: Arc<AtomicBool>,
    /// It is because this process ends, not because somebody wants it so.
    pub(crate) closing: Arc<AtomicBool>,
}

impl Stop {
    fn by(cancel: Arc<AtomicBool>) -> Self {
        Self { cancel, ..Self::default() }
    }

    /// Returns how a run ends that was stopped.
    pub(crate) fn end(&self) -> End {
        if self.closing.load(Ordering::Acquire) {
            let reason = "the service was stopped before the build had ended".to_owned();
            return End { state: ImageState::Failed, reason };
        }
        End { state: ImageState::Cancelled, reason: "cancelled".to_owned() }
    }
}

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
    pub(crate) report: Report,
    plan: &'a Plan,
    steps_before: u32,
    stop: &'a Stop,
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
    fn begin(
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
        let folder = Path::new("work").join(&run.work);
        factory.cells.make_folder(&folder).map_err(BuildError::Folder)?;
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
            report,
            plan,
            steps_before: *steps_before,
            stop,
            teller,
            began: instant(),
        })
    }

    fn carry_out(mut self) -> Result<Report, BuildError> {
        let end = self.advance();
        self.release();
        match end {
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
        let ordinal = self.steps_before + n as u32 + 1;
        let new = NewStep {
            run: self.run.id,
            ordinal,
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
        let (state, message) = match &result {
            Ok(_) => (StepState::Completed, String::new()),
            Err(failure) if failure.cause == Cause::Cancelled => {
                (StepState::Cancelled, failure.reason())
            }
            Err(failure) => (StepState::Failed, failure.reason()),
        };
        let ended =
            step::end(&self.factory.db, self.run.id, ordinal, state, &message, now_micros());
        self.handle.block_on(ended)?;
        let seconds = took.as_secs_f64();
        self.report.steps.push(StepReport { label: step.label, seconds });
        self.teller.notice(&Notice::StepEnded {
            step: n,
            took,
            outcome: result.as_deref().unwrap_or_default(),
            failure: result.as_ref().err().map(Box::as_ref),
        });
        match self.teller.log_error() {
            // A failure says more than that the log of it is incomplete.
            Some(error) if result.is_ok() => Err(error.into()),
            Some(_) | None => Ok(result.map(drop)),
        }
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

fn outline(order: &Order) -> Outline {
    let has = |component: &LoadedComponent, phases: &[&str]| {
        component.component.phases.iter().any(|phase| phases.contains(&phase.name.as_str()))
    };
    let component = |component: &LoadedComponent| plan::Component {
        name: component.name.clone(),
        builds: has(component, &["build", "validate"]),
        tests: has(component, &["test"]),
    };
    Outline {
        base: order.project.recipe.parent.to_string(),
        components: order.components.iter().map(component).collect(),
        tests: order.project.tests.enabled,
        regions: {
            let distributions = order.project.distributions.as_slice();
            distributions.iter().map(|distribution| distribution.region.clone()).collect()
        },
    }
}

/// Returns random bytes of the kernel's.
pub(crate) fn random<const N: usize>() -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())?;
    Ok(bytes)
}

/// Returns a time as a calendar in UTC shows it.
fn build_time(micros: i64) -> BuildTime {
    let time = jiff::Timestamp::from_microsecond(micros).unwrap_or_default();
    let time = time.to_zoned(jiff::tz::TimeZone::UTC);
    BuildTime {
        year: time.year().unsigned_abs(),
        month: time.month().unsigned_abs(),
        day: time.day().unsigned_abs(),
        hour: time.hour().unsigned_abs(),
        minute: time.minute().unsigned_abs(),
        second: time.second().unsigned_abs(),
        millisecond: time.millisecond().unsigned_abs(),
    }
}
