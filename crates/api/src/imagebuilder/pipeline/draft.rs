//! What a pipeline is to be: checked, with what was left out (reference §1.3, §1.10, §4.1).

use name::Arn;
use wire::imagebuilder::{
    CreateImagePipelineRequest, Error, ImagePipeline, ImageScanningConfiguration,
    ImageTestsConfiguration, PipelineExecutionStartCondition, PipelineStatus, Platform,
    Schedule as Written, UpdateImagePipelineRequest,
};
use wire::sigv4::Caller;

use crate::Api;
use crate::imagebuilder::attached;
use crate::imagebuilder::error::{combination, invalid, told, unsupported};
use crate::imagebuilder::own::reference;
use crate::schedule::{Schedule, zone};

/// How long tests may take unless said otherwise, in minutes.
const TEST_MINUTES: i32 = 720;

/// Returns a pipeline, and what it needs, if all of it is right.
pub(super) async fn check(
    api: &Api,
    caller: &Caller,
    asked: ImagePipeline,
) -> Result<(ImagePipeline, Vec<Arn>), Error> {
    one_recipe(&asked)?;
    unscanned(asked.image_scanning_configuration.as_ref())?;
    let mut references = Vec::new();
    for (parameter, arn) in [
        ("imageRecipeArn", &asked.image_recipe_arn),
        ("containerRecipeArn", &asked.container_recipe_arn),
        ("infrastructureConfigurationArn", &asked.infrastructure_configuration_arn),
        ("distributionConfigurationArn", &asked.distribution_configuration_arn),
    ] {
        if let Some(arn) = arn {
            references.extend(reference(caller, parameter, arn)?);
        }
    }
    let workflows = asked.workflows.as_deref().unwrap_or_default();
    references
        .extend(attached::check(api, caller, workflows, asked.execution_role.as_deref()).await?);
    let schedule = asked.schedule.clone().map(scheduled).transpose()?;
    Ok((ImagePipeline { schedule, ..complete(asked) }, references))
}

/// Makes a pipeline of the members of a request: those for a new one and those for a change have
/// the same, in types of their own. What a change leaves out is gone.
macro_rules! asked {
    ($input:expr) => {
        ImagePipeline {
            container_recipe_arn: $input.container_recipe_arn.clone(),
            description: $input.description.clone(),
            distribution_configuration_arn: $input.distribution_configuration_arn.clone(),
            enhanced_image_metadata_enabled: $input.enhanced_image_metadata_enabled,
            execution_role: $input.execution_role.clone(),
            image_recipe_arn: $input.image_recipe_arn.clone(),
            image_scanning_configuration: $input.image_scanning_configuration.clone(),
            image_tags: $input.image_tags.clone(),
            image_tests_configuration: $input.image_tests_configuration.clone(),
            infrastructure_configuration_arn: Some($input.infrastructure_configuration_arn.clone()),
            logging_configuration: $input.logging_configuration.clone(),
            schedule: $input.schedule.clone(),
            status: $input.status,
            workflows: $input.workflows.clone(),
            ..ImagePipeline::default()
        }
    };
}

/// Returns the pipeline that a request for a new one asks for.
pub(super) fn created(input: &CreateImagePipelineRequest) -> ImagePipeline {
    asked!(input)
}

/// Returns the pipeline that a request for a change asks for.
pub(super) fn updated(input: &UpdateImagePipelineRequest) -> ImagePipeline {
    asked!(input)
}

/// Returns `asked` with Image Builder's defaults.
fn complete(asked: ImagePipeline) -> ImagePipeline {
    let tests = asked.image_tests_configuration.clone().unwrap_or_default();
    ImagePipeline {
        consecutive_failures: Some(0),
        enhanced_image_metadata_enabled: asked.enhanced_image_metadata_enabled.or(Some(true)),
        image_tests_configuration: Some(ImageTestsConfiguration {
            image_tests_enabled: tests.image_tests_enabled.or(Some(true)),
            timeout_minutes: tests.timeout_minutes.or(Some(TEST_MINUTES)),
        }),
        platform: Some(Platform::Linux),
        status: asked.status.or(Some(PipelineStatus::Enabled)),
        ..asked
    }
}

fn one_recipe(asked: &ImagePipeline) -> Result<(), Error> {
    match (&asked.image_recipe_arn, &asked.container_recipe_arn) {
        (Some(_), None) | (None, Some(_)) => Ok(()),
        (Some(_), Some(_)) => {
            Err(combination("'imageRecipeArn' and 'containerRecipeArn' exclude each other."))
        }
        (None, None) => {
            Err(combination("Either 'imageRecipeArn' or 'containerRecipeArn' must be given."))
        }
    }
}

/// Fails if images are to be scanned.
fn unscanned(scanning: Option<&ImageScanningConfiguration>) -> Result<(), Error> {
    if scanning.is_some_and(|scanning| scanning.image_scanning_enabled == Some(true)) {
        return Err(unsupported(
            "The value supplied for parameter 'imageScanningConfiguration.imageScanningEnabled' \
             is not valid. There is no scanner yet: it must be false.",
        ));
    }
    Ok(())
}

/// Returns a schedule with its defaults, if it can be understood.
fn scheduled(written: Written) -> Result<Written, Error> {
    let zone = zone(written.timezone.as_deref())
        .map_err(|error| invalid("schedule.timezone", format!("{}.", told(&error))))?;
    let Some(expression) = &written.schedule_expression else {
        return Ok(written);
    };
    Schedule::parse(expression, zone)
        .map_err(|error| invalid("schedule.scheduleExpression", format!("{}.", told(&error))))?;
    let condition = written
        .pipeline_execution_start_condition
        .unwrap_or(PipelineExecutionStartCondition::ExpressionMatchAndDependencyUpdatesAvailable);
    Ok(Written { pipeline_execution_start_condition: Some(condition), ..written })
}
