//! Image and container recipes: immutable versions, the components they name, their policies.

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use wire::imagebuilder::Operation;

use crate::bench::{bench, carry_out, run_of, start};
use crate::component::create;
use crate::server::{OWN, Server};

const PARENT: &str = "arn:aws:imagebuilder:eu-west-1:aws:image/debian-server-12-x86/x.x.x";

fn image(version: &str, token: &str) -> Value {
    json!({
        "name": "Web Server", "semanticVersion": version, "parentImage": PARENT,
        "components": [
            {"componentArn": "arn:aws:imagebuilder:eu-west-1:aws:component/update-linux/x.x.x"},
            {"componentArn": format!("{OWN}:component/web/1.x.x")},
        ],
        "tags": {"team": "web"}, "clientToken": token,
    })
}

fn container(version: &str, token: &str) -> Value {
    json!({
        "name": "Web Server", "semanticVersion": version, "parentImage": "debian:12",
        "containerType": "DOCKER", "clientToken": token, "tags": {"team": "web"},
        "components": [{"componentArn": format!("{OWN}:component/web/1.0.0/1")}],
        "targetRepository": {"service": "ECR", "repositoryName": "team/web"},
    })
}

fn with(mut input: Value, member: &str, value: Value) -> Value {
    input[member] = value;
    input
}

/// Returns a server that has the component that recipes name.
async fn server() -> Server {
    let server = Server::new().await;
    let made = server.call(Operation::CreateComponent, create("web", "1.0.0", "one")).await;
    assert_eq!(made.error, None);
    server
}

async fn refused(operation: Operation, good: Value, table: Vec<(&str, Value, Expect)>) {
    let server = server().await;
    for (member, value, expected) in table {
        server.check(operation, with(good.clone(), member, value), expected).await;
    }
    let rehearsed = server.call(operation, with(good.clone(), "dryRun", true.into())).await;
    assert_eq!(rehearsed.status.as_u16(), 412);
    assert_eq!(server.call(operation, good).await.error, None);
}

#[tokio::test]
async fn an_image_recipe_is_read_as_it_was_made() {
    let server = server().await;
    server.check(Operation::CreateImageRecipe, image("1.0.0", "1"), expect![[r#"
        {
          "clientToken": "1",
          "imageRecipeArn": "arn:aws:imagebuilder:eu-west-1:123456789012:image-recipe/web-server/1.0.0",
          "latestVersionReferences": {
            "latestMajorVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:image-recipe/web-server/1.x.x",
            "latestMinorVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:image-recipe/web-server/1.0.x",
            "latestPatchVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:image-recipe/web-server/1.0.0",
            "latestVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:image-recipe/web-server/x.x.x"
          },
          "requestId": "request-1"
        }"#]]).await;
    let key = json!({"imageRecipeArn": format!("{OWN}:image-recipe/web-server/x.x.x")});
    server.check(Operation::GetImageRecipe, key, expect![[r#"
        {
          "imageRecipe": {
            "arn": "arn:aws:imagebuilder:eu-west-1:123456789012:image-recipe/web-server/1.0.0",
            "components": [
              {
                "componentArn": "arn:aws:imagebuilder:eu-west-1:aws:component/update-linux/x.x.x"
              },
              {
                "componentArn": "arn:aws:imagebuilder:eu-west-1:123456789012:component/web/1.x.x"
              }
            ],
            "dateCreated": "2026-09-09T19:12:23.418Z",
            "name": "Web Server",
            "owner": "123456789012",
            "parentImage": "arn:aws:imagebuilder:eu-west-1:aws:image/debian-server-12-x86/x.x.x",
            "platform": "Linux",
            "tags": {
              "team": "web"
            },
            "type": "AMI",
            "version": "1.0.0"
          },
          "latestVersionReferences": {
            "latestMajorVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:image-recipe/web-server/1.x.x",
            "latestMinorVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:image-recipe/web-server/1.0.x",
            "latestPatchVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:image-recipe/web-server/1.0.0",
            "latestVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:image-recipe/web-server/x.x.x"
          },
          "requestId": "request-1"
        }"#]]).await;
    let by_parent = json!({"filters": [{"name": "platform", "values": ["Linux"]}]});
    server
        .check(
            Operation::ListImageRecipes,
            by_parent,
            expect![[r#"
        {
          "imageRecipeSummaryList": [
            {
              "arn": "arn:aws:imagebuilder:eu-west-1:123456789012:image-recipe/web-server/1.0.0",
              "dateCreated": "2026-09-09T19:12:23.418Z",
              "name": "Web Server",
              "owner": "123456789012",
              "parentImage": "arn:aws:imagebuilder:eu-west-1:aws:image/debian-server-12-x86/x.x.x",
              "platform": "Linux",
              "tags": {
                "team": "web"
              }
            }
          ],
          "requestId": "request-1"
        }"#]],
        )
        .await;
}

#[tokio::test]
async fn a_container_recipe_is_read_as_it_was_made() {
    let server = server().await;
    server.check(Operation::CreateContainerRecipe, container("1.0.0", "1"), expect![[r#"
        {
          "clientToken": "1",
          "containerRecipeArn": "arn:aws:imagebuilder:eu-west-1:123456789012:container-recipe/web-server/1.0.0",
          "latestVersionReferences": {
            "latestMajorVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:container-recipe/web-server/1.x.x",
            "latestMinorVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:container-recipe/web-server/1.0.x",
            "latestPatchVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:container-recipe/web-server/1.0.0",
            "latestVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:container-recipe/web-server/x.x.x"
          },
          "requestId": "request-1"
        }"#]]).await;
    let key = json!({"containerRecipeArn": format!("{OWN}:container-recipe/web-server/1.x.x")});
    server.check(Operation::GetContainerRecipe, key, expect![[r#"
        {
          "containerRecipe": {
            "arn": "arn:aws:imagebuilder:eu-west-1:123456789012:container-recipe/web-server/1.0.0",
            "components": [
              {
                "componentArn": "arn:aws:imagebuilder:eu-west-1:123456789012:component/web/1.0.0/1"
              }
            ],
            "containerType": "DOCKER",
            "dateCreated": "2026-09-09T19:12:23.418Z",
            "dockerfileTemplateData": "FROM {{{ imagebuilder:parentImage }}}\n{{{ imagebuilder:environments }}}\n{{{ imagebuilder:components }}}\n",
            "encrypted": false,
            "name": "Web Server",
            "owner": "123456789012",
            "parentImage": "debian:12",
            "platform": "Linux",
            "tags": {
              "team": "web"
            },
            "targetRepository": {
              "repositoryName": "team/web",
              "service": "ECR"
            },
            "version": "1.0.0"
          },
          "latestVersionReferences": {
            "latestMajorVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:container-recipe/web-server/1.x.x",
            "latestMinorVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:container-recipe/web-server/1.0.x",
            "latestPatchVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:container-recipe/web-server/1.0.0",
            "latestVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:container-recipe/web-server/x.x.x"
          },
          "requestId": "request-1"
        }"#]]).await;
    let by_type = json!({"filters": [{"name": "containerType", "values": ["DOCKER"]}]});
    server.check(Operation::ListContainerRecipes, by_type, expect![[r#"
        {
          "containerRecipeSummaryList": [
            {
              "arn": "arn:aws:imagebuilder:eu-west-1:123456789012:container-recipe/web-server/1.0.0",
              "containerType": "DOCKER",
              "dateCreated": "2026-09-09T19:12:23.418Z",
              "name": "Web Server",
              "owner": "123456789012",
              "parentImage": "debian:12",
              "platform": "Linux",
              "tags": {
                "team": "web"
              }
            }
          ],
          "requestId": "request-1"
        }"#]]).await;
}

#[tokio::test]
async fn versions_are_taken_once_or_follow_the_last() {
    for (operation, make, arn) in [
        (Operation::CreateImageRecipe, image as fn(&str, &str) -> Value, "imageRecipeArn"),
        (Operation::CreateContainerRecipe, container, "containerRecipeArn"),
    ] {
        let server = server().await;
        let versions = ["1.0.0", "1.0.x", "1.x.0", "x.0.0", "1.0.x"];
        for (token, (given, expected)) in
            versions.into_iter().zip(["1.0.0", "1.0.1", "1.1.0", "2.0.0", "1.0.2"]).enumerate()
        {
            let input = make(given, &token.to_string());
            let made = server.get(operation, input, &format!("/{arn}")).await;
            assert!(made.as_str().unwrap().ends_with(&format!("/web-server/{expected}")), "{made}");
        }
        let taken = server.call(operation, make("1.0.1", "taken")).await;
        assert_eq!(taken.error.as_deref(), Some("ResourceAlreadyExistsException"));
        let named = taken.body["message"].as_str().unwrap();
        assert!(named.contains("-recipe/web-server/1.0.1'"), "{named}");
        for bad in ["1.x.x", "x.x.x", "1.0.1073741824"] {
            let answer = server.call(operation, make(bad, bad)).await;
            assert_eq!(answer.error.as_deref(), Some("InvalidVersionNumberException"), "{bad}");
        }
        let other = with(make("1.0.0", "0"), "description", "Other".into());
        let mismatch = server.call(operation, other).await;
        assert_eq!(mismatch.error.as_deref(), Some("IdempotentParameterMismatchException"));
    }
}

#[tokio::test]
async fn components_stay_while_recipes_name_them() {
    let server = server().await;
    let key = json!({"componentBuildVersionArn": format!("{OWN}:component/web/1.0.0/1")});
    server.call(Operation::CreateImageRecipe, image("1.0.0", "1")).await;
    server.call(Operation::CreateContainerRecipe, container("1.0.0", "1")).await;
    server.check(Operation::DeleteComponent, key.clone(), expect!["400 ResourceDependencyException: Resource dependency error: The resource ARN 'arn:aws:imagebuilder:eu-west-1:123456789012:component/web/1.0.0/1' has other resources depended on it. They are: 'arn:aws:imagebuilder:eu-west-1:123456789012:container-recipe/web-server/1.0.0', 'arn:aws:imagebuilder:eu-west-1:123456789012:image-recipe/web-server/1.0.0'."]).await;
    for (operation, member, kind) in [
        (Operation::DeleteImageRecipe, "imageRecipeArn", "image-recipe"),
        (Operation::DeleteContainerRecipe, "containerRecipeArn", "container-recipe"),
    ] {
        let arn = format!("{OWN}:{kind}/web-server/1.0.0");
        assert_eq!(server.get(operation, json!({member: arn}), &format!("/{member}")).await, arn);
        let gone = server.call(operation, json!({member: arn})).await;
        assert_eq!(gone.error.as_deref(), Some("ResourceNotFoundException"));
    }
    assert_eq!(server.call(Operation::DeleteComponent, key).await.error, None);
}

#[tokio::test]
async fn policies_are_kept_with_versions() {
    let server = server().await;
    server.call(Operation::CreateImageRecipe, image("1.0.0", "1")).await;
    server.call(Operation::CreateContainerRecipe, container("1.0.0", "1")).await;
    let policy = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*"}]}"#;
    for (put, get, member, kind) in [
        (
            Operation::PutImageRecipePolicy,
            Operation::GetImageRecipePolicy,
            "imageRecipeArn",
            "image-recipe",
        ),
        (
            Operation::PutContainerRecipePolicy,
            Operation::GetContainerRecipePolicy,
            "containerRecipeArn",
            "container-recipe",
        ),
    ] {
        let key = json!({member: format!("{OWN}:{kind}/web-server/1.0.0")});
        let none = server.call(get, key.clone()).await;
        assert_eq!(none.error.as_deref(), Some("ResourceNotFoundException"));
        let bad = server.call(put, with(key.clone(), "policy", "{}".into())).await;
        assert_eq!(bad.error.as_deref(), Some("InvalidParameterValueException"));
        let set = server.call(put, with(key.clone(), "policy", policy.into())).await;
        assert_eq!(set.error, None);
        assert_eq!(server.get(get, key, "/policy").await, policy);
    }
}

#[tokio::test]
async fn image_recipes_that_cannot_be_are_refused() {
    let own = |rest: &str| json!({"componentArn": format!("{OWN}:component/{rest}")});
    let parameter = |name: &str| json!([{"name": name, "value": ["1"]}]);
    let volume = |ebs: Value| json!([{"deviceName": "/dev/sda1", "ebs": ebs}]);
    let many: Vec<_> = (0..21).map(|n| own(&format!("c{n}/1.0.0"))).collect();
    refused(
        Operation::CreateImageRecipe,
        image("1.0.0", "1"),
        vec![
            ("components", json!([own("none/x.x.x")]), expect!["404 ResourceNotFoundException: The resource 'arn:aws:imagebuilder:eu-west-1:123456789012:component/none/x.x.x' cannot be found."]),
            ("components", json!([own("web/x.x.x"), own("web/1.0.0/1")]), expect!["400 InvalidParameterValueException: The value supplied for parameter 'components[1].componentArn' is not valid. 'arn:aws:imagebuilder:eu-west-1:123456789012:component/web' is there twice."]),
            ("components", json!([own("web/x.1.x")]), expect!["400 InvalidParameterValueException: The value supplied for parameter 'components[0].componentArn' is not valid. `arn:aws:imagebuilder:eu-west-1:123456789012:component/web/x.1.x` is not the ARN of an Image Builder resource: its version is wrong: `x.1.x` has a number to the right of `x`: after the first `x` all nodes must be `x`"]),
            ("components", json!(many), expect!["402 ServiceQuotaExceededException: 21 components; a recipe has at most 20."]),
            (
                "components",
                json!([with(own("web/x.x.x"), "parameters", parameter("port"))]),
                expect!["400 InvalidParameterValueException: The value supplied for parameter 'components[0].parameters[0].name' is not valid. The component has no parameter 'port'."],
            ),
            ("parentImage", json!("ami-00000000000000000"), expect!["400 InvalidParameterValueException: The value supplied for parameter 'parentImage' is not valid. There is no AMI 'ami-00000000000000000'."]),
            ("parentImage", json!("ssm:/base"), expect!["400 InvalidRequestException: The value supplied for parameter 'parentImage' is not valid. `ssm:/base` is not supported yet: parents are not looked up in the parameter store"]),
            ("parentImage", json!("./base.qcow2"), expect!["400 InvalidParameterValueException: The value supplied for parameter 'parentImage' is not valid. It must not be a disk image."]),
            ("parentImage", json!("ami-0123"), expect!["400 InvalidParameterValueException: The value supplied for parameter 'parentImage' is not valid. It must be an image's ARN, an AMI's id or the name of a managed image as in 'debian-server-12'."]),
            ("parentImage", json!("debian-server-99"), expect!["400 InvalidParameterValueException: The value supplied for parameter 'parentImage' is not valid. There is no managed image 'debian-server-99'."]),
            ("parentImage", json!(format!("{OWN}:image/none/x.x.x")), expect!["404 ResourceNotFoundException: The resource 'arn:aws:imagebuilder:eu-west-1:123456789012:image/none/x.x.x' cannot be found."]),
            ("parentImage", json!("arn:aws:ec2:eu-west-1::image/ami-1"), expect!["400 InvalidParameterValueException: The value supplied for parameter 'parentImage' is not valid. `arn:aws:ec2:eu-west-1::image/ami-1` is not an image's ARN: expected `arn:aws:imagebuilder:<region>:<account>:image/…`"]),
            ("workingDirectory", json!("tmp"), expect!["400 InvalidParameterValueException: The value supplied for parameter 'workingDirectory' is not valid. It must be an absolute path without '..'."]),
            ("amiTags", json!({"a": "{{ none }}"}), expect!["400 InvalidParameterValueException: The value supplied for parameter 'amiTags.a' is not valid. `none` is not a variable: expected `imagebuilder:buildDate` or `imagebuilder:buildVersion`"]),
            ("amiWatermarks", json!(["mark"]), expect!["400 InvalidRequestException: The value supplied for parameter 'amiWatermarks' is not valid. Watermarks of AMIs are not supported yet."]),
            ("blockDeviceMappings", volume(json!({"volumeType": "io2"})), expect!["400 InvalidParameterCombinationException: Volumes of type io2 need 'blockDeviceMappings[0].ebs.iops'."]),
            ("blockDeviceMappings", volume(json!({"iops": 3000})), expect!["400 InvalidParameterCombinationException: Volumes of type gp2 cannot have 'blockDeviceMappings[0].ebs.iops'."]),
            ("blockDeviceMappings", volume(json!({"throughput": 125})), expect!["400 InvalidParameterCombinationException: Volumes of type gp2 cannot have 'blockDeviceMappings[0].ebs.throughput'."]),
            (
                "blockDeviceMappings",
                volume(json!({"volumeType": "st1", "volumeSize": 8})),
                expect!["400 InvalidParameterValueException: The value supplied for parameter 'blockDeviceMappings[0].ebs.volumeSize' is not valid. Volumes of type st1 have 125 to 16000 GiB."],
            ),
            (
                "blockDeviceMappings",
                volume(json!({"encrypted": false, "kmsKeyId": "k"})),
                expect!["400 InvalidParameterCombinationException: 'blockDeviceMappings[0].ebs.kmsKeyId' cannot be given for a volume that is not to be encrypted."],
            ),
            ("blockDeviceMappings", json!([{"deviceName": "/dev/sda1"}]), expect!["400 InvalidParameterCombinationException: Exactly one of 'blockDeviceMappings[0].ebs', 'blockDeviceMappings[0].virtualName' and 'blockDeviceMappings[0].noDevice' must be given."]),
            ("blockDeviceMappings", json!([{"noDevice": ""}]), expect!["400 InvalidParameterValueException: The value supplied for parameter 'blockDeviceMappings[0].deviceName' is not valid. It must not be null."]),
        ],
    )
    .await;
}

#[tokio::test]
async fn container_recipes_that_cannot_be_are_refused() {
    refused(
        Operation::CreateContainerRecipe,
        container("1.0.0", "1"),
        vec![
            ("dockerfileTemplateUri", json!("s3://bucket/key"), expect!["400 InvalidRequestException: The value supplied for parameter 'dockerfileTemplateUri' is not valid. 's3://bucket/key' cannot be read: there is no object store yet. Give the text in 'dockerfileTemplateData'."]),
            ("dockerfileTemplateData", json!("FROM {{{ none }}}"), expect!["400 InvalidParameterValueException: The value supplied for parameter 'dockerfileTemplateData' is not valid. 'none' is not a variable; there are: imagebuilder:parentImage, imagebuilder:environments, imagebuilder:components."]),
            ("parentImage", json!("a b"), expect!["400 InvalidParameterValueException: The value supplied for parameter 'parentImage' is not valid. It must be an image's ARN or a reference as in 'debian:12'."]),
            ("parentImage", json!(PARENT), expect!["400 InvalidParameterValueException: The value supplied for parameter 'parentImage' is not valid. 'arn:aws:imagebuilder:eu-west-1:aws:image/debian-server-12-x86/x.x.x' is an image of type AMI; it must be DOCKER."]),
            ("platformOverride", json!("Windows"), expect!["400 InvalidRequestException: The value supplied for parameter 'platformOverride' is not valid. Containers for Windows cannot be built yet: it must be Linux."]),
            ("kmsKeyId", json!("alias/k"), expect!["400 InvalidRequestException: The value supplied for parameter 'kmsKeyId' is not valid. Documents cannot be encrypted with keys yet."]),
            ("targetRepository", json!({"service": "ECR", "repositoryName": "Web"}), expect!["400 InvalidParameterValueException: The value supplied for parameter 'targetRepository.repositoryName' is not valid. It must be 2 to 256 lower-case letters, digits, '.', '_', '-' and '/'."]),
            ("instanceConfiguration", json!({"image": "ami-00000000000000000"}), expect!["400 InvalidParameterValueException: The value supplied for parameter 'instanceConfiguration.image' is not valid. There is no AMI 'ami-00000000000000000'."]),
            (
                "components",
                json!([{"componentArn": format!("{OWN}:component/none/x.x.x")}]),
                expect!["404 ResourceNotFoundException: The resource 'arn:aws:imagebuilder:eu-west-1:123456789012:component/none/x.x.x' cannot be found."],
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn images_grow_out_of_the_account_s_own() {
    let server = bench().await;
    let parent = start(&server, "a").await;
    let made = server.call(Operation::CreateComponent, create("web", "1.0.0", "one")).await;
    assert_eq!(made.error, None);
    carry_out(&server, &parent, 4).await;
    let run = run_of(&server, &parent).await;
    store::image::set_os_version(&server.db, run, "Debian 13").await.unwrap();
    let own = |version: &str| json!(format!("{OWN}:image/web/{version}"));
    for version in ["1.0.0/1", "1.0.0", "1.x.x", "x.x.x"] {
        let input = with(image("3.x.0", version), "parentImage", own(version));
        assert_eq!(server.call(Operation::CreateImageRecipe, input).await.error, None, "{version}");
    }
    let input = with(image("3.x.0", "none"), "parentImage", own("2.x.x"));
    server.check(Operation::CreateImageRecipe, input, expect!["404 ResourceNotFoundException: The resource 'arn:aws:imagebuilder:eu-west-1:123456789012:image/web/2.x.x' cannot be found."]).await;
    let input = with(container("1.0.0", "a"), "parentImage", own("x.x.x"));
    server.check(Operation::CreateContainerRecipe, input, expect!["400 InvalidParameterValueException: The value supplied for parameter 'parentImage' is not valid. 'arn:aws:imagebuilder:eu-west-1:123456789012:image/web/x.x.x' is an image of type AMI; it must be DOCKER."]).await;
    let old = with(create("old", "1.0.0", "one"), "supportedOsVersions", json!(["Debian 12"]));
    assert_eq!(server.call(Operation::CreateComponent, old).await.error, None);
    let old = json!([{"componentArn": format!("{OWN}:component/old/x.x.x")}]);
    let input = with(image("3.x.0", "old"), "parentImage", own("x.x.x"));
    server.check(Operation::CreateImageRecipe, with(input, "components", old), expect!["400 InvalidParameterValueException: The value supplied for parameter 'components[0].componentArn' is not valid. It supports Debian 12, and the parent image is Debian 13."]).await;

    // Recipes hold no image back: their images have copies.
    let key = json!({"imageBuildVersionArn": parent});
    assert_eq!(server.call(Operation::DeleteImage, key).await.error, None);
}
