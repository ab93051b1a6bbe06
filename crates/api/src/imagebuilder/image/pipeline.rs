//! The images of a pipeline: asked for by its name, with what it says they are made of.

use name::Kind;
use wire::imagebuilder::{
    Error, ImageLoggingConfiguration, ImagePipeline, Operation, StartImagePipelineExecutionRequest,
    StartImagePipelineExecutionResponse,
};
use wire::sigv4::Caller;

use super::super::error::not_found;
use super::super::own::body;
use super::Wish;
use crate::Api;

impl Api {
    /// Starts an image as a pipeline describes it, whether or not its schedule is on.
    pub(crate) async fn start_pipeline(
        &self,
        caller: &Caller,
        input: StartImagePipelineExecutionRequest,
    ) -> Result<StartImagePipelineExecutionResponse, Error> {
        let operation = Operation::StartImagePipelineExecution;
        let (claim, before) = self.claim(caller, operation, &input.client_token, &input).await?;
        let answer = match before {
            Some(answer) => answer,
            None => {
                let text = &input.image_pipeline_arn;
                let entry = self.find(caller, "imagePipelineArn", text).await?;
                if entry.arn.kind() != Kind::ImagePipeline {
                    return Err(not_found(text));
                }
                let pipeline = (entry.arn.to_string(), entry.name.clone());
                let wish = Wish { pipeline: Some(pipeline), ..wish(body(&entry)?, input.tags) };
                self.start(caller, &wish, &claim).await?
            }
        };
        Ok(StartImagePipelineExecutionResponse {
            client_token: Some(input.client_token),
            image_build_version_arn: Some(answer),
            request_id: None,
        })
    }
}

/// Returns what a pipeline asks for; tags of the request go before the pipeline's.
fn wish(pipeline: ImagePipeline, tags: Option<std::collections::BTreeMap<String, String>>) -> Wish {
    let mut all = pipeline.image_tags.unwrap_or_default();
    all.extend(tags.into_iter().flatten());
    let group = pipeline.logging_configuration.and_then(|logging| logging.image_log_group_name);
    Wish {
        image_recipe: pipeline.image_recipe_arn,
        container_recipe: pipeline.container_recipe_arn,
        infrastructure: pipeline.infrastructure_configuration_arn.unwrap_or_default(),
        distribution: pipeline.distribution_configuration_arn,
        tests: pipeline.image_tests_configuration,
        metadata: pipeline.enhanced_image_metadata_enabled,
        scanning: pipeline.image_scanning_configuration,
        workflows: pipeline.workflows,
        execution_role: pipeline.execution_role,
        logging: group.map(|group| ImageLoggingConfiguration { log_group_name: Some(group) }),
        tags: all,
        pipeline: None,
    }
}
