//! Lifecycle policies: how long images are kept.

use wire::imagebuilder::{
    CancelLifecycleExecutionRequest, CancelLifecycleExecutionResponse,
    CreateLifecyclePolicyRequest, CreateLifecyclePolicyResponse, DeleteLifecyclePolicyRequest,
    DeleteLifecyclePolicyResponse, Error, GetLifecycleExecutionRequest,
    GetLifecycleExecutionResponse, GetLifecyclePolicyRequest, GetLifecyclePolicyResponse,
    LifecyclePolicies, ListLifecycleExecutionResourcesRequest,
    ListLifecycleExecutionResourcesResponse, ListLifecycleExecutionsRequest,
    ListLifecycleExecutionsResponse, ListLifecyclePoliciesRequest, ListLifecyclePoliciesResponse,
    Operation, StartResourceStateUpdateRequest, StartResourceStateUpdateResponse,
    UpdateLifecyclePolicyRequest, UpdateLifecyclePolicyResponse,
};
use wire::sigv4::Caller;

use super::error::not_yet;
use crate::Api;

impl LifecyclePolicies<Caller> for Api {
    async fn cancel_lifecycle_execution(
        &self,
        _: &Caller,
        _: CancelLifecycleExecutionRequest,
    ) -> Result<CancelLifecycleExecutionResponse, Error> {
        Err(not_yet(Operation::CancelLifecycleExecution))
    }

    async fn create_lifecycle_policy(
        &self,
        _: &Caller,
        _: CreateLifecyclePolicyRequest,
    ) -> Result<CreateLifecyclePolicyResponse, Error> {
        Err(not_yet(Operation::CreateLifecyclePolicy))
    }

    async fn delete_lifecycle_policy(
        &self,
        _: &Caller,
        _: DeleteLifecyclePolicyRequest,
    ) -> Result<DeleteLifecyclePolicyResponse, Error> {
        Err(not_yet(Operation::DeleteLifecyclePolicy))
    }

    async fn get_lifecycle_execution(
        &self,
        caller: &Caller,
        input: GetLifecycleExecutionRequest,
    ) -> Result<GetLifecycleExecutionResponse, Error> {
        self.lifecycle_execution(caller, input).await
    }

    async fn get_lifecycle_policy(
        &self,
        _: &Caller,
        _: GetLifecyclePolicyRequest,
    ) -> Result<GetLifecyclePolicyResponse, Error> {
        Err(not_yet(Operation::GetLifecyclePolicy))
    }

    async fn list_lifecycle_execution_resources(
        &self,
        caller: &Caller,
        input: ListLifecycleExecutionResourcesRequest,
    ) -> Result<ListLifecycleExecutionResourcesResponse, Error> {
        self.lifecycle_resources(caller, input).await
    }

    async fn list_lifecycle_executions(
        &self,
        caller: &Caller,
        input: ListLifecycleExecutionsRequest,
    ) -> Result<ListLifecycleExecutionsResponse, Error> {
        self.lifecycle_executions(caller, input).await
    }

    async fn list_lifecycle_policies(
        &self,
        _: &Caller,
        _: ListLifecyclePoliciesRequest,
    ) -> Result<ListLifecyclePoliciesResponse, Error> {
        Err(not_yet(Operation::ListLifecyclePolicies))
    }

    async fn start_resource_state_update(
        &self,
        caller: &Caller,
        input: StartResourceStateUpdateRequest,
    ) -> Result<StartResourceStateUpdateResponse, Error> {
        self.retire(caller, input).await
    }

    async fn update_lifecycle_policy(
        &self,
        _: &Caller,
        _: UpdateLifecyclePolicyRequest,
    ) -> Result<UpdateLifecyclePolicyResponse, Error> {
        Err(not_yet(Operation::UpdateLifecyclePolicy))
    }
}
