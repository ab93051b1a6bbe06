//! `goldsmith build`: from a project to tested and published images.

mod refusal;
pub(crate) mod summary;

use std::path::PathBuf;
use std::sync::Arc;

use document::Project;
use factory::{Cause, Factory, Failure, LoadedComponent, Order, Report};
use model::ParentImage;
use name::Owner;

use crate::arguments::Format;
use crate::cancel::on_signals;
use crate::clock;
use crate::environment::Environment;
use crate::error::CliError;
use crate::exit::Exit;
use crate::home::Home;
use crate::identity::Identities;
use crate::junit::{self, Results};
use crate::needs::{self, Work};
use crate::output::Output;
use crate::progress::{Detail, Look, Progress};
use crate::reference::{self, Among, ImageReference};

use refusal::Refusal;

/// Build, test and publish an image
///
/// Runs the build and validate phases of every component on a fresh instance,
/// makes a disk of the result, boots a copy of that disk and runs the test
/// phases in it, and publishes the very disk that was tested. Nothing is
/// published unless every test passed.
///
/// Ctrl-C ends the build in order and leaves nothing behind; a second one
/// ends it at once.
#[derive(Debug, clap::Args)]
#[command(after_help = Exit::help())]
pub(crate) struct Build {
    /// A folder with a goldsmith.yaml, or such a file
    #[arg(default_value = ".")]
    project: PathBuf,
    /// Write the results of all component steps to FILE, as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Show progress line by line, as is done where there is no terminal
    #[arg(long)]
    plain: bool,
}

impl Build {
    pub(crate) async fn run(self, home: &Home, verbose: bool, out: &mut Output) -> Exit {
        match self.build(home, verbose, out).await {
            Ok(report) => self.tell(&report, out),
            Err(error) => self.tell_refusal(&error, out),
        }
    }

    async fn build(
        &self,
        home: &Home,
        verbose: bool,
        out: &mut Output,
    ) -> Result<Report, CliError> {
        let order = Order::load(&self.project)?;
        if !order.warnings.is_empty() {
            out.warning(&order.warnings);
        }
        let environment = home.environment();
        needs::check(&works(&order), environment)?;
        let factory = home.building_factory(out).await?;
        check_parent(&factory, &order.project).await?;
        let account = Identities::of(home, factory.db().clone())?.account(None).await?.id;
        let taken = factory.taken_names(&account, &order).await?;
        if !taken.is_empty() {
            return Err(CliError::NameTaken { taken });
        }

        let progress = Progress::start(self.look(environment, verbose, out));
        let teller = Arc::new(progress.teller());
        let told = Arc::clone(&teller);
        let cancel = on_signals(move || told.note("cancelling…".to_owned()))?;
        let built = factory.build(account, order, teller, cancel).await;
        progress.end();
        Ok(built?)
    }

    /// Tells what came of it. Whoever has gone away or has no room for results
    /// does not keep the failure from being told.
    fn tell(&self, report: &Report, out: &mut Output) -> Exit {
        if let Some(failure) = &report.failure {
            out.warning(&summary::failure(failure, &report.run));
        }
        let results = Results::of_build(report);
        let kept = self.keep(&results);
        let printed = match out.format() {
            Format::Json => out.json(report),
            Format::Junit => out.text(&junit::render(&results, clock::now_micros())),
            Format::Text if report.failure.is_none() => out.text(&summary::success(report)),
            Format::Text => Ok(()),
        };
        out.conclude(exit(report), [kept, printed])
    }

    /// Tells why nothing was built, also to programs that wait for results:
    /// those of an earlier build must not pass for this one's.
    fn tell_refusal(&self, error: &CliError, out: &mut Output) -> Exit {
        out.error(error);
        let failure = junit::failure_of(error);
        let title = self.project.display().to_string();
        let results = Results { title: &title, cases: &[], failure: Some(&failure), seconds: 0.0 };
        let kept = self.keep(&results);
        let printed = match out.format() {
            Format::Json => out.json(&Refusal::of(error)),
            Format::Junit => out.text(&junit::render(&results, clock::now_micros())),
            Format::Text => Ok(()),
        };
        out.conclude(error.exit(), [kept, printed])
    }

    /// Writes results to the file that was asked for.
    fn keep(&self, results: &Results<'_>) -> Result<(), CliError> {
        let Some(file) = &self.junit else { return Ok(()) };
        junit::write(file, results, clock::now_micros())
    }

    fn look(&self, environment: &Environment, verbose: bool, out: &Output) -> Look {
        let detail = match (out.is_quiet(), verbose) {
            (true, _) => Detail::Quiet,
            (false, true) => Detail::Lines,
            (false, false) => Detail::Steps,
        };
        Look {
            redraws: environment.redraws && !self.plain && !out.is_json() && !out.is_junit(),
            colours: environment.colours_err,
            detail,
        }
    }
}

/// Returns what this build does that needs something from the machine.
fn works(order: &Order) -> Vec<Work> {
    let has_phase = |component: &LoadedComponent, names: &[&str]| {
        component.component.phases.iter().any(|phase| names.contains(&phase.name.as_str()))
    };
    let builds = order.components.iter().any(|c| has_phase(c, &["build", "validate"]));
    let parent = Work::on(&order.project.recipe.parent);
    let sandbox = builds.then_some(Work::Sandbox);
    let machine = order.project.tests.enabled.then_some(Work::Machine);
    parent.into_iter().chain(sandbox).chain(machine).collect()
}

/// Fails, before anything is recorded, if the parent is to be an image of
/// ours and there is none.
async fn check_parent(factory: &Factory, project: &Project) -> Result<(), CliError> {
    let parent = match &project.recipe.parent {
        ParentImage::Arn(arn) if matches!(arn.owner(), Owner::Account(_)) => {
            ImageReference::of_arn(arn)
        }
        ParentImage::Ami(ami) => Some(ImageReference::Ami(*ami)),
        ParentImage::Arn(_) | ParentImage::Name(_) | ParentImage::Disk { .. } => None,
    };
    if let Some(parent) = parent {
        reference::find(Some(factory.db()), &parent, Among::Published).await??;
    }
    Ok(())
}

/// Returns the exit that tells of a report.
fn exit(report: &Report) -> Exit {
    let Some(Failure { cause, .. }) = &report.failure else { return Exit::Done };
    match cause {
        Cause::Component => Exit::Component,
        Cause::Test => Exit::Test,
        Cause::Cancelled => Exit::Cancelled,
        Cause::Lacking => Exit::Lacking,
        Cause::Factory => Exit::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_tells_what_failed() {
        let with = |cause| {
            let failure = summary::tests::failure(cause);
            exit(&Report { failure: Some(failure), ..summary::tests::report() })
        };
        assert_eq!(exit(&summary::tests::report()), Exit::Done);
        assert_eq!(with(Cause::Component), Exit::Component);
        assert_eq!(with(Cause::Test), Exit::Test);
        assert_eq!(with(Cause::Cancelled), Exit::Cancelled);
        assert_eq!(with(Cause::Factory), Exit::Other);
        assert_eq!(with(Cause::Lacking), Exit::Lacking);
    }

    #[test]
    fn a_build_does_what_its_project_says() {
        let document = |phase: &str| {
            format!(
                "schemaVersion: 1.0\nphases:\n  - name: {phase}\n    steps:\n      - name: Do\n        \
                 action: ExecuteBash\n        inputs:\n          commands: ['true']\n"
            )
        };
        let folder = tempfile::tempdir().unwrap();
        for phase in ["build", "validate", "test"] {
            std::fs::write(folder.path().join(format!("{phase}.yaml")), document(phase)).unwrap();
        }
        let arn = "arn:aws:imagebuilder:local-1:000000000000:image/web/1.0.0/1";
        for (parent, component, tests, expected) in [
            (
                "debian-server-12",
                "build.yaml",
                true,
                &[Work::Base, Work::Sandbox, Work::Machine][..],
            ),
            ("debian-server-12", "test.yaml", false, &[Work::Base]),
            (arn, "validate.yaml", false, &[Work::Sandbox]),
            (arn, "test.yaml", true, &[Work::Machine]),
        ] {
            let project = format!(
                "recipe:\n  name: web\n  semanticVersion: 1.0.0\n  parentImage: {parent}\n  \
                 components:\n    - componentArn: ./{component}\n\
                 imageTestsConfiguration:\n  imageTestsEnabled: {tests}\n\
                 distributions:\n  - region: local-1\n"
            );
            std::fs::write(folder.path().join("goldsmith.yaml"), project).unwrap();
            let order = Order::load(folder.path()).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(works(&order), expected, "{parent} {component} {tests}");
        }
    }
}
