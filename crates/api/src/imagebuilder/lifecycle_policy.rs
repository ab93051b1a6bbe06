//! Lifecycle policies: how long images are kept. Their executions are left to a later issue.

mod check;

use name::Kind;
use serde_json::json;
use store::resource::{Entry, New};
use wire::Timestamp;
use wire::imagebuilder::{
    CancelLifecycleExecutionRequest, CancelLifecycleExecutionResponse,
    CreateLifecyclePolicyRequest, CreateLifecyclePolicyResponse, DeleteLifecyclePolicyRequest,
    DeleteLifecyclePolicyResponse, Error, GetLifecycleExecutionRequest,
    GetLifecycleExecutionResponse, GetLifecyclePolicyRequest, GetLifecyclePolicyResponse,
    LifecyclePolicies, LifecyclePolicy, LifecyclePolicyStatus, LifecyclePolicySummary,
    ListLifecycleExecutionResourcesRequest, ListLifecycleExecutionResourcesResponse,
    ListLifecycleExecutionsRequest, ListLifecycleExecutionsResponse, ListLifecyclePoliciesRequest,
    ListLifecyclePoliciesResponse, Operation, StartResourceStateUpdateRequest,
    StartResourceStateUpdateResponse, UpdateLifecyclePolicyRequest, UpdateLifecyclePolicyResponse,
};
use wire::sigv4::Caller;

use super::date::updated;
use super::error::unsupported;
use super::filter::Known;
use super::make::plain;
use super::own::{body, own};
use super::page::{Listing, Tokens};
use super::tag::some;
use crate::Api;

const FILTERS: &[Known] = &[("Name", "name"), ("Status", "status")];
const ARN: &str = "lifecyclePolicyArn";

impl LifecyclePolicies<Caller> for Api {
    async fn cancel_lifecycle_execution(
        &self,
        caller: &Caller,
        input: CancelLifecycleExecutionRequest,
    ) -> Result<CancelLifecycleExecutionResponse, Error> {
        let id = self.execution(caller, &input.lifecycle_execution_id).await?.id;
        Err(unsupported(format!(
            "'{id}' cannot be cancelled: it has ended, as states are changed at once so far."
        )))
    }

    async fn create_lifecycle_policy(
        &self,
        caller: &Caller,
        input: CreateLifecyclePolicyRequest,
    ) -> Result<CreateLifecyclePolicyResponse, Error> {
        let operation = Operation::CreateLifecyclePolicy;
        let (claim, before) = self.claim(caller, operation, &input.client_token, &input).await?;
        let answer = match before {
            Some(answer) => answer,
            None => {
                let body = LifecyclePolicy {
                    description: input.description,
                    execution_role: Some(input.execution_role),
                    policy_details: Some(input.policy_details),
                    resource_selection: Some(input.resource_selection),
                    resource_type: Some(input.resource_type),
                    status: Some(input.status.unwrap_or(LifecyclePolicyStatus::Enabled)),
                    ..LifecyclePolicy::default()
                };
                check::check(&body)?;
                let tags = input.tags.unwrap_or_default();
                let kind = Kind::LifecyclePolicy;
                let new = New { tags, ..plain(caller, kind, &input.name, json!(body), claim.at) };
                self.make(&new, &claim, input.dry_run).await?
            }
        };
        Ok(CreateLifecyclePolicyResponse {
            client_token: Some(input.client_token),
            lifecycle_policy_arn: Some(answer),
        })
    }

    async fn delete_lifecycle_policy(
        &self,
        caller: &Caller,
        input: DeleteLifecyclePolicyRequest,
    ) -> Result<DeleteLifecyclePolicyResponse, Error> {
        let arn = input.lifecycle_policy_arn;
        self.delete(caller, ARN, &arn).await?;
        Ok(DeleteLifecyclePolicyResponse { lifecycle_policy_arn: Some(arn) })
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
        caller: &Caller,
        input: GetLifecyclePolicyRequest,
    ) -> Result<GetLifecyclePolicyResponse, Error> {
        let entry = self.find(caller, ARN, &input.lifecycle_policy_arn).await?;
        Ok(GetLifecyclePolicyResponse { lifecycle_policy: Some(policy(entry)?) })
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
        caller: &Caller,
        input: ListLifecyclePoliciesRequest,
    ) -> Result<ListLifecyclePoliciesResponse, Error> {
        let tokens = Tokens::of(caller, Operation::ListLifecyclePolicies, &input)?;
        let mut listing = Listing::of_kind(Kind::LifecyclePolicy, input.filters, FILTERS)?;
        listing.max_results = input.max_results;
        listing.next_token = input.next_token;
        let (list, next_token) = self.page(caller, &tokens, listing, summary).await?;
        Ok(ListLifecyclePoliciesResponse { lifecycle_policy_summary_list: Some(list), next_token })
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
        caller: &Caller,
        input: UpdateLifecyclePolicyRequest,
    ) -> Result<UpdateLifecyclePolicyResponse, Error> {
        let operation = Operation::UpdateLifecyclePolicy;
        let (claim, before) = self.claim(caller, operation, &input.client_token, &input).await?;
        let text = input.lifecycle_policy_arn;
        if before.is_none() {
            let arn = own(caller, ARN, &text)?;
            let body = LifecyclePolicy {
                description: input.description,
                execution_role: Some(input.execution_role),
                policy_details: Some(input.policy_details),
                resource_selection: Some(input.resource_selection),
                resource_type: Some(input.resource_type),
                status: Some(input.status.unwrap_or(LifecyclePolicyStatus::Enabled)),
                ..LifecyclePolicy::default()
            };
            check::check(&body)?;
            self.replace(arn, json!(body), &claim).await?;
        }
        Ok(UpdateLifecyclePolicyResponse { lifecycle_policy_arn: Some(text) })
    }
}

fn policy(entry: Entry) -> Result<LifecyclePolicy, Error> {
    Ok(LifecyclePolicy {
        arn: Some(entry.arn.to_string()),
        date_created: Some(timestamp(entry.created_at)),
        date_updated: updated(&entry).map(timestamp),
        name: Some(entry.name.clone()),
        tags: some(entry.tags.clone()),
        ..body(&entry)?
    })
}

fn summary(entry: Entry) -> Result<LifecyclePolicySummary, Error> {
    let policy = policy(entry)?;
    Ok(LifecyclePolicySummary {
        arn: policy.arn,
        date_created: policy.date_created,
        date_last_run: policy.date_last_run,
        date_updated: policy.date_updated,
        description: policy.description,
        execution_role: policy.execution_role,
        name: policy.name,
        resource_type: policy.resource_type,
        status: policy.status,
        tags: policy.tags,
    })
}

/// Returns the time that is `at` microseconds after 1970.
fn timestamp(at: i64) -> Timestamp {
    Timestamp::from_millis(u64::try_from(at / 1000).unwrap_or_default())
}
