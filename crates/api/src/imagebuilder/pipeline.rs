//! Pipelines: a recipe, what surrounds it, and when it is built.

mod draft;

use serde::Serialize;

use name::Kind;
use store::image::{self, Filters};
use store::resource::{self, Entry, New, Numbering, Replacement};
use wire::imagebuilder::{
    CreateImagePipelineRequest, CreateImagePipelineResponse, DeleteImagePipelineRequest,
    DeleteImagePipelineResponse, Error, GetImagePipelineRequest, GetImagePipelineResponse,
    ImagePipeline, ImagePipelines, ListImagePipelineImagesRequest, ListImagePipelineImagesResponse,
    ListImagePipelinesRequest, ListImagePipelinesResponse, Operation, PipelineStatus,
    StartImagePipelineExecutionRequest, StartImagePipelineExecutionResponse,
    UpdateImagePipelineRequest, UpdateImagePipelineResponse,
};
use wire::sigv4::Caller;

use super::date::date;
use super::error::{dry_run, refusal};
use super::filter::Known;
use super::image::status;
use super::own::{body, own};
use super::page::{Listing, Tokens};
use super::tag::some;
use crate::Api;
use crate::schedule::{Schedule, zone};

const FILTERS: &[Known] = &[
    ("description", "description"),
    ("distributionConfigurationArn", "distributionConfigurationArn"),
    ("imageRecipeArn", "imageRecipeArn"),
    ("infrastructureConfigurationArn", "infrastructureConfigurationArn"),
    ("name", "name"),
    ("status", "status"),
];

impl ImagePipelines<Caller> for Api {
    async fn create_image_pipeline(
        &self,
        caller: &Caller,
        input: CreateImagePipelineRequest,
    ) -> Result<CreateImagePipelineResponse, Error> {
        let operation = Operation::CreateImagePipeline;
        let (claim, before) = self.claim(caller, operation, &input.client_token, &input).await?;
        let answer = match before {
            Some(answer) => answer,
            None => {
                let (body, references) = draft::check(self, caller, draft::created(&input)).await?;
                let new = New {
                    account: caller.account.clone(),
                    region: caller.region.clone(),
                    kind: Kind::ImagePipeline,
                    name: input.name,
                    numbering: Numbering::Unversioned,
                    body: serde_json::json!(body),
                    tags: input.tags.unwrap_or_default(),
                    references,
                    at: claim.at,
                };
                if input.dry_run == Some(true) {
                    resource::rehearse(self.db(), &new).await.map_err(refusal)?;
                    return Err(dry_run());
                }
                resource::create(self.db(), &new, &claim).await.map_err(refusal)?.answer()
            }
        };
        Ok(CreateImagePipelineResponse {
            client_token: Some(input.client_token),
            image_pipeline_arn: Some(answer),
            request_id: None,
        })
    }

    async fn delete_image_pipeline(
        &self,
        caller: &Caller,
        input: DeleteImagePipelineRequest,
    ) -> Result<DeleteImagePipelineResponse, Error> {
        let arn = input.image_pipeline_arn;
        self.delete(caller, "imagePipelineArn", &arn).await?;
        Ok(DeleteImagePipelineResponse { image_pipeline_arn: Some(arn), request_id: None })
    }

    async fn get_image_pipeline(
        &self,
        caller: &Caller,
        input: GetImagePipelineRequest,
    ) -> Result<GetImagePipelineResponse, Error> {
        let entry = self.find(caller, "imagePipelineArn", &input.image_pipeline_arn).await?;
        let pipeline = self.tell_runs(recorded(entry)?, self.now()).await?;
        Ok(GetImagePipelineResponse { image_pipeline: Some(pipeline), request_id: None })
    }

    async fn list_image_pipeline_images(
        &self,
        caller: &Caller,
        input: ListImagePipelineImagesRequest,
    ) -> Result<ListImagePipelineImagesResponse, Error> {
        self.pipeline_images(caller, input).await
    }

    async fn list_image_pipelines(
        &self,
        caller: &Caller,
        input: ListImagePipelinesRequest,
    ) -> Result<ListImagePipelinesResponse, Error> {
        let tokens = Tokens::of(caller, Operation::ListImagePipelines, &input)?;
        let listing = Listing {
            max_results: input.max_results,
            next_token: input.next_token,
            ..Listing::of_kind(Kind::ImagePipeline, input.filters, FILTERS)?
        };
        let now = self.now();
        let (page, next_token) = self.page(caller, &tokens, listing, recorded).await?;
        let mut list = Vec::new();
        for recorded in page {
            list.push(self.tell_runs(recorded, now).await?);
        }
        Ok(ListImagePipelinesResponse {
            image_pipeline_list: Some(list),
            next_token,
            request_id: None,
        })
    }

    async fn start_image_pipeline_execution(
        &self,
        caller: &Caller,
        input: StartImagePipelineExecutionRequest,
    ) -> Result<StartImagePipelineExecutionResponse, Error> {
        self.start_pipeline(caller, input).await
    }

    async fn update_image_pipeline(
        &self,
        caller: &Caller,
        input: UpdateImagePipelineRequest,
    ) -> Result<UpdateImagePipelineResponse, Error> {
        let operation = Operation::UpdateImagePipeline;
        let (claim, before) = self.claim(caller, operation, &input.client_token, &input).await?;
        let answer = match before {
            Some(answer) => answer,
            None => {
                let arn = own(caller, "imagePipelineArn", &input.image_pipeline_arn)?;
                let (body, references) = draft::check(self, caller, draft::updated(&input)).await?;
                let body = serde_json::json!(body);
                let new = Replacement { arn, body, references, at: claim.at };
                resource::replace(self.db(), &new, &claim).await.map_err(refusal)?.answer()
            }
        };
        Ok(UpdateImagePipelineResponse {
            client_token: Some(input.client_token),
            image_pipeline_arn: Some(answer),
            request_id: None,
        })
    }
}

impl Api {
    /// Returns a pipeline with when it is due after `now`, and how the image stands that it made last.
    async fn tell_runs(&self, recorded: Recorded, now: i64) -> Result<ImagePipeline, Error> {
        let Recorded { pipeline, updated_at } = recorded;
        let arn = pipeline.arn.as_deref().unwrap_or_default();
        let found = image::of_pipeline(self.db(), arn, &Filters::default(), None, 1).await;
        let last = found.map_err(refusal)?.pop();
        Ok(ImagePipeline {
            date_next_run: next_run(&pipeline, updated_at, now).map(date),
            last_run_status: last.map(|image| status(image.state)),
            ..pipeline
        })
    }
}

/// A pipeline as filters see it, without what time and images tell of it.
#[derive(Debug, Serialize)]
struct Recorded {
    #[serde(flatten)]
    pipeline: ImagePipeline,
    /// When it was made or last updated, in microseconds.
    #[serde(skip)]
    updated_at: i64,
}

fn recorded(entry: Entry) -> Result<Recorded, Error> {
    let pipeline = ImagePipeline {
        arn: Some(entry.arn.to_string()),
        date_created: Some(date(entry.created_at)),
        date_updated: Some(date(entry.updated_at)),
        name: Some(entry.name.clone()),
        tags: some(entry.tags.clone()),
        ..body(&entry)?
    };
    Ok(Recorded { pipeline, updated_at: entry.updated_at })
}

/// Returns when a pipeline is due after `now`, if it is ever; rates count from `start`.
fn next_run(pipeline: &ImagePipeline, start: i64, now: i64) -> Option<i64> {
    if pipeline.status != Some(PipelineStatus::Enabled) {
        return None;
    }
    let schedule = pipeline.schedule.as_ref()?;
    let expression = schedule.schedule_expression.as_deref()?;
    let zone = zone(schedule.timezone.as_deref()).ok()?;
    Schedule::parse(expression, zone).ok()?.after(start, now)
}
