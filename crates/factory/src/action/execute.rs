//! Executes a component's document: on the sandbox, or on the booted image.

use cell::Limits;
use channel::{Execute, Status};
use instance::ExecuteError;
use instance::sandbox::{Launch, Sandbox};
use model::InstanceType;

use crate::order::LoadedComponent;
use crate::story::Story;
use crate::work::Work;
use crate::{Cause, Failure, stored_parameters};

/// Runs the build and validate phases of the recipe's component `n` on the
/// sandbox, which is launched first if none is.
pub(crate) fn build_component(work: &mut Work<'_>, n: usize) -> Result<String, Box<Failure>> {
    let component = work.component(n);
    let request = request(work, component, &["build", "validate"], Cause::Component)?;
    let mut sandbox = match work.sandbox.take() {
        Some(sandbox) => sandbox,
        None => launch(work)?,
    };
    let result = sandbox.execute(&request, &work.watch(&component.name));
    work.sandbox = Some(sandbox);
    settle(work, Cause::Component, component, result)
}

/// Runs the test phase of the recipe's component `n` on the booted image.
pub(crate) fn test_component(work: &mut Work<'_>, n: usize) -> Result<String, Box<Failure>> {
    let component = work.component(n);
    let request = request(work, component, &["test"], Cause::Test)?;
    let mut machine = work.machine.take().expect("the plan boots the image before its tests");
    let result = machine.execute(&request, &work.watch(&component.name));
    work.machine = Some(machine);
    settle(work, Cause::Test, component, result)
}

fn launch(work: &Work<'_>) -> Result<Sandbox, Box<Failure>> {
    let base = work.base.as_ref().expect("the plan prepares the base first");
    let launch = Launch {
        name: format!("{}-build", work.run.work),
        layers: vec![base.tree.clone()],
        work: work.folder.join("build"),
        agent: work.factory.agent.clone(),
        limits: limits(work),
        source_epoch: base.epoch,
    };
    Sandbox::launch(&work.factory.cells, launch)
        .map_err(|error| Failure::of(Cause::Factory, &error))
}

/// Returns what an instance may use: the first instance type's share.
pub(crate) fn limits(work: &Work<'_>) -> Limits {
    let kind: &InstanceType = &work.order.project.infrastructure.instance_types()[0];
    Limits { cpus: kind.vcpus(), memory_mib: kind.memory_mib(), processes: kind.process_limit() }
}

fn request(
    work: &Work<'_>,
    component: &LoadedComponent,
    phases: &[&str],
    cause: Cause,
) -> Result<Execute, Box<Failure>> {
    let find = |name: &str| work.factory.parameters.find(work.account, name);
    Ok(Execute {
        component: component.name.clone(),
        document: component.text.clone(),
        phases: phases.iter().map(|phase| (*phase).to_owned()).collect(),
        parameters: component.parameters.clone(),
        stored: stored_parameters(&find, component, phases, cause)?,
        components: component.executed.clone(),
        resume: None,
    })
}

fn settle(
    work: &Work<'_>,
    cause: Cause,
    component: &LoadedComponent,
    result: Result<(Status, String), ExecuteError>,
) -> Result<String, Box<Failure>> {
    match result {
        Ok((Status::Success | Status::Skipped, _)) => Ok(String::new()),
        Ok((Status::IgnoredFailure, message)) => Ok(format!("ignored: {message}")),
        Ok((Status::Failed, message)) => {
            Err(work.teller().failure(Story::failure, cause, &component.name, &message))
        }
        Err(error) => {
            // A cancelled build tells its own story; else the time is up.
            let told = match error {
                ExecuteError::Cancelled => format!(
                    "the tests took longer than {} minutes",
                    work.order.project.tests.timeout_minutes
                ),
                error => Failure::of(cause, &error).message,
            };
            Err(work.teller().failure(Story::cut_short, cause, &component.name, &told))
        }
    }
}
