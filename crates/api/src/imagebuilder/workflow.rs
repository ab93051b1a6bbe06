//! Workflows: documents that say how images are built, tested and distributed.

use wire::imagebuilder::{
    CreateWorkflowRequest, CreateWorkflowResponse, DeleteWorkflowRequest, DeleteWorkflowResponse,
    Error, GetWorkflowExecutionRequest, GetWorkflowExecutionResponse, GetWorkflowRequest,
    GetWorkflowResponse, GetWorkflowStepExecutionRequest, GetWorkflowStepExecutionResponse,
    ListWaitingWorkflowStepsRequest, ListWaitingWorkflowStepsResponse,
    ListWorkflowBuildVersionsRequest, ListWorkflowBuildVersionsResponse,
    ListWorkflowExecutionsRequest, ListWorkflowExecutionsResponse,
    ListWorkflowStepExecutionsRequest, ListWorkflowStepExecutionsResponse, ListWorkflowsRequest,
    ListWorkflowsResponse, Operation, SendWorkflowStepActionRequest,
    SendWorkflowStepActionResponse, Workflows,
};
use wire::sigv4::Caller;

use super::error::not_yet;
use crate::Api;

impl Workflows<Caller> for Api {
    async fn create_workflow(
        &self,
        _: &Caller,
        _: CreateWorkflowRequest,
    ) -> Result<CreateWorkflowResponse, Error> {
        Err(not_yet(Operation::CreateWorkflow))
    }

    async fn delete_workflow(
        &self,
        _: &Caller,
        _: DeleteWorkflowRequest,
    ) -> Result<DeleteWorkflowResponse, Error> {
        Err(not_yet(Operation::DeleteWorkflow))
    }

    async fn get_workflow(
        &self,
        _: &Caller,
        _: GetWorkflowRequest,
    ) -> Result<GetWorkflowResponse, Error> {
        Err(not_yet(Operation::GetWorkflow))
    }

    async fn get_workflow_execution(
        &self,
        caller: &Caller,
        input: GetWorkflowExecutionRequest,
    ) -> Result<GetWorkflowExecutionResponse, Error> {
        self.workflow_execution(caller, input).await
    }

    async fn get_workflow_step_execution(
        &self,
        caller: &Caller,
        input: GetWorkflowStepExecutionRequest,
    ) -> Result<GetWorkflowStepExecutionResponse, Error> {
        self.step_execution(caller, input).await
    }

    async fn list_waiting_workflow_steps(
        &self,
        caller: &Caller,
        input: ListWaitingWorkflowStepsRequest,
    ) -> Result<ListWaitingWorkflowStepsResponse, Error> {
        Self::waiting_steps(caller, &input)
    }

    async fn list_workflow_build_versions(
        &self,
        _: &Caller,
        _: ListWorkflowBuildVersionsRequest,
    ) -> Result<ListWorkflowBuildVersionsResponse, Error> {
        Err(not_yet(Operation::ListWorkflowBuildVersions))
    }

    async fn list_workflow_executions(
        &self,
        caller: &Caller,
        input: ListWorkflowExecutionsRequest,
    ) -> Result<ListWorkflowExecutionsResponse, Error> {
        self.workflow_executions(caller, input).await
    }

    async fn list_workflow_step_executions(
        &self,
        caller: &Caller,
        input: ListWorkflowStepExecutionsRequest,
    ) -> Result<ListWorkflowStepExecutionsResponse, Error> {
        self.step_executions(caller, input).await
    }

    async fn list_workflows(
        &self,
        _: &Caller,
        _: ListWorkflowsRequest,
    ) -> Result<ListWorkflowsResponse, Error> {
        Err(not_yet(Operation::ListWorkflows))
    }

    async fn send_workflow_step_action(
        &self,
        _: &Caller,
        _: SendWorkflowStepActionRequest,
    ) -> Result<SendWorkflowStepActionResponse, Error> {
        Err(not_yet(Operation::SendWorkflowStepAction))
    }
}
