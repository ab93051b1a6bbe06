//! Components, their versions, builds and policies.

use expect_test::expect;
use serde_json::{Value, json};
use wire::imagebuilder::Operation;

use crate::server::{OWN, Server, caller};

/// Returns a document that says `word`.
pub(crate) fn document(word: &str) -> String {
    format!(
        "name: hello\nschemaVersion: 1.0\nphases:\n  - name: build\n    steps:\n      \
         - name: Say\n        action: ExecuteBash\n        inputs:\n          commands: [echo {word}]\n"
    )
}

/// Returns a request for the component `name`; `word` makes its document and its token.
pub(crate) fn create(name: &str, version: &str, word: &str) -> Value {
    json!({
        "name": name,
        "semanticVersion": version,
        "platform": "Linux",
        "data": document(word),
        "clientToken": format!("{name}-{version}-{word}"),
    })
}

fn with(mut input: Value, member: &str, value: Value) -> Value {
    input[member] = value;
    input
}

fn without(mut input: Value, member: &str) -> Value {
    input.as_object_mut().unwrap().remove(member);
    input
}

#[tokio::test]
async fn a_component_is_read_as_it_was_made() {
    let server = Server::new().await;
    let mut input = create("Web Server", "1.2.3", "hi");
    input["description"] = "Serves".into();
    input["changeDescription"] = "First".into();
    input["supportedOsVersions"] = json!(["Debian 12"]);
    input["tags"] = json!({"team": "web"});
    server.check(Operation::CreateComponent, input, expect![[r#"
        {
          "clientToken": "Web Server-1.2.3-hi",
          "componentBuildVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:component/web-server/1.2.3/1",
          "latestVersionReferences": {
            "latestMajorVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:component/web-server/1.x.x",
            "latestMinorVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:component/web-server/1.2.x",
            "latestPatchVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:component/web-server/1.2.3",
            "latestVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:component/web-server/x.x.x"
          },
          "requestId": "request-1"
        }"#]]).await;
    server
        .check(
            Operation::GetComponent,
            json!({"componentBuildVersionArn": format!("{OWN}:component/web-server/1.2.3/1")}),
            expect![[r#"
                {
                  "component": {
                    "arn": "arn:aws:imagebuilder:eu-west-1:123456789012:component/web-server/1.2.3/1",
                    "changeDescription": "First",
                    "data": "name: hello\nschemaVersion: 1.0\nphases:\n  - name: build\n    steps:\n      - name: Say\n        action: ExecuteBash\n        inputs:\n          commands: [echo hi]\n",
                    "dateCreated": "2026-09-09T19:12:23.418Z",
                    "description": "Serves",
                    "encrypted": false,
                    "name": "Web Server",
                    "owner": "123456789012",
                    "platform": "Linux",
                    "state": {
                      "status": "ACTIVE"
                    },
                    "supportedOsVersions": [
                      "Debian 12"
                    ],
                    "tags": {
                      "team": "web"
                    },
                    "type": "BUILD",
                    "version": "1.2.3"
                  },
                  "latestVersionReferences": {
                    "latestMajorVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:component/web-server/1.x.x",
                    "latestMinorVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:component/web-server/1.2.x",
                    "latestPatchVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:component/web-server/1.2.3",
                    "latestVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:component/web-server/x.x.x"
                  },
                  "requestId": "request-1"
                }"#]],
        )
        .await;
}

#[tokio::test]
async fn parameters_and_type_are_read_off_the_document() {
    let server = Server::new().await;
    let data = "schemaVersion: 1.0\nparameters:\n  - port:\n      type: string\n      default: '80'\n      \
                description: Where\nphases:\n  - name: test\n    steps:\n      - name: Ask\n        \
                action: ExecuteBash\n        inputs:\n          commands: ['curl localhost:{{ port }}']\n";
    let input = with(create("asks", "1.0.0", "x"), "data", data.into());
    let arn = server.get(Operation::CreateComponent, input, "/componentBuildVersionArn").await;
    let component = server
        .get(Operation::GetComponent, json!({"componentBuildVersionArn": arn}), "/component")
        .await;
    assert_eq!(component["type"], "TEST");
    assert_eq!(
        component["parameters"],
        json!([{"name": "port", "type": "String", "defaultValue": ["80"], "description": "Where"}])
    );
}

#[tokio::test]
async fn changed_documents_are_builds_and_equal_ones_are_refused() {
    let server = Server::new().await;
    let make = async |version, word, token: &str| {
        let input = with(create("web", version, word), "clientToken", token.into());
        server.call(Operation::CreateComponent, input).await
    };
    let arn = |answer: crate::server::Answer| answer.body["componentBuildVersionArn"].clone();
    assert_eq!(arn(make("1.0.0", "one", "1").await), format!("{OWN}:component/web/1.0.0/1"));
    assert_eq!(arn(make("1.0.0", "two", "2").await), format!("{OWN}:component/web/1.0.0/2"));
    assert_eq!(arn(make("1.10.0", "one", "3").await), format!("{OWN}:component/web/1.10.0/1"));
    assert_eq!(arn(make("1.9.0", "one", "4").await), format!("{OWN}:component/web/1.9.0/1"));
    expect!["400 ResourceAlreadyExistsException: The resource 'arn:aws:imagebuilder:eu-west-1:123456789012:component/web/1.0.0/1' already exists with the same document."].assert_eq(&make("1.0.0", "one", "5").await.told());
    for (version, expected) in [
        ("x.x.x", "1.10.0/1"),
        ("1.x.x", "1.10.0/1"),
        ("1.0.x", "1.0.0/2"),
        ("1.0.0", "1.0.0/2"),
        ("1.0.0/1", "1.0.0/1"),
    ] {
        let arn = format!("{OWN}:component/web/{version}");
        let input = json!({"componentBuildVersionArn": arn});
        let found = server.get(Operation::GetComponent, input, "/component/arn").await;
        assert_eq!(found, format!("{OWN}:component/web/{expected}"), "{version}");
    }
    let list = async |by_name: bool| {
        let input = json!({"byName": by_name});
        let list = server.get(Operation::ListComponents, input, "/componentVersionList").await;
        let list = list.as_array().unwrap().clone();
        list.iter().map(|one| one["arn"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        list(false).await,
        ["1.0.0", "1.9.0", "1.10.0"].map(|version| format!("{OWN}:component/web/{version}"))
    );
    assert_eq!(list(true).await, [format!("{OWN}:component/web/x.x.x")]);
}

#[tokio::test]
async fn tokens_answer_again_for_a_day() {
    let server = Server::new().await;
    let input = create("web", "1.0.0", "one");
    let first = server.call(Operation::CreateComponent, input.clone()).await;
    server.pass(24 * 3600 - 1);
    assert_eq!(server.call(Operation::CreateComponent, input.clone()).await, first);
    let other = with(input.clone(), "description", "Other".into());
    server.check(Operation::CreateComponent, other, expect!["400 IdempotentParameterMismatchException: The client token 'web-1.0.0-one' was used before with other parameters."]).await;
    server.pass(1);
    server.check(Operation::CreateComponent, input, expect!["400 ResourceAlreadyExistsException: The resource 'arn:aws:imagebuilder:eu-west-1:123456789012:component/web/1.0.0/1' already exists with the same document."]).await;
}

#[tokio::test]
async fn what_cannot_be_a_component_is_refused() {
    let server = Server::new().await;
    let good = || create("web", "1.0.0", "one");
    let operation = Operation::CreateComponent;
    for (input, expected) in [
        (
            without(good(), "data"),
            expect![
                "400 InvalidParameterCombinationException: Either 'data' or 'uri' must be given."
            ],
        ),
        (
            with(good(), "uri", "s3://bucket/key".into()),
            expect![
                "400 InvalidParameterCombinationException: 'data' and 'uri' exclude each other."
            ],
        ),
        (
            with(without(good(), "data"), "uri", "s3://bucket/key".into()),
            expect![
                "400 InvalidRequestException: The value supplied for parameter 'uri' is not valid. 's3://bucket/key' cannot be read: there is no object store yet. Give the text in 'data'."
            ],
        ),
        (
            with(good(), "platform", "Windows".into()),
            expect![
                "400 InvalidRequestException: The value supplied for parameter 'platform' is not valid. Components for Windows cannot be executed yet: it must be Linux."
            ],
        ),
        (
            with(good(), "kmsKeyId", "alias/k".into()),
            expect![
                "400 InvalidRequestException: The value supplied for parameter 'kmsKeyId' is not valid. Documents cannot be encrypted with keys yet."
            ],
        ),
        (
            with(good(), "semanticVersion", "1.0.x".into()),
            expect![[
                r#"400 InvalidRequestException: The value supplied for parameter 'semanticVersion' is not valid. semanticVersion must match pattern ^[0-9]+\.[0-9]+\.[0-9]+$"#
            ]],
        ),
        (
            with(good(), "semanticVersion", "1.0.1073741824".into()),
            expect![[
                r#"400 InvalidVersionNumberException: The value supplied for parameter 'semanticVersion' is not valid. semanticVersion must match pattern ^[0-9]+\.[0-9]+\.[0-9]+$: `1.0.1073741824` has a number greater than 1073741823"#
            ]],
        ),
        (
            with(good(), "data", "phases: {}\nschemaVersion: 2.0\n".into()),
            expect![[r#"
            400 InvalidParameterValueException: The value supplied for parameter 'data' is not valid. The document is not valid.
            error[wrong-type]: `phases`: expected a list, found a mapping
             --> data:1:9
              |
            1 | phases: {}
              |         ^^
              = help: write `- ` before each entry of a list

            error[schema-version]: `2.0` is not a schema version: only 1.0 exists
             --> data:2:16
              |
            2 | schemaVersion: 2.0
              |                ^^^
        "#]],
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
    // A dry run makes nothing and takes no token.
    assert_eq!(server.call(operation, good()).await.error, None);
    let again = with(with(good(), "dryRun", true.into()), "clientToken", "2".into());
    server.check(operation, again, expect!["400 ResourceAlreadyExistsException: The resource 'arn:aws:imagebuilder:eu-west-1:123456789012:component/web/1.0.0/1' already exists with the same document."]).await;
}

#[tokio::test]
async fn builds_are_listed_and_deleted() {
    let server = Server::new().await;
    for word in ["one", "two", "three"] {
        server.call(Operation::CreateComponent, create("web", "1.0.0", word)).await;
    }
    server.call(Operation::CreateComponent, create("web", "1.0.1", "one")).await;
    server.call(Operation::CreateComponent, create("webs", "1.0.0", "one")).await;
    let builds = async || {
        let input = json!({"componentVersionArn": format!("{OWN}:component/web/1.0.0")});
        let pages = server
            .pages(Operation::ListComponentBuildVersions, input, 2, "componentSummaryList")
            .await;
        pages.concat().iter().map(|one| one["arn"].clone()).collect::<Vec<_>>()
    };
    let arn = |build| Value::from(format!("{OWN}:component/web/1.0.0/{build}"));
    assert_eq!(builds().await, [arn(1), arn(2), arn(3)]);
    let delete = json!({"componentBuildVersionArn": arn(3)});
    server.check(Operation::DeleteComponent, delete.clone(), expect![[r#"
        {
          "componentBuildVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:component/web/1.0.0/3",
          "requestId": "request-1"
        }"#]]).await;
    server.check(Operation::DeleteComponent, delete.clone(), expect!["404 ResourceNotFoundException: The resource 'arn:aws:imagebuilder:eu-west-1:123456789012:component/web/1.0.0/3' cannot be found."]).await;
    server.check(Operation::GetComponent, delete, expect!["404 ResourceNotFoundException: The resource 'arn:aws:imagebuilder:eu-west-1:123456789012:component/web/1.0.0/3' cannot be found."]).await;
    assert_eq!(builds().await, [arn(1), arn(2)]);
    let newest = json!({"componentBuildVersionArn": format!("{OWN}:component/web/1.0.0")});
    assert_eq!(server.get(Operation::GetComponent, newest, "/component/arn").await, arn(2));
    let list = server.get(Operation::ListComponents, json!({}), "/componentVersionList").await;
    assert_eq!(list.as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn lists_are_filtered_and_paged() {
    let server = Server::new().await;
    for n in 0..60 {
        let mut input = create(&format!("web-{n:02}"), "1.0.0", "one");
        input["description"] = if n % 2 == 0 { "even" } else { "odd" }.into();
        server.call(Operation::CreateComponent, input).await;
    }
    let operation = Operation::ListComponents;
    let sizes = async |input: Value, size| {
        let pages = server.pages(operation, input, size, "componentVersionList").await;
        pages.iter().map(Vec::len).collect::<Vec<_>>()
    };
    assert_eq!(sizes(json!({}), 25).await, [25, 25, 10]);
    assert_eq!(sizes(json!({}), 20).await, [20, 20, 20]);
    let even = json!({"filters": [{"name": "description", "values": ["even"]}]});
    assert_eq!(sizes(even.clone(), 25).await, [25, 5]);
    let one = json!({"filters": [
        {"name": "description", "values": ["even"]},
        {"name": "name", "values": ["web-02", "web-03"]},
    ]});
    assert_eq!(sizes(one, 25).await, [1]);
    for owner in ["Shared", "ThirdParty", "AWSMarketplace"] {
        assert_eq!(sizes(json!({"owner": owner}), 25).await, [0]);
    }
    let token = server.get(operation, json!({}), "/nextToken").await;
    for (input, expected) in [
        (
            json!({"nextToken": "nonsense"}),
            expect![
                "400 InvalidPaginationTokenException: The pagination token is not one that this request was answered with."
            ],
        ),
        (
            with(even, "nextToken", token.clone()),
            expect![
                "400 InvalidPaginationTokenException: The pagination token is not one that this request was answered with."
            ],
        ),
        (
            json!({"filters": [{"name": "colour", "values": ["red"]}]}),
            expect![
                "400 InvalidParameterValueException: The value supplied for parameter 'filters[0].name' is not valid. It must be one of: description, name, platform, supportedOsVersion, type, version."
            ],
        ),
        (
            json!({"maxResults": 0}),
            expect![
                "400 InvalidRequestException: The value supplied for parameter 'maxResults' is not valid. maxResults must have value greater than or equal to 1"
            ],
        ),
    ] {
        server.check(operation, input, expected).await;
    }
    let other =
        server.call_as(&caller("999999999999"), operation, json!({"nextToken": token})).await;
    assert_eq!(other.error.as_deref(), Some("InvalidPaginationTokenException"));
}

#[tokio::test]
async fn policies_are_kept_with_builds() {
    let server = Server::new().await;
    let arn = server
        .get(Operation::CreateComponent, create("web", "1.0.0", "one"), "/componentBuildVersionArn")
        .await;
    let get = json!({"componentArn": arn});
    server.check(Operation::GetComponentPolicy, get.clone(), expect!["404 ResourceNotFoundException: 'arn:aws:imagebuilder:eu-west-1:123456789012:component/web/1.0.0/1' has no resource policy."]).await;
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["999999999999"]},"Action":["imagebuilder:GetComponent"],"Resource":["*"]}]}"#;
    let put = json!({"componentArn": arn, "policy": policy});
    server
        .check(
            Operation::PutComponentPolicy,
            put.clone(),
            expect![[r#"
        {
          "componentArn": "arn:aws:imagebuilder:eu-west-1:123456789012:component/web/1.0.0/1",
          "requestId": "request-1"
        }"#]],
        )
        .await;
    assert_eq!(server.get(Operation::GetComponentPolicy, get, "/policy").await, policy);
    let nowhere = json!(format!("{OWN}:component/none/1.0.0/1"));
    for (input, expected) in [
        (
            with(put.clone(), "policy", "{}".into()),
            expect![
                "400 InvalidParameterValueException: The value supplied for parameter 'policy' is not valid. It must be an object with a 'Statement'."
            ],
        ),
        (
            with(put.clone(), "policy", "{".into()),
            expect![
                "400 InvalidParameterValueException: The value supplied for parameter 'policy' is not valid. It is not JSON: EOF while parsing an object at line 1 column 1."
            ],
        ),
        (
            with(put, "componentArn", nowhere),
            expect![
                "404 ResourceNotFoundException: The resource 'arn:aws:imagebuilder:eu-west-1:123456789012:component/none/1.0.0/1' cannot be found."
            ],
        ),
    ] {
        server.check(Operation::PutComponentPolicy, input, expected).await;
    }
}

#[tokio::test]
async fn scripts_become_components() {
    let server = Server::new().await;
    let good = json!({
        "name": "set-up", "semanticVersion": "1.0.0", "platform": "Linux", "format": "SHELL",
        "type": "TEST", "data": "#!/bin/bash\ntrue\n", "clientToken": "1",
    });
    let operation = Operation::ImportComponent;
    server.check(operation, good.clone(), expect![[r#"
        {
          "clientToken": "1",
          "componentBuildVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:component/set-up/1.0.0/1",
          "requestId": "request-1"
        }"#]]).await;
    server.check(operation, good.clone(), expect![[r#"
        {
          "clientToken": "1",
          "componentBuildVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:component/set-up/1.0.0/1",
          "requestId": "request-1"
        }"#]]).await;
    let get = json!({"componentBuildVersionArn": format!("{OWN}:component/set-up/1.0.0/1")});
    assert_eq!(server.get(Operation::GetComponent, get, "/component/type").await, "TEST");
    let good = with(good, "clientToken", "2".into());
    for (input, expected) in [
        (
            good.clone(),
            expect![
                "400 ResourceAlreadyExistsException: The resource 'arn:aws:imagebuilder:eu-west-1:123456789012:component/set-up/1.0.0/1' already exists with the same document."
            ],
        ),
        (
            with(good.clone(), "clientToken", "1".into()).clone(),
            expect![[r#"
            {
              "clientToken": "1",
              "componentBuildVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:component/set-up/1.0.0/1",
              "requestId": "request-1"
            }"#]],
        ),
        (
            with(good.clone(), "data", "#!/usr/bin/perl\n".into()),
            expect![
                "400 InvalidParameterValueException: The value supplied for parameter 'data' is not valid. It is a script for 'perl', and must be one for a shell."
            ],
        ),
        (
            with(good.clone(), "platform", "Windows".into()),
            expect![
                "400 InvalidRequestException: The value supplied for parameter 'platform' is not valid. Components for Windows cannot be executed yet: it must be Linux."
            ],
        ),
        (
            without(good.clone(), "data"),
            expect![
                "400 InvalidParameterCombinationException: Either 'data' or 'uri' must be given."
            ],
        ),
    ] {
        server.check(operation, input, expected).await;
    }
}

#[tokio::test]
async fn accounts_see_their_own() {
    let server = Server::new().await;
    let arn = server
        .get(Operation::CreateComponent, create("web", "1.0.0", "one"), "/componentBuildVersionArn")
        .await;
    let other = caller("999999999999");
    let input = json!({"componentBuildVersionArn": arn});
    for operation in [Operation::GetComponent, Operation::DeleteComponent] {
        let answer = server.call_as(&other, operation, input.clone()).await;
        assert_eq!(answer.error.as_deref(), Some("ResourceNotFoundException"));
    }
    let list = server.call_as(&other, Operation::ListComponents, json!({})).await;
    assert_eq!(list.body["componentVersionList"], json!([]));
    let mut elsewhere = other;
    elsewhere.region = "eu-west-2".parse().unwrap();
    let list = server.call_as(&elsewhere, Operation::ListComponents, json!({})).await;
    assert_eq!(list.body["componentVersionList"], json!([]));
}
