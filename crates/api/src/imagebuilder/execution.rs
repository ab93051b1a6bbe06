//! Workflow executions and their steps: found by their ids and listed by their image.

mod executed;

use model::ImageState;
use store::image::{self, Image};
use store::{StoreErrorKind, Workflow, step};
use wire::imagebuilder::{
    Error, GetWorkflowExecutionRequest, GetWorkflowExecutionResponse,
    GetWorkflowStepExecutionRequest, GetWorkflowStepExecutionResponse,
    ListWaitingWorkflowStepsRequest, ListWaitingWorkflowStepsResponse,
    ListWorkflowExecutionsRequest, ListWorkflowExecutionsResponse,
    ListWorkflowStepExecutionsRequest, ListWorkflowStepExecutionsResponse, Operation,
};
use wire::sigv4::Caller;

use super::error::{not_found, refusal};
use super::execution_id::{Named, id, parse};
use super::image::arn_of;
use super::page::{Tokens, size};
use crate::Api;

use executed::Executed;

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
        let listed = executed.listed().collect();
        let (page, next_token) =
            page(listed, &tokens, input.next_token.as_deref(), input.max_results)?;
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
        Ok(Executed::new(image, &recorded))
    }
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
