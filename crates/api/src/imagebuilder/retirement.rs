//! How images are retired by hand (reference §6.3): a change of state, of its AMIs' too if they are
//! included, and the lifecycle execution that tells of it.

use model::ImageState;
use name::{AmiId, Digest};
use store::client_token::Claim;
use store::image::Image;
use store::lifecycle::{self, Change, Execution, Resource, Snapshots};
use store::{LifecycleAction, LifecycleState, ami};
use wire::imagebuilder::{
    Error, ErrorKind, GetLifecycleExecutionRequest, GetLifecycleExecutionResponse,
    LifecycleExecution, LifecycleExecutionResource, LifecycleExecutionResourceAction,
    LifecycleExecutionResourceActionName, LifecycleExecutionResourceState,
    LifecycleExecutionResourceStatus, LifecycleExecutionResourcesImpactedSummary,
    LifecycleExecutionSnapshotResource, LifecycleExecutionState, LifecycleExecutionStatus,
    LifecyclePolicyDetailExclusionRulesAmis, ListLifecycleExecutionResourcesRequest,
    ListLifecycleExecutionResourcesResponse, ListLifecycleExecutionsRequest,
    ListLifecycleExecutionsResponse, Operation, ResourceStateUpdateIncludeResources,
    ResourceStatus, StartResourceStateUpdateRequest, StartResourceStateUpdateResponse,
};
use wire::sigv4::Caller;

use super::error::{not_found, refusal, unsupported};
use super::execution_id::hyphenated;
use super::image::{moved, scope, time};
use super::page::{Tokens, size};
use super::tag::some;
use crate::Api;

impl Api {
    /// Changes the state of an image and returns the id of the execution that did.
    pub(crate) async fn retire(
        &self,
        caller: &Caller,
        input: StartResourceStateUpdateRequest,
    ) -> Result<StartResourceStateUpdateResponse, Error> {
        let operation = Operation::StartResourceStateUpdate;
        let (claim, before) = self.claim(caller, operation, &input.client_token, &input).await?;
        let answer = match before {
            Some(answer) => answer,
            None => self.once(&claim, self.change_state(caller, &input, &claim)).await?,
        };
        Ok(StartResourceStateUpdateResponse {
            lifecycle_execution_id: Some(answer),
            resource_arn: Some(input.resource_arn),
        })
    }

    async fn change_state(
        &self,
        caller: &Caller,
        input: &StartResourceStateUpdateRequest,
        claim: &Claim,
    ) -> Result<String, Error> {
        let image = self.build(caller, "resourceArn", &input.resource_arn).await?;
        if image.state.is_in_progress() {
            let message = format!("The image is {}: it is still being built.", image.state);
            return Err(Error::new(ErrorKind::ResourceInUse, message));
        }
        let (to, include) = self.wanted(input)?;
        let amis = ami::of_run(self.db(), image.run).await.map_err(refusal)?;
        let execution = execution(caller, input, claim.at, &claim.token);
        let plan = plan(&image, to, &include, input, &amis, claim.at)?;
        let done = lifecycle::carry_out(self.db(), &plan.change, &execution, &plan.told, claim);
        done.await.map_err(moved)
    }

    /// Returns what an image is to become and what is to go with it, if that can be done.
    fn wanted(
        &self,
        input: &StartResourceStateUpdateRequest,
    ) -> Result<(ImageState, ResourceStateUpdateIncludeResources), Error> {
        let to = match input.state.status {
            Some(ResourceStatus::Available) => ImageState::Available,
            Some(ResourceStatus::Deprecated) => ImageState::Deprecated,
            Some(ResourceStatus::Disabled) => ImageState::Disabled,
            Some(ResourceStatus::Deleted) => ImageState::Deleted,
            None => return Err(unsupported("'state.status' must be given.")),
        };
        let now = time(self.now());
        if input.update_at.is_some_and(|at| at > now) {
            return Err(unsupported("updateAt: a state cannot be changed at a later time yet."));
        }
        let include = input.include_resources.clone().unwrap_or_default();
        let [amis, snapshots, containers] =
            [include.amis, include.snapshots, include.containers].map(|it| it == Some(true));
        if to == ImageState::Deleted && !(amis || snapshots || containers) {
            return Err(unsupported(
                "A deletion must include the AMIs, the snapshots or the containers of the image.",
            ));
        }
        if snapshots && !amis {
            return Err(unsupported("Snapshots are included together with their AMIs only."));
        }
        Ok((to, include))
    }

    /// Returns an execution.
    pub(crate) async fn lifecycle_execution(
        &self,
        caller: &Caller,
        input: GetLifecycleExecutionRequest,
    ) -> Result<GetLifecycleExecutionResponse, Error> {
        let execution = self.execution(caller, &input.lifecycle_execution_id).await?;
        Ok(GetLifecycleExecutionResponse { lifecycle_execution: Some(tell(&execution)) })
    }

    /// Returns a page of the executions about an image, the newest first.
    pub(crate) async fn lifecycle_executions(
        &self,
        caller: &Caller,
        input: ListLifecycleExecutionsRequest,
    ) -> Result<ListLifecycleExecutionsResponse, Error> {
        let tokens = Tokens::of(caller, Operation::ListLifecycleExecutions, &input)?;
        let after = tokens.read(input.next_token.as_deref())?;
        let after = after.as_deref().and_then(|text| text.split_once(' '));
        let after = after.and_then(|(at, id)| Some((at.parse().ok()?, id)));
        let size = size(input.max_results);
        let limit = size as u32 + 1;
        let resource = &input.resource_arn;
        let found = lifecycle::list(self.db(), scope(caller), resource, after, limit);
        let mut found = found.await.map_err(refusal)?;
        let is_more = found.len() > size;
        found.truncate(size);
        let last = found.last().filter(|_| is_more);
        Ok(ListLifecycleExecutionsResponse {
            next_token: last.map(|last| tokens.after(&format!("{} {}", last.started_at, last.id))),
            lifecycle_executions: Some(found.iter().map(tell).collect()),
        })
    }

    /// Returns a page of what an execution dealt with.
    pub(crate) async fn lifecycle_resources(
        &self,
        caller: &Caller,
        input: ListLifecycleExecutionResourcesRequest,
    ) -> Result<ListLifecycleExecutionResourcesResponse, Error> {
        let tokens = Tokens::of(caller, Operation::ListLifecycleExecutionResources, &input)?;
        let execution = self.execution(caller, &input.lifecycle_execution_id).await?;
        let from = tokens.read(input.next_token.as_deref())?;
        let from = from.and_then(|from| from.parse().ok()).unwrap_or(0_u32);
        let size = size(input.max_results);
        let (parent, limit) = (input.parent_resource_id.as_deref(), size as u32 + 1);
        let found = lifecycle::resources(self.db(), &execution.id, parent, from, limit);
        let mut found = found.await.map_err(refusal)?;
        let is_more = found.len() > size;
        found.truncate(size);
        let next = from + found.len() as u32;
        Ok(ListLifecycleExecutionResourcesResponse {
            lifecycle_execution_state: Some(state(&execution)),
            lifecycle_execution_id: Some(execution.id),
            resources: Some(found.iter().map(tell_resource).collect()),
            next_token: is_more.then(|| tokens.after(&next.to_string())),
        })
    }

    pub(crate) async fn execution(&self, caller: &Caller, id: &str) -> Result<Execution, Error> {
        let found = lifecycle::get(self.db(), scope(caller), id).await.map_err(refusal)?;
        found.ok_or_else(|| not_found(id))
    }
}

/// What will be done, and what will be told of it.
struct Plan {
    change: Change,
    told: Vec<Resource>,
}

fn plan(
    image: &Image,
    to: ImageState,
    include: &ResourceStateUpdateIncludeResources,
    input: &StartResourceStateUpdateRequest,
    amis: &[ami::Entry],
    at: i64,
) -> Result<Plan, Error> {
    let rules = input.exclusion_rules.as_ref().and_then(|rules| rules.amis.as_ref());
    if rules.is_some_and(|rules| rules.last_launched.is_some()) {
        return Err(unsupported("exclusionRules: when AMIs were launched is not recorded yet."));
    }
    let snapshots = match include.snapshots {
        Some(true) if to == ImageState::Deleted => Snapshots::Deleted,
        Some(_) | None => Snapshots::Kept,
    };
    let resource = |parent: Option<&str>, id: String, region| Resource {
        parent: parent.map(str::to_owned),
        resource: id,
        account: image.account.clone(),
        region,
        action: action(to),
        state: LifecycleState::Success,
        reason: String::new(),
        snapshots: Vec::new(),
        started_at: at,
        ended_at: Some(at),
    };
    let own = &input.resource_arn;
    let mut told = vec![resource(None, own.clone(), image.region.clone())];
    let mut changed: Vec<AmiId> = Vec::new();
    for entry in amis.iter().filter(|_| include.amis == Some(true)) {
        let part = resource(Some(own), entry.ami.id.to_string(), entry.ami.region.clone());
        told.push(match rules.and_then(|rules| excluded(rules, entry)) {
            Some(reason) => Resource { state: LifecycleState::Skipped, reason, ..part },
            None => {
                changed.push(entry.ami.id);
                let gone = (snapshots == Snapshots::Deleted).then_some(entry.ami.root);
                Resource { snapshots: gone.into_iter().collect(), ..part }
            }
        });
    }
    Ok(Plan { change: Change { run: image.run, to, amis: changed, snapshots }, told })
}

/// Returns why an AMI is left alone, in the order of reference §6.2. No AMI is public or shared.
fn excluded(rules: &LifecyclePolicyDetailExclusionRulesAmis, entry: &ami::Entry) -> Option<String> {
    let region = entry.ami.region.as_str();
    if rules.regions.iter().flatten().any(|excluded| excluded == region) {
        return Some(format!("The region {region} is excluded."));
    }
    let tags = rules.tag_map.iter().flatten();
    let mut own = tags.filter(|(name, value)| entry.ami.tags.get(name) == Some(value.as_str()));
    own.next().map(|(name, _)| format!("The tag {name} of the AMI is excluded."))
}

fn action(to: ImageState) -> LifecycleAction {
    match to {
        ImageState::Deprecated => LifecycleAction::Deprecate,
        ImageState::Disabled => LifecycleAction::Disable,
        ImageState::Deleted => LifecycleAction::Delete,
        ImageState::Pending
        | ImageState::Creating
        | ImageState::Building
        | ImageState::Testing
        | ImageState::Distributing
        | ImageState::Integrating
        | ImageState::Available
        | ImageState::Failed
        | ImageState::Cancelled => LifecycleAction::Available,
    }
}

fn execution(
    caller: &Caller,
    input: &StartResourceStateUpdateRequest,
    at: i64,
    token: &str,
) -> Execution {
    // Tokens tell requests apart, and after a day the time does.
    let mut builder = Digest::builder("lifecycle-execution/1");
    builder.text(caller.account.as_str()).text(caller.region.as_str()).text(token);
    builder.text(&input.resource_arn).number(at.unsigned_abs());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&builder.finish().as_bytes()[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    Execution {
        id: format!("lce-{}", hyphenated(bytes)),
        account: caller.account.clone(),
        region: caller.region.clone(),
        resource: input.resource_arn.clone(),
        state: LifecycleState::Success,
        reason: String::new(),
        started_at: at,
        ended_at: Some(at),
    }
}

fn tell(execution: &Execution) -> LifecycleExecution {
    LifecycleExecution {
        lifecycle_execution_id: Some(execution.id.clone()),
        lifecycle_policy_arn: None,
        // An execution that changes nothing is refused before it is recorded.
        resources_impacted_summary: Some(LifecycleExecutionResourcesImpactedSummary {
            has_impacted_resources: Some(true),
        }),
        state: Some(state(execution)),
        start_time: Some(time(execution.started_at)),
        end_time: execution.ended_at.map(time),
    }
}

fn state(execution: &Execution) -> LifecycleExecutionState {
    let status = match execution.state {
        LifecycleState::InProgress => LifecycleExecutionStatus::InProgress,
        LifecycleState::Success | LifecycleState::Skipped => LifecycleExecutionStatus::Success,
        LifecycleState::Failed => LifecycleExecutionStatus::Failed,
    };
    LifecycleExecutionState { status: Some(status), reason: some(execution.reason.clone()) }
}

fn tell_resource(resource: &Resource) -> LifecycleExecutionResource {
    let state = resource_state(resource);
    let action = match resource.action {
        LifecycleAction::Available => LifecycleExecutionResourceActionName::Available,
        LifecycleAction::Delete => LifecycleExecutionResourceActionName::Delete,
        LifecycleAction::Deprecate => LifecycleExecutionResourceActionName::Deprecate,
        LifecycleAction::Disable => LifecycleExecutionResourceActionName::Disable,
    };
    let snapshots = resource.snapshots.iter().map(|id| LifecycleExecutionSnapshotResource {
        snapshot_id: Some(id.to_string()),
        state: Some(state.clone()),
    });
    LifecycleExecutionResource {
        account_id: Some(resource.account.to_string()),
        resource_id: Some(resource.resource.clone()),
        snapshots: some(snapshots.collect()),
        state: Some(state),
        action: Some(LifecycleExecutionResourceAction { name: Some(action), reason: None }),
        region: Some(resource.region.to_string()),
        image_uris: None,
        start_time: Some(time(resource.started_at)),
        end_time: resource.ended_at.map(time),
    }
}

fn resource_state(resource: &Resource) -> LifecycleExecutionResourceState {
    let status = match resource.state {
        LifecycleState::InProgress => LifecycleExecutionResourceStatus::InProgress,
        LifecycleState::Success => LifecycleExecutionResourceStatus::Success,
        LifecycleState::Failed => LifecycleExecutionResourceStatus::Failed,
        LifecycleState::Skipped => LifecycleExecutionResourceStatus::Skipped,
    };
    LifecycleExecutionResourceState { status: Some(status), reason: some(resource.reason.clone()) }
}
