//! Workflow executions and their steps: what a run did, does and will do, as its records have it.

use model::ImageState;
use serde::Deserialize;
use store::image::{self, Image};
use store::step::{self, Step};
use store::{StepState, StoreErrorKind, Workflow};
use wire::imagebuilder::{
    Error, GetWorkflowExecutionRequest, GetWorkflowExecutionResponse,
    GetWorkflowStepExecutionRequest, GetWorkflowStepExecutionResponse,
    ListWaitingWorkflowStepsRequest, ListWaitingWorkflowStepsResponse,
    ListWorkflowExecutionsRequest, ListWorkflowExecutionsResponse,
    ListWorkflowStepExecutionsRequest, ListWorkflowStepExecutionsResponse, Operation,
    WorkflowExecutionMetadata, WorkflowExecutionStatus, WorkflowStepExecutionStatus,
    WorkflowStepMetadata, WorkflowType,
};
use wire::sigv4::Caller;

use super::date::date;
use super::error::{not_found, refusal};
use super::execution_id::{Named, id, parse};
use super::image::arn_of;
use super::page::{Tokens, size};
use super::tag::some;
use crate::Api;

/// The most characters that a message has on the wire.
const MESSAGE: usize = 500;

/// A run's steps, those to come among them.
struct Executed {
    image: Image,
    steps: Vec<Shown>,
}

/// A step as it stands.
#[derive(Debug, Clone, PartialEq)]
struct Shown {
    ordinal: u16,
    workflow: Workflow,
    /// In which attempt, from 1.
    attempt: u16,
    action: String,
    label: String,
    status: WorkflowStepExecutionStatus,
    message: String,
    started_at: Option<i64>,
    ended_at: Option<i64>,
}

/// A step of a run's plan, as the store keeps it.
#[derive(Deserialize)]
struct Planned {
    workflow: String,
    action: String,
    label: String,
    #[serde(default = "first")]
    attempt: u16,
}

/// Returns the attempt of steps that are of no retry.
fn first() -> u16 {
    1
}

impl Api {
    /// Returns an execution of a workflow.
    pub(crate) async fn workflow_execution(
        &self,
        caller: &Caller,
        input: GetWorkflowExecutionRequest,
    ) -> Result<GetWorkflowExecutionResponse, Error> {
        let text = &input.workflow_execution_id;
        let (executed, workflow, attempt) = self.executed_workflow(caller, text).await?;
        let told = executed.tell(workflow, attempt).ok_or_else(|| not_found(text))?;
        Ok(GetWorkflowExecutionResponse {
            image_build_version_arn: Some(arn_of(&executed.image)?.to_string()),
            workflow_build_version_arn: told.workflow_build_version_arn,
            workflow_execution_id: told.workflow_execution_id,
            r#type: told.r#type,
            status: told.status,
            message: told.message,
            total_step_count: told.total_step_count,
            total_steps_succeeded: told.total_steps_succeeded,
            total_steps_failed: told.total_steps_failed,
            total_steps_skipped: told.total_steps_skipped,
            start_time: told.start_time,
            end_time: told.end_time,
            parallel_group: None,
            request_id: None,
        })
    }

    /// Returns a page of the executions of an image's workflows.
    pub(crate) async fn workflow_executions(
        &self,
        caller: &Caller,
        input: ListWorkflowExecutionsRequest,
    ) -> Result<ListWorkflowExecutionsResponse, Error> {
        let tokens = Tokens::of(caller, Operation::ListWorkflowExecutions, &input)?;
        let text = input.image_build_version_arn;
        let image = self.read(caller, "imageBuildVersionArn", &text, "executions").await?;
        let executed = self.executed(image).await?;
        let all = [Workflow::Build, Workflow::Test, Workflow::Distribution];
        let told = (1..=executed.attempts())
            .flat_map(|attempt| all.into_iter().map(move |workflow| (workflow, attempt)));
        let told = told.filter_map(|(workflow, attempt)| executed.tell(workflow, attempt));
        let (page, next_token) =
            page(told.collect(), &tokens, input.next_token.as_deref(), input.max_results)?;
        Ok(ListWorkflowExecutionsResponse {
            workflow_executions: Some(page),
            image_build_version_arn: Some(text),
            message: None,
            next_token,
            request_id: None,
        })
    }

    /// Returns an execution of a step.
    pub(crate) async fn step_execution(
        &self,
        caller: &Caller,
        input: GetWorkflowStepExecutionRequest,
    ) -> Result<GetWorkflowStepExecutionResponse, Error> {
        let text = &input.step_execution_id;
        let Some((run, Named::Step(ordinal))) = parse(text) else { return Err(not_found(text)) };
        let executed = self.executed_of(caller, run, text).await?;
        let step = executed.steps.iter().find(|step| step.ordinal == ordinal);
        let step = step.ok_or_else(|| not_found(text))?;
        let told = executed.tell_step(step);
        Ok(GetWorkflowStepExecutionResponse {
            step_execution_id: told.step_execution_id,
            workflow_build_version_arn: Some(executed.workflow_arn(step.workflow)),
            workflow_execution_id: Some(id(run, Named::Workflow(step.workflow, step.attempt))),
            image_build_version_arn: Some(arn_of(&executed.image)?.to_string()),
            name: told.name,
            description: told.description,
            action: told.action,
            status: told.status,
            message: told.message,
            start_time: told.start_time,
            end_time: told.end_time,
            on_failure: Some("Abort".to_owned()),
            ..GetWorkflowStepExecutionResponse::default()
        })
    }

    /// Returns a page of the steps of a workflow's execution.
    pub(crate) async fn step_executions(
        &self,
        caller: &Caller,
        input: ListWorkflowStepExecutionsRequest,
    ) -> Result<ListWorkflowStepExecutionsResponse, Error> {
        let tokens = Tokens::of(caller, Operation::ListWorkflowStepExecutions, &input)?;
        let text = input.workflow_execution_id;
        let (executed, workflow, attempt) = self.executed_workflow(caller, &text).await?;
        let steps = executed.of(workflow, attempt).map(|step| executed.tell_step(step)).collect();
        let (page, next_token) =
            page(steps, &tokens, input.next_token.as_deref(), input.max_results)?;
        Ok(ListWorkflowStepExecutionsResponse {
            steps: Some(page),
            workflow_build_version_arn: Some(executed.workflow_arn(workflow)),
            image_build_version_arn: Some(arn_of(&executed.image)?.to_string()),
            workflow_execution_id: Some(text),
            message: None,
            next_token,
            request_id: None,
        })
    }

    /// Returns the steps that wait for somebody: no action there is does that.
    pub(crate) fn waiting_steps(
        caller: &Caller,
        input: &ListWaitingWorkflowStepsRequest,
    ) -> Result<ListWaitingWorkflowStepsResponse, Error> {
        let tokens = Tokens::of(caller, Operation::ListWaitingWorkflowSteps, input)?;
        tokens.read(input.next_token.as_deref())?;
        Ok(ListWaitingWorkflowStepsResponse { steps: Some(Vec::new()), next_token: None })
    }

    async fn executed_workflow(
        &self,
        caller: &Caller,
        text: &str,
    ) -> Result<(Executed, Workflow, u16), Error> {
        match parse(text) {
            Some((run, Named::Workflow(workflow, attempt))) => {
                let executed = self.executed_of(caller, run, text).await?;
                if executed.of(workflow, attempt).next().is_none() {
                    return Err(not_found(text));
                }
                Ok((executed, workflow, attempt))
            }
            Some(_) | None => Err(not_found(text)),
        }
    }

    /// Returns what a run of the caller's did, if its image was not deleted.
    async fn executed_of(
        &self,
        caller: &Caller,
        run: name::RunId,
        text: &str,
    ) -> Result<Executed, Error> {
        let image = match image::of_run(self.db(), run).await {
            Ok(image) => image,
            Err(error) if matches!(error.kind(), StoreErrorKind::Missing { .. }) => {
                return Err(not_found(text));
            }
            Err(error) => return Err(refusal(error)),
        };
        let is_own = image.account == caller.account && image.region == caller.region;
        if !is_own || image.state == ImageState::Deleted {
            return Err(not_found(text));
        }
        self.executed(image).await
    }

    async fn executed(&self, image: Image) -> Result<Executed, Error> {
        let recorded = step::list(self.db(), image.run).await.map_err(refusal)?;
        let steps = shown(&image, &recorded);
        Ok(Executed { image, steps })
    }
}

impl Executed {
    fn of(&self, workflow: Workflow, attempt: u16) -> impl Iterator<Item = &Shown> {
        self.steps.iter().filter(move |step| (step.workflow, step.attempt) == (workflow, attempt))
    }

    /// Returns how often the image was tried to be made.
    fn attempts(&self) -> u16 {
        self.steps.last().map_or(1, |step| step.attempt)
    }

    /// Returns a workflow's execution, or `None` if the attempt has none or ended before it.
    fn tell(&self, workflow: Workflow, attempt: u16) -> Option<WorkflowExecutionMetadata> {
        let steps: Vec<&Shown> = self.of(workflow, attempt).collect();
        let was_retried = attempt < self.attempts();
        let is_over = was_retried || !self.image.state.is_in_progress();
        if is_over && steps.iter().all(|step| step.started_at.is_none()) {
            return None;
        }
        let count = |status: WorkflowStepExecutionStatus| {
            let count = steps.iter().filter(|step| step.status == status).count();
            i32::try_from(count).ok()
        };
        let status = status(steps.iter().map(|step| step.status))?;
        let is_over =
            !matches!(status, WorkflowExecutionStatus::Pending | WorkflowExecutionStatus::Running);
        let failed = steps.iter().find(|step| step.status == WorkflowStepExecutionStatus::Failed);
        let ended_at = steps.iter().filter_map(|step| step.ended_at).max();
        Some(WorkflowExecutionMetadata {
            workflow_build_version_arn: Some(self.workflow_arn(workflow)),
            workflow_execution_id: Some(id(self.image.run, Named::Workflow(workflow, attempt))),
            r#type: Some(match workflow {
                Workflow::Build => WorkflowType::Build,
                Workflow::Test => WorkflowType::Test,
                Workflow::Distribution => WorkflowType::Distribution,
            }),
            status: Some(status),
            message: failed.and_then(|step| message(&step.message)),
            total_step_count: i32::try_from(steps.len()).ok(),
            total_steps_succeeded: count(WorkflowStepExecutionStatus::Completed),
            total_steps_failed: count(WorkflowStepExecutionStatus::Failed),
            total_steps_skipped: count(WorkflowStepExecutionStatus::Skipped),
            start_time: steps.iter().filter_map(|step| step.started_at).min().map(date),
            end_time: ended_at.filter(|_| is_over).map(date),
            parallel_group: None,
            retried: was_retried.then_some(true),
        })
    }

    fn tell_step(&self, step: &Shown) -> WorkflowStepMetadata {
        WorkflowStepMetadata {
            step_execution_id: Some(id(self.image.run, Named::Step(step.ordinal))),
            name: Some(name(&step.label)),
            description: Some(step.label.chars().take(MESSAGE).collect()),
            action: Some(step.action.clone()),
            status: Some(step.status),
            message: message(&step.message),
            start_time: step.started_at.map(date),
            end_time: step.ended_at.map(date),
            ..WorkflowStepMetadata::default()
        }
    }

    /// Returns the ARN of the managed workflow (reference §3.7) that a run carried out.
    fn workflow_arn(&self, workflow: Workflow) -> String {
        let name = match workflow {
            Workflow::Build => "build-image",
            Workflow::Test => "test-image",
            Workflow::Distribution => "distribute-image",
        };
        let (region, kind) = (&self.image.region, workflow.as_str());
        format!("arn:aws:imagebuilder:{region}:aws:workflow/{kind}/{name}/1.0.0/1")
    }
}

/// Returns the steps of a run: as they are recorded, else as they are planned.
fn shown(image: &Image, recorded: &[Step]) -> Vec<Shown> {
    let planned: Vec<Planned> = Vec::deserialize(&image.plan).unwrap_or_default();
    let attempts = planned.last().map_or(1, |step| step.attempt);
    let unbegun = |attempt| match image.state {
        _ if attempt < attempts => WorkflowStepExecutionStatus::Skipped,
        ImageState::Cancelled => WorkflowStepExecutionStatus::Cancelled,
        state if state.is_in_progress() => WorkflowStepExecutionStatus::Pending,
        _ => WorkflowStepExecutionStatus::Skipped,
    };
    let attempt_of = |ordinal: u32| {
        let planned = (ordinal as usize).checked_sub(1).and_then(|place| planned.get(place));
        planned.map_or(1, |step| step.attempt)
    };
    let mut steps: Vec<Shown> = recorded
        .iter()
        .map(|step| Shown {
            ordinal: u16::try_from(step.ordinal).unwrap_or(u16::MAX),
            workflow: step.workflow,
            attempt: attempt_of(step.ordinal),
            action: step.action.clone(),
            label: step.label.clone(),
            status: step_status(step.state),
            message: step.message.clone(),
            started_at: Some(step.started_at),
            ended_at: step.ended_at,
        })
        .collect();
    for (ordinal, planned) in (1_u16..).zip(planned) {
        if steps.iter().any(|step| step.ordinal == ordinal) {
            continue;
        }
        let Ok(workflow) = planned.workflow.parse() else { continue };
        steps.push(Shown {
            ordinal,
            workflow,
            attempt: planned.attempt,
            action: planned.action,
            label: planned.label,
            status: unbegun(planned.attempt),
            message: String::new(),
            started_at: None,
            ended_at: None,
        });
    }
    steps.sort_by_key(|step| step.ordinal);
    steps
}

fn step_status(state: StepState) -> WorkflowStepExecutionStatus {
    match state {
        StepState::Running => WorkflowStepExecutionStatus::Running,
        StepState::Completed => WorkflowStepExecutionStatus::Completed,
        StepState::Failed => WorkflowStepExecutionStatus::Failed,
        StepState::Skipped => WorkflowStepExecutionStatus::Skipped,
        StepState::Cancelled => WorkflowStepExecutionStatus::Cancelled,
    }
}

/// Returns how a workflow stands whose steps stand so, or `None` if it has none.
fn status(
    steps: impl Iterator<Item = WorkflowStepExecutionStatus>,
) -> Option<WorkflowExecutionStatus> {
    use WorkflowExecutionStatus as Whole;
    use WorkflowStepExecutionStatus as Part;
    let steps: Vec<Part> = steps.collect();
    let has = |wanted: Part| steps.contains(&wanted);
    let whole = if steps.is_empty() {
        return None;
    } else if has(Part::Failed) {
        Whole::Failed
    } else if has(Part::Cancelled) {
        Whole::Cancelled
    } else if has(Part::Running) || has(Part::Pending) && has(Part::Completed) {
        Whole::Running
    } else if has(Part::Pending) {
        Whole::Pending
    } else if has(Part::Completed) {
        Whole::Completed
    } else {
        Whole::Skipped
    };
    Some(whole)
}

fn message(text: &str) -> Option<String> {
    some(text.chars().take(MESSAGE).collect())
}

/// Returns a label as the name of a step: letters, digits, `-` and `_`, a letter first.
fn name(label: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let name: String = label.chars().map(allowed).take(100).collect();
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic());
    if begins && name.len() > 1 { name } else { format!("step-{name}").chars().take(100).collect() }
}

/// Returns a page of a list that is whole at hand.
fn page<T>(
    list: Vec<T>,
    tokens: &Tokens,
    token: Option<&str>,
    max_results: Option<i32>,
) -> Result<(Vec<T>, Option<String>), Error> {
    let from = tokens.read(token)?.and_then(|from| from.parse().ok()).unwrap_or(0_usize);
    let (count, size) = (list.len(), size(max_results));
    let next = from.saturating_add(size);
    let page = list.into_iter().skip(from).take(size).collect();
    Ok((page, (next < count).then(|| tokens.after(&next.to_string()))))
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};
    use proptest::sample::select;

    use super::*;

    #[test]
    fn labels_become_names() {
        assert_eq!(name("build nginx"), "build-nginx");
        assert_eq!(name("distribute to local-1, local-2"), "distribute-to-local-1--local-2");
        assert_eq!(name("9"), "step-9");
        assert_eq!(name(&"x".repeat(300)).len(), 100);
    }

    proptest! {
        /// A workflow is over when each of its steps is, and fails when one does.
        #[test]
        fn workflows_stand_as_their_steps_do(
            steps in vec(select(WorkflowStepExecutionStatus::ALL.to_vec()), 1..6),
        ) {
            let status = status(steps.iter().copied()).unwrap();
            let has = |wanted: WorkflowStepExecutionStatus| steps.contains(&wanted);
            let failed = has(WorkflowStepExecutionStatus::Failed);
            prop_assert_eq!(status == WorkflowExecutionStatus::Failed, failed);
            if status == WorkflowExecutionStatus::Completed {
                prop_assert!(!has(WorkflowStepExecutionStatus::Pending));
                prop_assert!(!has(WorkflowStepExecutionStatus::Running));
            }
        }

        /// Whatever a label is, the model takes the name.
        #[test]
        fn names_fit_the_model(label in ".{0,120}") {
            let name = name(&label);
            prop_assert!((2..=100).contains(&name.len()), "{}", name);
            prop_assert!(name.starts_with(|c: char| c.is_ascii_alphabetic()));
        }
    }
}
