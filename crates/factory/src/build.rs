//! One build, from an order to a report.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use engine::End;
use model::ImageState;
use name::{Account, Arn, Kind, Level, Owner, Region, RunId};
use plan::{Outline, Plan};
use store::client_token::Claim;
use store::run::{Once, Retried};
use store::{StoreError, run};
use tokio::runtime::Handle;

use crate::clock::now_micros;
use crate::order::LoadedComponent;
use crate::work::Work;
use crate::{Cause, Factory, Failure, LogError, Observer, Order, Report, shown};

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
        let recorded = self.record(account, order).await?;
        self.carry_out(recorded, observer, Stop::by(cancel)).await
    }

    /// Records that `order` will be built for `account`, and nothing more.
    pub(crate) async fn record(
        &self,
        account: Account,
        order: Order,
    ) -> Result<Recorded, BuildError> {
        let shown = shown::of_project(account, self.settings.region.clone(), &order.project);
        let place = (shown.account.clone(), shown.region.clone());
        let (new, plan) = self.draft(&order, shown)?;
        let run = run::create(&self.db, new).await?;
        Ok(recorded(run, order, plan, place))
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
        let (new, plan) = self.draft(&order, shown)?;
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
        let (owner, steps) = (self.owner.name(), shown::steps(&plan));
        Ok(match run::retry_once(&self.db, image.run, owner, steps, claim).await? {
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

    /// Returns the run that will build `order`, and its steps.
    fn draft(
        &self,
        order: &Order,
        shown: store::image::New,
    ) -> Result<(run::NewRun, Plan), BuildError> {
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
            owner: self.owner.name().to_owned(),
            started_at: now_micros(),
            shown: store::image::New { plan: shown::steps(&plan).into(), ..shown },
        };
        Ok((new, plan))
    }
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
    pub(crate) account: Account,
    pub(crate) order: Order,
    pub(crate) plan: Plan,
    /// How many steps earlier attempts had.
    pub(crate) steps_before: u32,
}

/// What ends a build early.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop {
    /// The build is to end.
    pub(crate) cancel: Arc<AtomicBool>,
    /// Why, where it was asked for here: the first reason counts.
    why: Arc<OnceLock<Why>>,
}

/// Why a build is to end early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// Somebody wants it so.
    Cancelled,
    /// This process ends.
    Closing,
}

impl Stop {
    fn by(cancel: Arc<AtomicBool>) -> Self {
        Self { cancel, ..Self::default() }
    }

    /// Asks the build to end, unless it was asked before.
    pub(crate) fn ask(&self, why: Why) {
        self.why.get_or_init(|| why);
        self.cancel.store(true, Ordering::Release);
    }

    /// Returns how a run ends that was stopped.
    pub(crate) fn end(&self) -> End {
        match self.why.get().copied().unwrap_or(Why::Cancelled) {
            Why::Cancelled => End { state: ImageState::Cancelled, reason: "cancelled".to_owned() },
            Why::Closing => {
                let reason = "the service was stopped before the build had ended".to_owned();
                End { state: ImageState::Failed, reason }
            }
        }
    }
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
