//! Images: asked for, shown, listed, cancelled, forgotten.

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use store::image;
use wire::imagebuilder::Operation;

use crate::bench::{bench, carry_out, run_of, start, wish};
use crate::component::create;
use crate::server::{OWN, Server, caller};
use crate::workflow;

fn with(mut input: Value, member: &str, value: Value) -> Value {
    match value {
        Value::Null => drop(input.as_object_mut().unwrap().remove(member)),
        value => input[member] = value,
    }
    input
}

async fn get(server: &Server, arn: &str) -> Value {
    server.get(Operation::GetImage, json!({"imageBuildVersionArn": arn}), "/image").await
}

async fn arns(server: &Server, operation: Operation, input: Value, list: &str) -> Vec<String> {
    let pages = server.pages(operation, input, 2, list).await.concat();
    let ends = pages.iter().map(|one| one["arn"].as_str().unwrap().rsplit_once(':').unwrap().1);
    ends.map(str::to_owned).collect()
}

#[tokio::test]
async fn an_image_is_shown_with_copies_of_what_it_is_made_of() {
    let server = bench().await;
    let input = with(wish("a"), "tags", json!({"team": "web"}));
    server
        .check(
            Operation::CreateImage,
            input,
            expect![[r#"
        {
          "clientToken": "a",
          "imageBuildVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:image/web/1.0.0/1",
          "latestVersionReferences": {
            "latestMajorVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:image/web/1.x.x",
            "latestMinorVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:image/web/1.0.x",
            "latestPatchVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:image/web/1.0.0",
            "latestVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:image/web/x.x.x"
          },
          "requestId": "request-1"
        }"#]],
        )
        .await;
    let arn = json!(format!("{OWN}:image/web/1.0.0/1"));
    carry_out(&server, &arn, 4).await;
    let run = run_of(&server, &arn).await;
    image::set_os_version(&server.db, run, "Debian 12").await.unwrap();
    let shown = get(&server, arn.as_str().unwrap()).await;
    expect![[r#"
        {
          "arn": "arn:aws:imagebuilder:eu-west-1:123456789012:image/web/1.0.0/1",
          "buildType": "USER_INITIATED",
          "dateCreated": "2026-09-09T19:12:23.418Z",
          "distributionConfiguration": {
            "arn": "arn:aws:imagebuilder:eu-west-1:123456789012:distribution-configuration/web",
            "dateCreated": "2026-09-09T19:12:23.000Z",
            "distributions": [
              {
                "amiDistributionConfiguration": {
                  "name": "web {{ imagebuilder:buildDate }}"
                },
                "region": "eu-west-1"
              }
            ],
            "name": "Web",
            "timeoutMinutes": 720
          },
          "enhancedImageMetadataEnabled": true,
          "imageRecipe": {
            "arn": "arn:aws:imagebuilder:eu-west-1:123456789012:image-recipe/web/1.0.0",
            "components": [
              {
                "componentArn": "arn:aws:imagebuilder:eu-west-1:123456789012:component/web/1.x.x"
              }
            ],
            "dateCreated": "2026-09-09T19:12:23.000Z",
            "name": "Web",
            "owner": "123456789012",
            "parentImage": "arn:aws:imagebuilder:eu-west-1:aws:image/debian-server-12-x86/x.x.x",
            "platform": "Linux",
            "type": "AMI",
            "version": "1.0.0",
            "workingDirectory": "/tmp"
          },
          "imageSource": "CUSTOM",
          "imageTestsConfiguration": {
            "imageTestsEnabled": true,
            "timeoutMinutes": 720
          },
          "infrastructureConfiguration": {
            "arn": "arn:aws:imagebuilder:eu-west-1:123456789012:infrastructure-configuration/web",
            "dateCreated": "2026-09-09T19:12:23.000Z",
            "instanceProfileName": "none",
            "instanceTypes": [
              "m5.large"
            ],
            "name": "Web"
          },
          "name": "Web",
          "osVersion": "Debian 12",
          "outputResources": {
            "amis": [
              {
                "accountId": "123456789012",
                "image": "ami-00101010101010101",
                "name": "web run-00101010101010101",
                "region": "eu-west-1",
                "state": {
                  "status": "AVAILABLE"
                }
              }
            ]
          },
          "platform": "Linux",
          "state": {
            "status": "AVAILABLE"
          },
          "tags": {
            "team": "web"
          },
          "type": "AMI",
          "version": "1.0.0"
        }"#]]
    .assert_eq(&format!("{shown:#}"));
}

#[tokio::test]
async fn a_request_that_comes_again_makes_no_second_image() {
    let server = bench().await;
    let first = start(&server, "a").await;
    assert_eq!(start(&server, "a").await, first);
    assert_eq!(start(&server, "b").await, format!("{OWN}:image/web/1.0.0/2"));
    let other = with(wish("a"), "enhancedImageMetadataEnabled", json!(false));
    server.check(Operation::CreateImage, other, expect!["400 IdempotentParameterMismatchException: The client token 'a' was used before with other parameters."]).await;
}

#[tokio::test]
async fn what_cannot_be_built_is_refused_by_name() {
    let server = bench().await;
    let check = async |member: &str, value: Value, expect: Expect| {
        server.check(Operation::CreateImage, with(wish("x"), member, value), expect).await;
    };
    let recipe = "imageRecipeArn";
    check(recipe, Value::Null, expect!["400 InvalidParameterCombinationException: Either 'imageRecipeArn' or 'containerRecipeArn' must be given."]).await;
    check(recipe, json!(format!("{OWN}:image-recipe/web/2.x.x")), expect!["404 ResourceNotFoundException: The resource 'arn:aws:imagebuilder:eu-west-1:123456789012:image-recipe/web/2.x.x' cannot be found."]).await;
    let workflows = json!([{"workflowArn": format!("{OWN}:workflow/build/mine/1.0.0")}]);
    check(
        "workflows",
        workflows.clone(),
        expect!["400 InvalidRequestException: An execution role is required to provide workflows"],
    )
    .await;
    let input = with(wish("x"), "workflows", workflows);
    let input = with(input, "executionRole", json!("role"));
    server.check(Operation::CreateImage, input, expect!["400 InvalidRequestException: workflows: images are built by the default workflows so far."]).await;
    check(
        "imageScanningConfiguration",
        json!({"imageScanningEnabled": true}),
        expect![
            "400 InvalidRequestException: imageScanningConfiguration: images cannot be scanned yet."
        ],
    )
    .await;
    assert!(arns(&server, Operation::ListImages, json!({}), "imageVersionList").await.is_empty());
}

#[tokio::test]
async fn an_image_grows_out_of_an_available_one_only() {
    let server = bench().await;
    let parent = start(&server, "a").await;
    let recipe = json!({
        "platform": "Linux",
        "parentImage": format!("{OWN}:image/web/x.x.x"),
        "components": [],
    });
    let numbering = store::resource::Numbering::Version("2.0.0".parse().unwrap());
    crate::bench::put(&server, name::Kind::ImageRecipe, numbering, recipe).await;
    let arn = json!(format!("{OWN}:image-recipe/web/2.0.0"));
    let child = |token: &str| with(wish(token), "imageRecipeArn", arn.clone());
    server.check(Operation::CreateImage, child("b"), expect!["400 InvalidRequestException: The parent image 'arn:aws:imagebuilder:eu-west-1:123456789012:image/web/x.x.x' is not available."]).await;
    carry_out(&server, &parent, 4).await;
    let made = server.get(Operation::CreateImage, child("b"), "/imageBuildVersionArn").await;
    assert_eq!(made, format!("{OWN}:image/web/2.0.0/1"));
}

#[tokio::test]
async fn a_recipe_fits_the_build_that_images_grow_out_of() {
    let server = bench().await;
    let built = start(&server, "a").await;
    let begun = start(&server, "b").await;
    for (arn, os_version) in [(&built, "Debian 12"), (&begun, "Debian 13")] {
        image::set_os_version(&server.db, run_of(&server, arn).await, os_version).await.unwrap();
    }
    let old = with(create("old", "1.0.0", "hi"), "supportedOsVersions", json!(["Debian 12"]));
    server.get(Operation::CreateComponent, old, "").await;
    let recipe = json!({
        "name": "Old", "semanticVersion": "1.0.0", "parentImage": format!("{OWN}:image/web/x.x.x"),
        "components": [{"componentArn": format!("{OWN}:component/old/1.0.0")}],
        "clientToken": "c",
    });
    // None is available yet: the newest of all says what to expect.
    server.check(Operation::CreateImageRecipe, recipe.clone(), expect!["400 InvalidParameterValueException: The value supplied for parameter 'components[0].componentArn' is not valid. It supports Debian 12, and the parent image is Debian 13."]).await;
    carry_out(&server, &built, 4).await;
    server.get(Operation::CreateImageRecipe, recipe, "").await;
}

#[tokio::test]
async fn an_image_grows_out_of_what_recipes_take() {
    let server = bench().await;
    for (version, parent) in [("2.0.0", "debian-server-12"), ("3.0.0", "debian-minimal-13-x86")] {
        let recipe = json!({
            "name": "Web", "semanticVersion": version, "parentImage": parent,
            "clientToken": version,
        });
        let operation = Operation::CreateImageRecipe;
        let recipe = server.get(operation, recipe, "/imageRecipeArn").await;
        let image = with(wish(parent), "imageRecipeArn", recipe);
        let made = server.get(Operation::CreateImage, image, "/imageBuildVersionArn").await;
        assert_eq!(made, format!("{OWN}:image/web/{version}/1"));
    }
}

#[tokio::test]
async fn components_that_others_execute_are_looked_up_too() {
    let server = bench().await;
    let inner = format!("{OWN}:component/inner/x.x.x");
    let mut outer = create("outer", "1.0.0", "hi");
    outer["data"] = json!(format!(
        "schemaVersion: 1.0\nphases:\n  - name: build\n    steps:\n      - {{name: Step, \
         action: ExecuteDocument, inputs: {{document: '{inner}'}}}}\n"
    ));
    server.get(Operation::CreateComponent, outer, "").await;
    let recipe = json!({
        "platform": "Linux",
        "parentImage": "arn:aws:imagebuilder:eu-west-1:aws:image/debian-server-12-x86/x.x.x",
        "components": [{"componentArn": format!("{OWN}:component/outer/1.0.0")}],
    });
    let numbering = store::resource::Numbering::Version("2.0.0".parse().unwrap());
    crate::bench::put(&server, name::Kind::ImageRecipe, numbering, recipe).await;
    let recipe = json!(format!("{OWN}:image-recipe/web/2.0.0"));
    let wish = with(wish("a"), "imageRecipeArn", recipe);
    server.check(Operation::CreateImage, wish.clone(), expect!["400 InvalidRequestException: The image cannot be built: component outer executes `arn:aws:imagebuilder:eu-west-1:123456789012:component/inner/x.x.x`, which does not exist"]).await;
    server.get(Operation::CreateComponent, create("inner", "1.0.0", "hi"), "").await;
    let made = server.get(Operation::CreateImage, wish, "/imageBuildVersionArn").await;
    assert_eq!(made, format!("{OWN}:image/web/2.0.0/1"));
}

#[tokio::test]
async fn pipelines_make_images_and_list_them() {
    let server = bench().await;
    let pipeline = format!("{OWN}:image-pipeline/web");
    let input = json!({
        "imagePipelineArn": pipeline, "clientToken": "a", "tags": {"by": "hand"},
    });
    let arn = "/imageBuildVersionArn";
    let made = server.get(Operation::StartImagePipelineExecution, input, arn).await;
    let shown = get(&server, made.as_str().unwrap()).await;
    assert_eq!(shown["sourcePipelineArn"], pipeline);
    assert_eq!(shown["sourcePipelineName"], "Web");
    let of = json!({"imagePipelineArn": pipeline});
    let last = "/imagePipeline/lastRunStatus";
    assert_eq!(server.get(Operation::GetImagePipeline, of, last).await, "PENDING");
    assert_eq!(shown["tags"], json!({"team": "web", "by": "hand"}));
    start(&server, "b").await;
    let of = |of: &str| json!({"imagePipelineArn": of});
    let (operation, list) = (Operation::ListImagePipelineImages, "imageSummaryList");
    assert_eq!(arns(&server, operation, of(&pipeline), list).await, ["image/web/1.0.0/1"]);
    let missing = format!("{OWN}:image-pipeline/other");
    server.check(operation, of(&missing), expect!["404 ResourceNotFoundException: The resource 'arn:aws:imagebuilder:eu-west-1:123456789012:image-pipeline/other' cannot be found."]).await;
}

#[tokio::test]
async fn lists_hold_versions_builds_and_managed_images() {
    let server = bench().await;
    for token in ["a", "b", "c"] {
        start(&server, token).await;
    }
    let versions =
        async |input: Value| arns(&server, Operation::ListImages, input, "imageVersionList").await;
    assert_eq!(versions(json!({})).await, ["image/web/1.0.0"]);
    assert_eq!(versions(json!({"byName": true})).await, ["image/web/x.x.x"]);
    let managed = versions(json!({"owner": "Amazon"})).await;
    assert_eq!(managed.len(), base::MANAGED.len());
    assert_eq!(managed[0], "image/debian-minimal-12-x86/1.0.0");
    assert!(versions(json!({"owner": "Shared"})).await.is_empty());

    let builds = async |input: Value| {
        let operation = Operation::ListImageBuildVersions;
        arns(&server, operation, input, "imageSummaryList").await
    };
    let all = ["3", "2", "1"].map(|build| format!("image/web/1.0.0/{build}"));
    assert_eq!(builds(json!({})).await, all);
    let of = format!("{OWN}:image/web/1.0.0");
    assert_eq!(builds(json!({"imageVersionArn": of})).await, all);
    let managed = format!("arn:aws:imagebuilder:eu-west-1:aws:{}", managed[0]);
    let build = "image/debian-minimal-12-x86/1.0.0/1";
    assert_eq!(builds(json!({"imageVersionArn": managed})).await, [build]);
    let wild = format!("{OWN}:image/web/x.x.x");
    assert_eq!(get(&server, &wild).await["arn"], format!("{OWN}:{}", all[0]));
    let filter = |name: &str, value: &str| json!({"filters": [{"name": name, "values": [value]}]});
    assert_eq!(builds(filter("name", "Web")).await, all);
    assert!(builds(filter("version", "2.0.0")).await.is_empty());
    server.check(Operation::ListImages, json!({"nextToken": "x"}), expect!["400 InvalidPaginationTokenException: The pagination token is not one that this request was answered with."]).await;
}

#[tokio::test]
async fn builds_of_others_are_not_listed() {
    let server = bench().await;
    start(&server, "a").await;
    server.get(Operation::CreateWorkflow, workflow::create("web", "BUILD", "one"), "").await;
    for (operation, parameter, what) in [
        (Operation::ListComponentBuildVersions, "componentVersionArn", "component"),
        (Operation::ListWorkflowBuildVersions, "workflowVersionArn", "workflow/build"),
        (Operation::ListImageBuildVersions, "imageVersionArn", "image"),
    ] {
        let of = |whose: &str| json!({parameter: format!("{whose}:{what}/web/1.0.0")});
        assert_eq!(server.call(operation, of(OWN)).await.error, None, "{what}");
        for whose in [
            "arn:aws:imagebuilder:eu-west-1:210987654321",
            "arn:aws:imagebuilder:us-east-1:123456789012",
            "arn:aws-cn:imagebuilder:eu-west-1:123456789012",
        ] {
            let error = server.call(operation, of(whose)).await.error;
            assert_eq!(error.as_deref(), Some("ResourceNotFoundException"), "{whose} {what}");
        }
    }
}

#[tokio::test]
async fn images_in_progress_can_be_cancelled_and_not_deleted() {
    let server = bench().await;
    let arn = start(&server, "a").await;
    let of = json!({"imageBuildVersionArn": arn});
    let cancel = with(of.clone(), "clientToken", json!("c"));
    server
        .check(
            Operation::DeleteImage,
            of.clone(),
            expect!["400 InvalidRequestException: The image's state cannot be changed: an image that is PENDING cannot become DELETED."],
        )
        .await;
    let answer = "/imageBuildVersionArn";
    assert_eq!(server.get(Operation::CancelImageCreation, cancel, answer).await, arn);
    carry_out(&server, &arn, 2).await;
    let again = with(of.clone(), "clientToken", json!("d"));
    server.check(Operation::CancelImageCreation, again, expect!["400 InvalidRequestException: The image is FAILED: only one that is being built is cancelled."]).await;
    let shown = get(&server, arn.as_str().unwrap()).await;
    assert_eq!(
        shown["state"],
        json!({"status": "FAILED", "reason": "component web: exit code 1\nE: no such package"})
    );
    server.get(Operation::DeleteImage, of.clone(), "").await;
    server.check(Operation::GetImage, of, expect!["404 ResourceNotFoundException: The resource 'arn:aws:imagebuilder:eu-west-1:123456789012:image/web/1.0.0/1' cannot be found."]).await;
    assert_eq!(start(&server, "e").await, format!("{OWN}:image/web/1.0.0/2"));
}

#[tokio::test]
async fn images_of_other_processes_are_not_cancelled() {
    let server = bench().await;
    for token in ["1", "2", "3", "4", "5", "6", "7", "8"] {
        start(&server, token).await;
    }
    let ninth = json!({"imageBuildVersionArn": start(&server, "9").await, "clientToken": "c"});
    server.check(Operation::CancelImageCreation, ninth, expect!["400 ResourceInUseException: The image is being built by another process, or has just ended."]).await;
}

#[tokio::test]
async fn an_image_that_failed_is_built_once_more_under_its_arn() {
    let server = bench().await;
    let arn = start(&server, "a").await;
    let retry = |token: &str| json!({"imageBuildVersionArn": arn, "clientToken": token});
    let operation = Operation::RetryImage;
    server
        .check(
            operation,
            retry("b"),
            expect!["400 ResourceInUseException: The image is PENDING: it is still being built."],
        )
        .await;
    carry_out(&server, &arn, 2).await;
    // The recipe may be gone: the image carries a copy.
    let recipe = json!({"imageRecipeArn": format!("{OWN}:image-recipe/web/1.0.0")});
    server
        .get(
            Operation::DeleteImagePipeline,
            json!({"imagePipelineArn": format!("{OWN}:image-pipeline/web")}),
            "",
        )
        .await;
    server.get(Operation::DeleteImageRecipe, recipe, "").await;
    for _ in 0..2 {
        let answer = server.get(operation, retry("b"), "/imageBuildVersionArn").await;
        assert_eq!(answer, arn);
    }
    assert_eq!(get(&server, arn.as_str().unwrap()).await["state"], json!({"status": "PENDING"}));
    carry_out(&server, &arn, 4).await;
    let shown = get(&server, arn.as_str().unwrap()).await;
    assert_eq!(shown["state"], json!({"status": "AVAILABLE"}));
    server.check(operation, retry("c"), expect!["400 InvalidRequestException: 'arn:aws:imagebuilder:eu-west-1:123456789012:image/web/1.0.0/1' is AVAILABLE: only FAILED and CANCELLED images are retried."]).await;
    let other = with(retry("b"), "imageBuildVersionArn", json!(format!("{OWN}:image/web/1.0.0/2")));
    server.check(operation, other, expect!["400 IdempotentParameterMismatchException: The client token 'b' was used before with other parameters."]).await;
}

#[tokio::test]
async fn a_deleted_image_leaves_its_amis() {
    let server = bench().await;
    let arn = start(&server, "a").await;
    carry_out(&server, &arn, 4).await;
    server.get(Operation::DeleteImage, json!({"imageBuildVersionArn": arn}), "").await;
    assert_eq!(store::ami::list(&server.db).await.unwrap().len(), 1);
}

#[tokio::test]
async fn packages_come_in_pages() {
    let server = bench().await;
    let arn = start(&server, "a").await;
    let of = json!({"imageBuildVersionArn": arn});
    let operation = Operation::ListImagePackages;
    server.check(operation, of.clone(), expect!["404 ResourceNotFoundException: The packages of 'arn:aws:imagebuilder:eu-west-1:123456789012:image/web/1.0.0/1' cannot be listed: they are not known before the image is made."]).await;
    let packages = json!([["apt", "2.6.1"], ["bash", "5.2"], ["zlib1g", "1:1.2"]]);
    let run = run_of(&server, &arn).await;
    image::set_packages(&server.db, run, &packages).await.unwrap();
    let pages = server.pages(operation, of, 2, "imagePackageList").await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(pages[1][0], json!({"packageName": "zlib1g", "packageVersion": "1:1.2"}));
}

#[tokio::test]
async fn tags_and_policies_are_kept() {
    let server = bench().await;
    let arn = start(&server, "a").await;
    let of = json!({"resourceArn": arn});
    let tags = async || server.get(Operation::ListTagsForResource, of.clone(), "/tags").await;
    let tag = with(of.clone(), "tags", json!({"a": "1", "b": "2"}));
    server.get(Operation::TagResource, tag, "").await;
    assert_eq!(tags().await, json!({"a": "1", "b": "2"}));
    server.get(Operation::UntagResource, with(of.clone(), "tagKeys", json!(["a"])), "").await;
    assert_eq!(tags().await, json!({"b": "2"}));

    let of = json!({"imageArn": arn});
    server.check(Operation::GetImagePolicy, of.clone(), expect!["404 ResourceNotFoundException: 'arn:aws:imagebuilder:eu-west-1:123456789012:image/web/1.0.0/1' has no resource policy."]).await;
    let policy = r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "imagebuilder:GetImage"}}"#;
    server.get(Operation::PutImagePolicy, with(of.clone(), "policy", json!(policy)), "").await;
    assert_eq!(server.get(Operation::GetImagePolicy, of.clone(), "/policy").await, policy);
    let bad = with(of, "policy", json!("{}"));
    server.check(Operation::PutImagePolicy, bad, expect!["400 InvalidParameterValueException: The value supplied for parameter 'policy' is not valid. It must be an object with a 'Statement'."]).await;
}

#[tokio::test]
async fn accounts_see_their_own_images_only() {
    let server = bench().await;
    let arn = start(&server, "a").await;
    let other = caller("210987654321");
    let of = json!({"imageBuildVersionArn": arn});
    let answer = server.call_as(&other, Operation::GetImage, of.clone()).await;
    assert_eq!(answer.error.as_deref(), Some("ResourceNotFoundException"));
    let answer = server.call_as(&other, Operation::DeleteImage, of).await;
    assert_eq!(answer.error.as_deref(), Some("ResourceNotFoundException"));
    let answer = server.call_as(&other, Operation::ListImages, json!({})).await;
    assert_eq!(answer.body["imageVersionList"], json!([]));
}

#[tokio::test]
async fn what_comes_later_says_so() {
    let server = bench().await;
    let distribute = json!({
        "sourceImage": "ami-00101010101010101", "executionRole": "role", "clientToken": "a",
        "distributionConfigurationArn": format!("{OWN}:distribution-configuration/web"),
    });
    server
        .check(
            Operation::DistributeImage,
            distribute,
            expect!["400 InvalidRequestException: DistributeImage cannot be carried out yet: images are distributed as they are built."],
        )
        .await;
}
