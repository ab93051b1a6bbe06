//! Pipelines: what they need, what they keep and when they are due.

use expect_test::expect;
use name::Kind;
use serde_json::{Value, json};
use wire::imagebuilder::Operation;

use crate::server::{OWN, Server};
use crate::workflow;

const AWS: &str = "arn:aws:imagebuilder:eu-west-1:aws";

/// Returns a service with what pipelines need, and a request for the pipeline `name`.
async fn prepared(name: &str) -> (Server, Value) {
    let server = Server::new().await;
    let recipe = server.record(Kind::ImageRecipe, "web").await;
    let infrastructure = server.record(Kind::InfrastructureConfiguration, "small").await;
    server.record(Kind::DistributionConfiguration, "everywhere").await;
    server.record(Kind::ContainerRecipe, "box").await;
    let input = json!({
        "name": name,
        "imageRecipeArn": recipe,
        "infrastructureConfigurationArn": infrastructure,
        "clientToken": name,
    });
    (server, input)
}

fn with(mut input: Value, member: &str, value: Value) -> Value {
    input[member] = value;
    input
}

#[tokio::test]
async fn a_pipeline_is_read_with_its_defaults() {
    let (server, mut input) = prepared("Web Monthly").await;
    server.check(Operation::CreateImagePipeline, input.clone(), expect![[r#"
        {
          "clientToken": "Web Monthly",
          "imagePipelineArn": "arn:aws:imagebuilder:eu-west-1:123456789012:image-pipeline/web-monthly",
          "requestId": "request-1"
        }"#]]).await;
    let get = json!({"imagePipelineArn": format!("{OWN}:image-pipeline/web-monthly")});
    server.check(Operation::GetImagePipeline, get, expect![[r#"
        {
          "imagePipeline": {
            "arn": "arn:aws:imagebuilder:eu-west-1:123456789012:image-pipeline/web-monthly",
            "consecutiveFailures": 0,
            "dateCreated": "2026-09-09T19:12:23.418Z",
            "dateUpdated": "2026-09-09T19:12:23.418Z",
            "enhancedImageMetadataEnabled": true,
            "imageRecipeArn": "arn:aws:imagebuilder:eu-west-1:123456789012:image-recipe/web/1.0.0",
            "imageTestsConfiguration": {
              "imageTestsEnabled": true,
              "timeoutMinutes": 720
            },
            "infrastructureConfigurationArn": "arn:aws:imagebuilder:eu-west-1:123456789012:infrastructure-configuration/small",
            "name": "Web Monthly",
            "platform": "Linux",
            "status": "ENABLED"
          },
          "requestId": "request-1"
        }"#]]).await;

    input["name"] = "all".into();
    input["clientToken"] = "all".into();
    input["imageRecipeArn"] = format!("{OWN}:image-recipe/web/x.x.x").into();
    input["distributionConfigurationArn"] =
        format!("{OWN}:distribution-configuration/everywhere").into();
    input["description"] = "Monthly".into();
    input["status"] = "DISABLED".into();
    input["enhancedImageMetadataEnabled"] = false.into();
    input["imageTestsConfiguration"] = json!({"imageTestsEnabled": false});
    input["imageScanningConfiguration"] = json!({"imageScanningEnabled": false});
    input["loggingConfiguration"] = json!({"imageLogGroupName": "/images"});
    input["imageTags"] = json!({"from": "pipeline"});
    input["tags"] = json!({"team": "web"});
    input["schedule"] = json!({
        "scheduleExpression": "cron(0 0 1 * ? *)",
        "timezone": "Europe/Rome",
        "autoDisablePolicy": {"failureCount": 3},
    });
    input["executionRole"] = "builder".into();
    let workflow = format!("{AWS}:workflow/build/build-image/x.x.x");
    input["workflows"] = json!([{"workflowArn": workflow}]);
    server.get(Operation::CreateImagePipeline, input, "").await;
    let get = json!({"imagePipelineArn": format!("{OWN}:image-pipeline/all")});
    server.check(Operation::GetImagePipeline, get, expect![[r#"
        {
          "imagePipeline": {
            "arn": "arn:aws:imagebuilder:eu-west-1:123456789012:image-pipeline/all",
            "consecutiveFailures": 0,
            "dateCreated": "2026-09-09T19:12:23.418Z",
            "dateUpdated": "2026-09-09T19:12:23.418Z",
            "description": "Monthly",
            "distributionConfigurationArn": "arn:aws:imagebuilder:eu-west-1:123456789012:distribution-configuration/everywhere",
            "enhancedImageMetadataEnabled": false,
            "executionRole": "builder",
            "imageRecipeArn": "arn:aws:imagebuilder:eu-west-1:123456789012:image-recipe/web/x.x.x",
            "imageScanningConfiguration": {
              "imageScanningEnabled": false
            },
            "imageTags": {
              "from": "pipeline"
            },
            "imageTestsConfiguration": {
              "imageTestsEnabled": false,
              "timeoutMinutes": 720
            },
            "infrastructureConfigurationArn": "arn:aws:imagebuilder:eu-west-1:123456789012:infrastructure-configuration/small",
            "loggingConfiguration": {
              "imageLogGroupName": "/images"
            },
            "name": "all",
            "platform": "Linux",
            "schedule": {
              "autoDisablePolicy": {
                "failureCount": 3
              },
              "pipelineExecutionStartCondition": "EXPRESSION_MATCH_AND_DEPENDENCY_UPDATES_AVAILABLE",
              "scheduleExpression": "cron(0 0 1 * ? *)",
              "timezone": "Europe/Rome"
            },
            "status": "DISABLED",
            "tags": {
              "team": "web"
            },
            "workflows": [
              {
                "workflowArn": "arn:aws:imagebuilder:eu-west-1:aws:workflow/build/build-image/x.x.x"
              }
            ]
          },
          "requestId": "request-1"
        }"#]]).await;
}

#[tokio::test]
async fn what_cannot_be_a_pipeline_is_refused() {
    let (server, good) = prepared("web").await;
    let good = || good.clone();
    let operation = Operation::CreateImagePipeline;
    let none = |kind: &str| json!(format!("{OWN}:{kind}"));
    let schedule = |expression: &str| json!({"scheduleExpression": expression});
    let managed = |name: &str| json!([{"workflowArn": format!("{AWS}:workflow/{name}/x.x.x")}]);
    let role = |input: Value| with(input, "executionRole", "builder".into());
    for (input, expected) in [
        (
            with(good(), "containerRecipeArn", none("container-recipe/box/1.0.0")),
            expect![
                "400 InvalidParameterCombinationException: 'imageRecipeArn' and 'containerRecipeArn' exclude each other."
            ],
        ),
        (
            with(good(), "imageRecipeArn", Value::Null),
            expect![
                "400 InvalidParameterCombinationException: Either 'imageRecipeArn' or 'containerRecipeArn' must be given."
            ],
        ),
        (
            with(good(), "imageRecipeArn", none("image-recipe/other/1.0.0")),
            expect![
                "404 ResourceNotFoundException: The resource 'arn:aws:imagebuilder:eu-west-1:123456789012:image-recipe/other/1.0.0' cannot be found."
            ],
        ),
        (
            with(
                good(),
                "infrastructureConfigurationArn",
                none("infrastructure-configuration/other"),
            ),
            expect![
                "404 ResourceNotFoundException: The resource 'arn:aws:imagebuilder:eu-west-1:123456789012:infrastructure-configuration/other' cannot be found."
            ],
        ),
        (
            with(good(), "distributionConfigurationArn", none("distribution-configuration/other")),
            expect![
                "404 ResourceNotFoundException: The resource 'arn:aws:imagebuilder:eu-west-1:123456789012:distribution-configuration/other' cannot be found."
            ],
        ),
        (
            with(good(), "schedule", schedule("cron(0 0 * * *")),
            expect![
                "400 InvalidParameterValueException: The value supplied for parameter 'schedule.scheduleExpression' is not valid. `cron(0 0 * * *` is not a schedule: expected `cron(0 0 * * ? *)` or `rate(1 day)`."
            ],
        ),
        (
            with(
                good(),
                "schedule",
                json!({"scheduleExpression": "rate(1 day)", "timezone": "Europe/Atlantis"}),
            ),
            expect![
                "400 InvalidParameterValueException: The value supplied for parameter 'schedule.timezone' is not valid. `Europe/Atlantis` is not a time zone: expected a name as in `Europe/Rome`."
            ],
        ),
        (
            with(good(), "schedule", json!({"timezone": "Europe/Atlantis"})),
            expect![
                "400 InvalidParameterValueException: The value supplied for parameter 'schedule.timezone' is not valid. `Europe/Atlantis` is not a time zone: expected a name as in `Europe/Rome`."
            ],
        ),
        (
            with(good(), "schedule", schedule("cron(0 25 * * ? *)")),
            expect![
                "400 InvalidParameterValueException: The value supplied for parameter 'schedule.scheduleExpression' is not valid. `25` is not an hour: expected 0 to 23."
            ],
        ),
        (
            with(good(), "imageScanningConfiguration", json!({"imageScanningEnabled": true})),
            expect![
                "400 InvalidRequestException: The value supplied for parameter 'imageScanningConfiguration.imageScanningEnabled' is not valid. There is no scanner yet: it must be false."
            ],
        ),
        (
            with(good(), "workflows", managed("build/build-image")),
            expect![
                "400 InvalidRequestException: An execution role is required to provide workflows"
            ],
        ),
        (
            role(with(good(), "workflows", managed("build/none"))),
            expect![
                "404 ResourceNotFoundException: The resource 'arn:aws:imagebuilder:eu-west-1:aws:workflow/build/none/x.x.x' cannot be found."
            ],
        ),
        (
            role(with(
                good(),
                "workflows",
                json!([
                    {"workflowArn": format!("{AWS}:workflow/build/build-image/x.x.x")},
                    {"workflowArn": format!("{AWS}:workflow/build/build-image/1.0.0")},
                ]),
            )),
            expect![
                "400 InvalidParameterValueException: The value supplied for parameter 'workflows' is not valid. There are 2 BUILD workflows, and may be 1."
            ],
        ),
        (
            role(with(
                good(),
                "workflows",
                json!([{
                    "workflowArn": format!("{AWS}:workflow/build/build-image/x.x.x"),
                    "parallelGroup": "group",
                }]),
            )),
            expect![
                "400 InvalidParameterValueException: The value supplied for parameter 'workflows[0].parallelGroup' is not valid. Only test workflows run in parallel."
            ],
        ),
        (
            with(good(), "dryRun", true.into()),
            expect![
                "412 DryRunOperationException: Request would have succeeded, but DryRun flag is set."
            ],
        ),
    ] {
        server.check(operation, input, expected).await;
    }
    server.get(operation, good(), "").await;
    server.check(operation, with(good(), "clientToken", "2".into()), expect!["400 ResourceAlreadyExistsException: The resource 'arn:aws:imagebuilder:eu-west-1:123456789012:image-pipeline/web' already exists."]).await;
    server.check(operation, with(good(), "description", "other".into()), expect!["400 IdempotentParameterMismatchException: The client token 'web' was used before with other parameters."]).await;
}

#[tokio::test]
async fn workflows_are_given_what_they_take() {
    let (server, good) = prepared("web").await;
    let create = workflow::create("wait", "TEST", "one");
    let arn = server.get(Operation::CreateWorkflow, create, "/workflowBuildVersionArn").await;
    let good = with(good, "executionRole", "builder".into());
    let attached = |parameters: Value| {
        let one = json!({"workflowArn": arn, "parallelGroup": "a", "parameters": parameters});
        with(good.clone(), "workflows", json!([one]))
    };
    let topic = json!({"name": "topic", "value": ["arn:aws:sns:x"]});
    for (parameters, expected) in [
        (
            json!([{"name": "minutes", "value": ["5"]}]),
            expect![
                "400 InvalidParameterValueException: The value supplied for parameter 'workflows[0].parameters' is not valid. The parameter 'topic' must be given."
            ],
        ),
        (
            json!([topic, {"name": "minutes", "value": ["many"]}]),
            expect![
                "400 InvalidParameterValueException: The value supplied for parameter 'workflows[0].parameters' is not valid. 'minutes' is not of type integer."
            ],
        ),
        (
            json!([topic, {"name": "colour", "value": ["red"]}]),
            expect![
                "400 InvalidParameterValueException: The value supplied for parameter 'workflows[0].parameters' is not valid. The workflow has no parameter 'colour'."
            ],
        ),
    ] {
        server.check(Operation::CreateImagePipeline, attached(parameters), expected).await;
    }
    server.get(Operation::CreateImagePipeline, attached(json!([topic])), "").await;
    let delete = json!({"workflowBuildVersionArn": arn});
    server.check(Operation::DeleteWorkflow, delete.clone(), expect!["400 ResourceDependencyException: Resource dependency error: The resource ARN 'arn:aws:imagebuilder:eu-west-1:123456789012:workflow/test/wait/1.0.0/1' has other resources depended on it. They are: 'arn:aws:imagebuilder:eu-west-1:123456789012:image-pipeline/web'."]).await;
    let pipeline = json!({"imagePipelineArn": format!("{OWN}:image-pipeline/web")});
    server.get(Operation::DeleteImagePipeline, pipeline, "").await;
    server.get(Operation::DeleteWorkflow, delete, "").await;
}

#[tokio::test]
async fn updates_replace_all_there_was() {
    let (server, input) = prepared("web").await;
    let mut full = with(input.clone(), "description", "Monthly".into());
    full["status"] = "DISABLED".into();
    full["schedule"] = json!({"scheduleExpression": "rate(1 day)"});
    full["tags"] = json!({"team": "web"});
    let arn = server.get(Operation::CreateImagePipeline, full, "/imagePipelineArn").await;
    server.pass(60);
    let mut update = with(input, "imagePipelineArn", arn.clone());
    update.as_object_mut().unwrap().remove("name");
    server
        .check(
            Operation::UpdateImagePipeline,
            update.clone(),
            expect![[r#"
        {
          "clientToken": "web",
          "imagePipelineArn": "arn:aws:imagebuilder:eu-west-1:123456789012:image-pipeline/web",
          "requestId": "request-1"
        }"#]],
        )
        .await;
    server
        .check(
            Operation::UpdateImagePipeline,
            update.clone(),
            expect![[r#"
        {
          "clientToken": "web",
          "imagePipelineArn": "arn:aws:imagebuilder:eu-west-1:123456789012:image-pipeline/web",
          "requestId": "request-1"
        }"#]],
        )
        .await;
    let get = json!({"imagePipelineArn": arn});
    server.check(Operation::GetImagePipeline, get, expect![[r#"
        {
          "imagePipeline": {
            "arn": "arn:aws:imagebuilder:eu-west-1:123456789012:image-pipeline/web",
            "consecutiveFailures": 0,
            "dateCreated": "2026-09-09T19:12:23.418Z",
            "dateUpdated": "2026-09-09T19:13:23.418Z",
            "enhancedImageMetadataEnabled": true,
            "imageRecipeArn": "arn:aws:imagebuilder:eu-west-1:123456789012:image-recipe/web/1.0.0",
            "imageTestsConfiguration": {
              "imageTestsEnabled": true,
              "timeoutMinutes": 720
            },
            "infrastructureConfigurationArn": "arn:aws:imagebuilder:eu-west-1:123456789012:infrastructure-configuration/small",
            "name": "web",
            "platform": "Linux",
            "status": "ENABLED",
            "tags": {
              "team": "web"
            }
          },
          "requestId": "request-1"
        }"#]]).await;
    let none = format!("{OWN}:image-pipeline/none");
    for (input, expected) in [
        (
            with(update.clone(), "description", "Other".into()),
            expect![
                "400 IdempotentParameterMismatchException: The client token 'web' was used before with other parameters."
            ],
        ),
        (
            with(with(update, "clientToken", "3".into()), "imagePipelineArn", none.into()),
            expect![
                "404 ResourceNotFoundException: The resource 'arn:aws:imagebuilder:eu-west-1:123456789012:image-pipeline/none' cannot be found."
            ],
        ),
    ] {
        server.check(Operation::UpdateImagePipeline, input, expected).await;
    }
}

#[tokio::test]
async fn the_next_run_follows_the_schedule() {
    let (server, input) = prepared("web").await;
    let schedule = json!({"scheduleExpression": "cron(30 2 * * ? *)", "timezone": "Europe/Rome"});
    let input = with(input, "schedule", schedule);
    let arn = server.get(Operation::CreateImagePipeline, input, "/imagePipelineArn").await;
    let next = async || {
        let get = json!({"imagePipelineArn": arn});
        server.get(Operation::GetImagePipeline, get, "/imagePipeline/dateNextRun").await
    };
    assert_eq!(next().await, "2026-09-10T00:30:00.000Z");
    server.pass(24 * 3600);
    assert_eq!(next().await, "2026-09-11T00:30:00.000Z");
}

#[tokio::test]
async fn pipelines_are_listed_and_deleted() {
    let (server, input) = prepared("web").await;
    for n in 0..7 {
        let mut input = with(input.clone(), "name", format!("web-{n}").into());
        input["clientToken"] = n.to_string().into();
        input["status"] = if n < 3 { "ENABLED" } else { "DISABLED" }.into();
        server.get(Operation::CreateImagePipeline, input, "").await;
    }
    let sizes = async |input: Value| {
        let pages =
            server.pages(Operation::ListImagePipelines, input, 3, "imagePipelineList").await;
        pages.iter().map(Vec::len).collect::<Vec<_>>()
    };
    assert_eq!(sizes(json!({})).await, [3, 3, 1]);
    let filter =
        |name: &str, value: &Value| json!({"filters": [{"name": name, "values": [value]}]});
    assert_eq!(sizes(filter("status", &"DISABLED".into())).await, [3, 1]);
    assert_eq!(sizes(filter("imageRecipeArn", &input["imageRecipeArn"])).await, [3, 3, 1]);
    let delete = json!({"imagePipelineArn": format!("{OWN}:image-pipeline/web-0")});
    server
        .check(
            Operation::DeleteImagePipeline,
            delete.clone(),
            expect![[r#"
        {
          "imagePipelineArn": "arn:aws:imagebuilder:eu-west-1:123456789012:image-pipeline/web-0",
          "requestId": "request-1"
        }"#]],
        )
        .await;
    server.check(Operation::DeleteImagePipeline, delete.clone(), expect!["404 ResourceNotFoundException: The resource 'arn:aws:imagebuilder:eu-west-1:123456789012:image-pipeline/web-0' cannot be found."]).await;
    server.check(Operation::GetImagePipeline, delete, expect!["404 ResourceNotFoundException: The resource 'arn:aws:imagebuilder:eu-west-1:123456789012:image-pipeline/web-0' cannot be found."]).await;
    assert_eq!(sizes(json!({})).await, [3, 3]);
}
