//! Pipelines: a recipe, what surrounds it, and when it is built.

use wire::imagebuilder::{
    CreateImagePipelineRequest, CreateImagePipelineResponse, DeleteImagePipelineRequest,
    DeleteImagePipelineResponse, Error, GetImagePipelineRequest, GetImagePipelineResponse,
    ImagePipelines, ListImagePipelineImagesRequest, ListImagePipelineImagesResponse,
    ListImagePipelinesRequest, ListImagePipelinesResponse, Operation,
    StartImagePipelineExecutionRequest, StartImagePipelineExecutionResponse,
    UpdateImagePipelineRequest, UpdateImagePipelineResponse,
};
use wire::sigv4::Caller;

use super::error::not_yet;
use crate::Api;

impl ImagePipelines<Caller> for Api {
    async fn create_image_pipeline(
        &self,
        _: &Caller,
        _: CreateImagePipelineRequest,
    ) -> Result<CreateImagePipelineResponse, Error> {
        Err(not_yet(Operation::CreateImagePipeline))
    }

    async fn delete_image_pipeline(
        &self,
        _: &Caller,
        _: DeleteImagePipelineRequest,
    ) -> Result<DeleteImagePipelineResponse, Error> {
        Err(not_yet(Operation::DeleteImagePipeline))
    }

    async fn get_image_pipeline(
        &self,
        _: &Caller,
        _: GetImagePipelineRequest,
    ) -> Result<GetImagePipelineResponse, Error> {
        Err(not_yet(Operation::GetImagePipeline))
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
        _: &Caller,
        _: ListImagePipelinesRequest,
    ) -> Result<ListImagePipelinesResponse, Error> {
        Err(not_yet(Operation::ListImagePipelines))
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
        _: &Caller,
        _: UpdateImagePipelineRequest,
    ) -> Result<UpdateImagePipelineResponse, Error> {
        Err(not_yet(Operation::UpdateImagePipeline))
    }
}
