//! Workflow executions: what a run did, step by step.

use expect_test::expect;
use serde_json::{Value, json};
use wire::imagebuilder::Operation;

use crate::bench::{bench, carry_out, start};
use crate::server::{Server, caller};

async fn workflows(server: &Server, arn: &Value) -> Vec<Value> {
    let of = json!({"imageBuildVersionArn": arn});
    server.pages(Operation::ListWorkflowExecutions, of, 2, "workflowExecutions").await.concat()
}

async fn steps(server: &Server, workflow: &Value) -> Vec<Value> {
    let of = json!({"workflowExecutionId": workflow["workflowExecutionId"]});
    server.pages(Operation::ListWorkflowStepExecutions, of, 1, "steps").await.concat()
}

fn statuses(list: &[Value]) -> Vec<&str> {
    list.iter().map(|one| one["status"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_failure_is_found_step_by_step() {
    let server = bench().await;
    let arn = start(&server, "a").await;
    carry_out(&server, &arn, 2).await;
    let workflows = workflows(&server, &arn).await;
    expect![[r#"
        [
          {
            "endTime": "2026-09-09T19:13:22.500Z",
            "message": "component web: exit code 1",
            "startTime": "2026-09-09T19:13:21.000Z",
            "status": "FAILED",
            "totalStepCount": 2,
            "totalStepsFailed": 1,
            "totalStepsSkipped": 0,
            "totalStepsSucceeded": 1,
            "type": "BUILD",
            "workflowBuildVersionArn": "arn:aws:imagebuilder:eu-west-1:aws:workflow/build/build-image/1.0.0/1",
            "workflowExecutionId": "wf-01010101-0101-8001-8001-00008b6e1377"
          }
        ]"#]]
    .assert_eq(&format!("{:#}", Value::from(workflows.clone())));
    let steps = steps(&server, &workflows[0]).await;
    assert_eq!(statuses(&steps), ["COMPLETED", "FAILED"]);
    let of = json!({"stepExecutionId": steps[1]["stepExecutionId"]});
    server.check(Operation::GetWorkflowStepExecution, of, expect![[r#"
        {
          "action": "CreateImage",
          "description": "create image",
          "endTime": "2026-09-09T19:13:22.500Z",
          "imageBuildVersionArn": "arn:aws:imagebuilder:eu-west-1:123456789012:image/web/1.0.0/1",
          "message": "component web: exit code 1",
          "name": "create-image",
          "onFailure": "Abort",
          "startTime": "2026-09-09T19:13:22.000Z",
          "status": "FAILED",
          "stepExecutionId": "step-01010101-0101-8001-8001-000265085d0b",
          "workflowBuildVersionArn": "arn:aws:imagebuilder:eu-west-1:aws:workflow/build/build-image/1.0.0/1",
          "workflowExecutionId": "wf-01010101-0101-8001-8001-00008b6e1377",
          "requestId": "request-1"
        }"#]]).await;
}

#[tokio::test]
async fn an_execution_is_found_by_its_id() {
    let server = bench().await;
    let arn = start(&server, "a").await;
    assert_eq!(statuses(&workflows(&server, &arn).await), ["PENDING"; 3]);
    carry_out(&server, &arn, 4).await;
    let workflows = workflows(&server, &arn).await;
    assert_eq!(statuses(&workflows), ["COMPLETED"; 3]);
    for workflow in &workflows {
        let of = json!({"workflowExecutionId": workflow["workflowExecutionId"]});
        let found = server.call(Operation::GetWorkflowExecution, of.clone()).await.body;
        assert_eq!((&found["type"], &found["status"]), (&workflow["type"], &workflow["status"]));
        assert_eq!(found["imageBuildVersionArn"], arn);
        let other = caller("210987654321");
        let answer = server.call_as(&other, Operation::GetWorkflowExecution, of).await;
        assert_eq!(answer.error.as_deref(), Some("ResourceNotFoundException"));
    }
    let of = json!({"workflowExecutionId": "wf-01010101-0101-8001-8001-000000000000"});
    server.check(Operation::GetWorkflowExecution, of, expect!["404 ResourceNotFoundException: The resource 'wf-01010101-0101-8001-8001-000000000000' cannot be found."]).await;
    server
        .check(
            Operation::ListWaitingWorkflowSteps,
            json!({}),
            expect![[r#"
        {
          "steps": []
        }"#]],
        )
        .await;
}

#[tokio::test]
async fn an_execution_that_was_told_is_found_for_good() {
    let server = bench().await;
    let arn = start(&server, "a").await;
    let told = workflows(&server, &arn).await;
    carry_out(&server, &arn, 2).await;
    let found = async || {
        let mut found = Vec::new();
        for workflow in &told {
            let of = json!({"workflowExecutionId": workflow["workflowExecutionId"]});
            found.push(server.call(Operation::GetWorkflowExecution, of).await.body);
        }
        found
    };
    let once = found().await;
    assert_eq!(statuses(&once), ["FAILED", "SKIPPED", "SKIPPED"]);
    assert_eq!(once[1]["totalStepsSkipped"], 1);
    assert_eq!(statuses(&steps(&server, &told[1]).await), ["SKIPPED"]);
    let retry = json!({"imageBuildVersionArn": arn, "clientToken": "b"});
    server.get(Operation::RetryImage, retry, "").await;
    carry_out(&server, &arn, 4).await;
    assert_eq!(statuses(&found().await), ["FAILED", "SKIPPED", "SKIPPED"]);
}

#[tokio::test]
async fn a_retry_keeps_what_went_before() {
    let server = bench().await;
    let arn = start(&server, "a").await;
    carry_out(&server, &arn, 2).await;
    let retry = json!({"imageBuildVersionArn": arn, "clientToken": "b"});
    server.get(Operation::RetryImage, retry, "").await;
    let told = |list: &[Value]| -> Vec<String> {
        let tell = |one: &Value| format!("{} {} {}", one["type"], one["status"], one["retried"]);
        list.iter().map(|one| tell(one).replace('"', "")).collect()
    };
    assert_eq!(
        told(&workflows(&server, &arn).await),
        [
            "BUILD FAILED true",
            "BUILD PENDING null",
            "TEST PENDING null",
            "DISTRIBUTION PENDING null"
        ]
    );
    carry_out(&server, &arn, 3).await;
    let workflows = workflows(&server, &arn).await;
    assert_eq!(told(&workflows), ["BUILD FAILED true", "BUILD COMPLETED null", "TEST FAILED null"]);
    assert_eq!(statuses(&steps(&server, &workflows[0]).await), ["COMPLETED", "FAILED"]);
    assert_eq!(statuses(&steps(&server, &workflows[1]).await), ["COMPLETED", "COMPLETED"]);
    let ids: std::collections::BTreeSet<_> =
        workflows.iter().map(|one| one["workflowExecutionId"].to_string()).collect();
    assert_eq!(ids.len(), workflows.len());
}
