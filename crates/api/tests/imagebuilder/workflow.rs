//! Workflows, their versions and builds.

use expect_test::expect;
use serde_json::{Value, json};
use wire::imagebuilder::Operation;

use crate::server::{OWN, Server};

/// Returns a document that waits; `word` makes it another one.
fn document(word: &str) -> String {
    format!(
        "description: {word}\nschemaVersion: 1.0\nparameters:\n  - {{name: minutes, type: integer, \
         default: 5}}\n  - {{name: topic, type: string}}\nsteps:\n  - name: Wait\n    \
         action: WaitForAction\n    inputs: {{snsTopicArn.$: $.parameters.topic}}\n"
    )
}

/// Returns a request for the workflow `name`; `word` makes its document and its token.
pub(crate) fn create(name: &str, r#type: &str, word: &str) -> Value {
    json!({
        "name": name,
        "semanticVersion": "1.0.0",
        "type": r#type,
        "data": document(word),
        "clientToken": format!("{name}-{type}-{word}"),
    })
}

fn with(mut input: Value, member: &str, value: Value) -> Value {
    input[member] = value;
    input
}

#[tokio::test]
async fn a_workflow_is_read_as_it_was_made() {
    let server = Server::new().await;
    let mut input = create("Wait Here", "TEST", "one");
    input["description"] = "Waits".into();
    input["tags"] = json!({"team": "web"});
    server.check(Operation::CreateWorkflow, input, expect![[r#"
        {
          "clientToken": "Wait Here-TEST-one",
          "latestVersionReferences": {
            "latestMajorVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:workflow/test/wait-here/1.x.x",
            "latestMinorVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:workflow/test/wait-here/1.0.x",
            "latestPatchVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:workflow/test/wait-here/1.0.0",
            "latestVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:workflow/test/wait-here/x.x.x"
          },
          "workflowBuildVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:workflow/test/wait-here/1.0.0/1"
        }"#]]).await;
    let arn = format!("{OWN}:workflow/test/wait-here/x.x.x");
    let get = json!({"workflowBuildVersionArn": arn});
    server.check(Operation::GetWorkflow, get, expect![[r#"
        {
          "latestVersionReferences": {
            "latestMajorVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:workflow/test/wait-here/1.x.x",
            "latestMinorVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:workflow/test/wait-here/1.0.x",
            "latestPatchVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:workflow/test/wait-here/1.0.0",
            "latestVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:workflow/test/wait-here/x.x.x"
          },
          "workflow": {
            "arn": "arn:aws:imagebuilder:eu-west-1:123456789012:workflow/test/wait-here/1.0.0/1",
            "data": "description: one\nschemaVersion: 1.0\nparameters:\n  - {name: minutes, type: integer, default: 5}\n  - {name: topic, type: string}\nsteps:\n  - name: Wait\n    action: WaitForAction\n    inputs: {snsTopicArn.$: $.parameters.topic}\n",
            "dateCreated": "2026-09-09T19:12:23.418Z",
            "description": "Waits",
            "name": "Wait Here",
            "owner": "123456789012",
            "parameters": [
              {
                "defaultValue": [
                  "5"
                ],
                "name": "minutes",
                "type": "integer"
              },
              {
                "name": "topic",
                "type": "string"
              }
            ],
            "tags": {
              "team": "web"
            },
            "type": "TEST",
            "version": "1.0.0"
          }
        }"#]]).await;
}

#[tokio::test]
async fn builds_versions_and_names_are_listed() {
    let server = Server::new().await;
    for (name, r#type, word) in [
        ("wait", "BUILD", "one"),
        ("wait", "BUILD", "two"),
        ("wait", "TEST", "one"),
        ("publish", "DISTRIBUTION", "one"),
    ] {
        server.get(Operation::CreateWorkflow, create(name, r#type, word), "").await;
    }
    let list = async |input: Value| {
        let pages = server.pages(Operation::ListWorkflows, input, 1, "workflowVersionList").await;
        pages.concat().iter().map(|one| one["arn"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let all = ["build/wait", "distribution/publish", "test/wait"]
        .map(|name| format!("{OWN}:workflow/{name}/1.0.0"));
    assert_eq!(list(json!({})).await, all);
    let names = all.clone().map(|arn| arn.replace("1.0.0", "x.x.x"));
    assert_eq!(list(json!({"byName": true})).await, names);
    let tests = json!({"filters": [{"name": "type", "values": ["TEST"]}]});
    assert_eq!(list(tests).await, all[2..]);
    let of = json!({"workflowVersionArn": format!("{OWN}:workflow/build/wait/x.x.x")});
    let list = "workflowSummaryList";
    let builds = server.pages(Operation::ListWorkflowBuildVersions, of, 1, list).await.concat();
    let builds: Vec<_> = builds.iter().map(|one| one["arn"].clone()).collect();
    assert_eq!(builds, [1, 2].map(|n| format!("{OWN}:workflow/build/wait/1.0.0/{n}")));
    let delete = json!({"workflowBuildVersionArn": builds[1]});
    server.check(Operation::DeleteWorkflow, delete.clone(), expect![[r#"
        {
          "workflowBuildVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:workflow/build/wait/1.0.0/2"
        }"#]]).await;
    server.check(Operation::DeleteWorkflow, delete, expect!["404 ResourceNotFoundException: The resource 'arn:aws:imagebuilder:eu-west-1:123456789012:workflow/build/wait/1.0.0/2' cannot be found."]).await;
}

#[tokio::test]
async fn what_cannot_be_a_workflow_is_refused() {
    let server = Server::new().await;
    let good = || create("wait", "BUILD", "one");
    let operation = Operation::CreateWorkflow;
    for (input, expected) in [
        (
            with(good(), "data", "steps: []\n".into()),
            expect![[r#"
            400 InvalidParameterValueException: The value supplied for parameter 'data' is not valid. The document is not valid.
            error[missing-member]: the document lacks `schemaVersion`
             --> data:1:1
              |
            1 | steps: []
              | ^

            error[size]: `steps` is empty
             --> data:1:1
              |
            1 | steps: []
              | ^^^^^
        "#]],
        ),
        (
            with(good(), "uri", "s3://bucket/key".into()),
            expect![
                "400 InvalidParameterCombinationException: 'data' and 'uri' exclude each other."
            ],
        ),
        (
            with(good(), "kmsKeyId", "k".into()),
            expect![
                "400 InvalidRequestException: The value supplied for parameter 'kmsKeyId' is not valid. Documents cannot be encrypted with keys yet."
            ],
        ),
        (
            with(good(), "semanticVersion", "1.0.1073741824".into()),
            expect![[
                r#"400 InvalidVersionNumberException: The value supplied for parameter 'semanticVersion' is not valid. semanticVersion must match pattern ^[0-9]+\.[0-9]+\.[0-9]+$: `1.0.1073741824` has a number greater than 1073741823"#
            ]],
        ),
        (
            with(good(), "type", "DEPLOY".into()),
            expect![
                "400 InvalidRequestException: The value supplied for parameter 'type' is not valid. type must satisfy enum value set: [BUILD, TEST, DISTRIBUTION]"
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
    let again = with(good(), "clientToken", "2".into());
    server.check(operation, again, expect!["400 ResourceAlreadyExistsException: The resource 'arn:aws:imagebuilder:eu-west-1:123456789012:workflow/build/wait/1.0.0/1' already exists with the same document."]).await;
    let other = with(good(), "description", "Other".into());
    server.check(operation, other, expect!["400 IdempotentParameterMismatchException: The client token 'wait-BUILD-one' was used before with other parameters."]).await;
}

#[tokio::test]
async fn managed_workflows_are_listed_and_read() {
    let server = Server::new().await;
    let input = json!({"owner": "Amazon"});
    let pages = server.pages(Operation::ListWorkflows, input, 25, "workflowVersionList").await;
    let arns: Vec<_> = pages.concat().iter().map(|one| one["arn"].clone()).collect();
    let aws = "arn:aws:imagebuilder:eu-west-1:aws:workflow";
    assert_eq!(
        arns,
        ["build/build-image", "distribution/distribute-image", "test/test-image"]
            .map(|name| format!("{aws}/{name}/1.0.0"))
    );
    let get = json!({"workflowBuildVersionArn": format!("{aws}/test/test-image/1.0.0/1")});
    let references =
        server.get(Operation::GetWorkflow, get.clone(), "/latestVersionReferences").await;
    let latest = format!("{aws}/test/test-image/x.x.x");
    assert_eq!(references, json!({"latestVersionArn": latest}));
    server.check(Operation::DeleteWorkflow, get, expect!["403 ForbiddenException: 'arn:aws:imagebuilder:eu-west-1:aws:workflow/test/test-image/1.0.0/1' is managed: it can be used and read, not changed or deleted."]).await;
}
