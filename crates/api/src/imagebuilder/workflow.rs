//! Workflows: documents under versions, each changed document a new build (reference §1.5, §3).

use document::WorkflowStage;
use name::{Digest, Kind, Owner};
use store::resource::{self, Entry, Grain, New, Numbering};
use wire::imagebuilder::{
    CreateWorkflowRequest, CreateWorkflowResponse, DeleteWorkflowRequest, DeleteWorkflowResponse,
    Error, GetWorkflowExecutionRequest, GetWorkflowExecutionResponse, GetWorkflowRequest,
    GetWorkflowResponse, GetWorkflowStepExecutionRequest, GetWorkflowStepExecutionResponse,
    LatestVersionReferences, ListWaitingWorkflowStepsRequest, ListWaitingWorkflowStepsResponse,
    ListWorkflowBuildVersionsRequest, ListWorkflowBuildVersionsResponse,
    ListWorkflowExecutionsRequest, ListWorkflowExecutionsResponse,
    ListWorkflowStepExecutionsRequest, ListWorkflowStepExecutionsResponse, ListWorkflowsRequest,
    ListWorkflowsResponse, Operation, SendWorkflowStepActionRequest,
    SendWorkflowStepActionResponse, Workflow, WorkflowParameterDetail, WorkflowSummary,
    WorkflowType, WorkflowVersion, Workflows,
};
use wire::sigv4::Caller;

use super::component::{exact, inline, no_key};
use super::date::date;
use super::error::{arn, bad_document, dry_run, refusal, unsupported};
use super::filter::{Filters, Known};
use super::latest::{latest, listed_arn, version};
use super::own::{body, listed, owner};
use super::page::{Listing, Tokens};
use super::tag::some;
use crate::Api;

/// The model names none; these are those of components that workflows have, too.
const FILTERS: &[Known] =
    &[("description", "description"), ("name", "name"), ("type", "type"), ("version", "version")];

/// The kinds of workflow that come first and last in lists.
const KINDS: [Kind; 2] = [Kind::BuildWorkflow, Kind::TestWorkflow];

impl Workflows<Caller> for Api {
    async fn create_workflow(
        &self,
        caller: &Caller,
        input: CreateWorkflowRequest,
    ) -> Result<CreateWorkflowResponse, Error> {
        let operation = Operation::CreateWorkflow;
        let (claim, before) = self.claim(caller, operation, &input.client_token, &input).await?;
        let answer = match before {
            Some(answer) => answer,
            None => {
                let new = draft(caller, &input, claim.at)?;
                if input.dry_run == Some(true) {
                    resource::rehearse(self.db(), &new).await.map_err(refusal)?;
                    return Err(dry_run());
                }
                resource::create(self.db(), &new, &claim).await.map_err(refusal)?.answer()
            }
        };
        Ok(CreateWorkflowResponse {
            client_token: Some(input.client_token),
            latest_version_references: latest(&arn("workflowBuildVersionArn", &answer)?),
            workflow_build_version_arn: Some(answer),
        })
    }

    async fn delete_workflow(
        &self,
        caller: &Caller,
        input: DeleteWorkflowRequest,
    ) -> Result<DeleteWorkflowResponse, Error> {
        let arn = input.workflow_build_version_arn;
        self.delete(caller, "workflowBuildVersionArn", &arn).await?;
        Ok(DeleteWorkflowResponse { workflow_build_version_arn: Some(arn) })
    }

    async fn get_workflow(
        &self,
        caller: &Caller,
        input: GetWorkflowRequest,
    ) -> Result<GetWorkflowResponse, Error> {
        let arn = input.workflow_build_version_arn;
        let entry = self.find(caller, "workflowBuildVersionArn", &arn).await?;
        let mut references = latest(&entry.arn);
        if matches!(entry.arn.owner(), Owner::Managed(_)) {
            // Managed workflows are used at their latest version only.
            references = references.map(|all| LatestVersionReferences {
                latest_version_arn: all.latest_version_arn,
                ..LatestVersionReferences::default()
            });
        }
        Ok(GetWorkflowResponse {
            latest_version_references: references,
            workflow: Some(workflow(entry)?),
        })
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
        caller: &Caller,
        input: ListWorkflowBuildVersionsRequest,
    ) -> Result<ListWorkflowBuildVersionsResponse, Error> {
        let tokens = Tokens::of(caller, Operation::ListWorkflowBuildVersions, &input)?;
        let of = input.workflow_version_arn.as_deref();
        let listing = Listing {
            kinds: KINDS,
            of: of.map(|of| listed(caller, "workflowVersionArn", of)).transpose()?,
            max_results: input.max_results,
            next_token: input.next_token,
            ..Listing::of_kind(Kind::BuildWorkflow, None, &[])?
        };
        let (list, next_token) = self.page(caller, &tokens, listing, summary).await?;
        Ok(ListWorkflowBuildVersionsResponse { workflow_summary_list: Some(list), next_token })
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
        caller: &Caller,
        input: ListWorkflowsRequest,
    ) -> Result<ListWorkflowsResponse, Error> {
        let tokens = Tokens::of(caller, Operation::ListWorkflows, &input)?;
        let by_name = input.by_name == Some(true);
        let grain = if by_name { Grain::Names } else { Grain::Versions };
        let listing = Listing {
            owner: input.owner,
            kinds: KINDS,
            of: None,
            grain,
            filters: Filters::parse(input.filters, FILTERS)?,
            max_results: input.max_results,
            next_token: input.next_token,
        };
        let tell = |entry| version_level(entry, grain);
        let (list, next_token) = self.page(caller, &tokens, listing, tell).await?;
        Ok(ListWorkflowsResponse { workflow_version_list: Some(list), next_token })
    }

    async fn send_workflow_step_action(
        &self,
        caller: &Caller,
        input: SendWorkflowStepActionRequest,
    ) -> Result<SendWorkflowStepActionResponse, Error> {
        // The image must be the caller's before anything is said of its steps.
        self.build(caller, "imageBuildVersionArn", &input.image_build_version_arn).await?;
        Err(unsupported(format!(
            "The step '{}' does not wait: images are built by the managed workflows so far, \
             and none of their steps waits for an answer.",
            input.step_execution_id
        )))
    }
}

/// Returns the workflow that a request asks for, if its document is valid.
fn draft(caller: &Caller, input: &CreateWorkflowRequest, at: i64) -> Result<New, Error> {
    let data = inline(input.data.as_deref(), input.uri.as_deref())?;
    no_key(input.kms_key_id.as_deref())?;
    let stage = stage(input.r#type);
    let document = document::Workflow::parse(data, stage)
        .map_err(|problems| bad_document(&problems, data))?
        .value;
    let body = Workflow {
        change_description: input.change_description.clone(),
        description: input.description.clone(),
        ..described(&document, data, stage)
    };
    let contents = Digest::of(data.as_bytes());
    Ok(New {
        account: caller.account.clone(),
        region: caller.region.clone(),
        kind: kind(stage),
        name: input.name.clone(),
        numbering: Numbering::Build { version: exact(&input.semantic_version)?, contents },
        body: serde_json::json!(body),
        tags: input.tags.clone().unwrap_or_default(),
        references: Vec::new(),
        at,
    })
}

/// Returns what a document says of its workflow.
pub(super) fn described(
    document: &document::Workflow,
    data: &str,
    stage: WorkflowStage,
) -> Workflow {
    let parameters = document.parameters.iter().map(|parameter| WorkflowParameterDetail {
        name: parameter.name.clone(),
        r#type: parameter.kind.to_owned(),
        default_value: parameter.default.clone(),
        description: parameter.description.clone(),
    });
    let parameters: Vec<_> = parameters.collect();
    Workflow {
        data: Some(data.to_owned()),
        description: document.description.clone().filter(|text| !text.is_empty()),
        parameters: some(parameters),
        r#type: Some(match stage {
            WorkflowStage::Build => WorkflowType::Build,
            WorkflowStage::Test => WorkflowType::Test,
            WorkflowStage::Distribution => WorkflowType::Distribution,
        }),
        ..Workflow::default()
    }
}

/// Returns the kind of resource that workflows for `stage` are.
pub(super) fn kind(stage: WorkflowStage) -> Kind {
    match stage {
        WorkflowStage::Build => Kind::BuildWorkflow,
        WorkflowStage::Test => Kind::TestWorkflow,
        WorkflowStage::Distribution => Kind::DistributionWorkflow,
    }
}

fn stage(r#type: WorkflowType) -> WorkflowStage {
    match r#type {
        WorkflowType::Build => WorkflowStage::Build,
        WorkflowType::Test => WorkflowStage::Test,
        WorkflowType::Distribution => WorkflowStage::Distribution,
    }
}

fn workflow(entry: Entry) -> Result<Workflow, Error> {
    Ok(Workflow {
        arn: Some(entry.arn.to_string()),
        date_created: Some(date(entry.created_at)),
        owner: Some(owner(&entry.arn)),
        version: Some(version(&entry.arn)),
        tags: some(entry.tags.clone()),
        name: Some(entry.name.clone()),
        ..body(&entry)?
    })
}

fn summary(entry: Entry) -> Result<WorkflowSummary, Error> {
    let workflow = workflow(entry)?;
    Ok(WorkflowSummary {
        arn: workflow.arn,
        change_description: workflow.change_description,
        date_created: workflow.date_created,
        description: workflow.description,
        name: workflow.name,
        owner: workflow.owner,
        state: None,
        tags: workflow.tags,
        r#type: workflow.r#type,
        version: workflow.version,
    })
}

fn version_level(entry: Entry, grain: Grain) -> Result<WorkflowVersion, Error> {
    let arn = listed_arn(&entry.arn, grain);
    let workflow = workflow(entry)?;
    Ok(WorkflowVersion {
        arn: Some(arn.to_string()),
        date_created: workflow.date_created,
        description: workflow.description,
        name: workflow.name,
        owner: workflow.owner,
        r#type: workflow.r#type,
        version: workflow.version,
    })
}
