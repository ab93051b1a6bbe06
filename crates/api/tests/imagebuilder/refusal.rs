//! Operations that nothing here can carry out yet: valid requests are told what is missing.

use std::collections::BTreeMap;

use expect_test::expect;
use name::Kind;
use serde_json::{Value, json};
use wire::imagebuilder::Operation;

use crate::bench::{bench, carry_out, start};
use crate::server::OWN;

#[tokio::test]
async fn what_is_missing_is_told() {
    let server = bench().await;
    let distribution = server.record(Kind::DistributionConfiguration, "everywhere").await;
    let made = start(&server, "a").await;
    carry_out(&server, &made, 4).await;
    let deprecate =
        json!({"resourceArn": made, "state": {"status": "DEPRECATED"}, "clientToken": "1"});
    let operation = Operation::StartResourceStateUpdate;
    let execution = server.get(operation, deprecate, "/lifecycleExecutionId").await;
    let step = "step-12345678-1234-1234-1234-123456789012";
    let disk = json!({
        "name": "disk", "semanticVersion": "1.0.0", "platform": "Linux", "clientToken": "1",
        "osVersion": "Debian 12", "uri": "s3://bucket/debian.iso", "executionRole": "builder",
        "infrastructureConfigurationArn": format!("{OWN}:infrastructure-configuration/small"),
    });
    let vm = json!({
        "name": "vm", "semanticVersion": "1.0.0", "platform": "Linux", "clientToken": "1",
        "vmImportTaskId": "import-ami-1",
    });
    let distribute = json!({
        "sourceImage": "ami-00000000000000001", "executionRole": "builder", "clientToken": "1",
        "distributionConfigurationArn": distribution,
    });
    let missing = format!("{OWN}:image/web/1.0.0/9");
    let answer = |image: &Value| {
        json!({
            "stepExecutionId": step, "imageBuildVersionArn": image, "action": "RESUME",
            "clientToken": "1",
        })
    };
    let market = json!({
        "resourceType": "COMPONENT_DATA",
        "resourceArn": "arn:aws:imagebuilder:eu-west-1:aws-marketplace:component/a/1.0.0/1",
    });
    let cancelled = |id: &str| json!({"lifecycleExecutionId": id, "clientToken": "1"});
    let retried = json!({"imageBuildVersionArn": missing, "clientToken": "1"});
    let mut met = Vec::new();
    for (operation, input, expected) in [
        (
            Operation::ListImageScanFindings,
            json!({}),
            expect![
                "400 InvalidRequestException: There are no findings to list: nothing scans images for vulnerabilities yet."
            ],
        ),
        (
            Operation::ListImageScanFindings,
            json!({"filters": [{"name": "colour", "values": ["red"]}]}),
            expect![
                "400 InvalidParameterValueException: The value supplied for parameter 'filters[0].name' is not valid. It must be one of: imageBuildVersionArn, imagePipelineArn, severity, vulnerabilityId."
            ],
        ),
        (
            Operation::ListImageScanFindings,
            json!({"nextToken": "x"}),
            expect![
                "400 InvalidPaginationTokenException: The pagination token is not one that this request was answered with."
            ],
        ),
        (
            Operation::ListImageScanFindingAggregations,
            json!({}),
            expect![
                "400 InvalidRequestException: There are no findings to list: nothing scans images for vulnerabilities yet."
            ],
        ),
        (
            Operation::ListImageScanFindingAggregations,
            json!({"filter": {"name": "severity", "values": ["HIGH"]}}),
            expect![
                "400 InvalidParameterValueException: The value supplied for parameter 'filters[0].name' is not valid. It must be one of: accountId, imageBuildVersionArn, imagePipelineArn, vulnerabilityId."
            ],
        ),
        (
            Operation::GetMarketplaceResource,
            market,
            expect![
                "400 InvalidRequestException: 'arn:aws:imagebuilder:eu-west-1:aws-marketplace:component/a/1.0.0/1' cannot be had: there is no marketplace here."
            ],
        ),
        (
            Operation::ImportDiskImage,
            disk,
            expect![
                "400 ClientException: ImportDiskImage cannot be carried out yet: nothing here installs an operating system from an ISO file."
            ],
        ),
        (
            Operation::ImportVmImage,
            vm,
            expect![
                "400 ClientException: ImportVmImage cannot be carried out yet: there are no VM import tasks here. A disk image can be the parent image of a project instead."
            ],
        ),
        (
            Operation::DistributeImage,
            distribute,
            expect![
                "400 InvalidRequestException: DistributeImage cannot be carried out yet: images are distributed as they are built."
            ],
        ),
        (
            Operation::SendWorkflowStepAction,
            answer(&made),
            expect![
                "400 InvalidRequestException: The step 'step-12345678-1234-1234-1234-123456789012' does not wait: images are built by the managed workflows so far, and none of their steps waits for an answer."
            ],
        ),
        (
            Operation::SendWorkflowStepAction,
            answer(&json!(missing)),
            expect![
                "404 ResourceNotFoundException: The resource 'arn:aws:imagebuilder:eu-west-1:123456789012:image/web/1.0.0/9' cannot be found."
            ],
        ),
        (
            Operation::CancelLifecycleExecution,
            cancelled(execution.as_str().unwrap()),
            expect![
                "400 InvalidRequestException: 'lce-f2d4d994-abd6-835f-a421-b4500cf8d900' cannot be cancelled: it has ended, as states are changed at once so far."
            ],
        ),
        (
            Operation::CancelLifecycleExecution,
            cancelled("lce-12345678-1234-1234-1234-123456789012"),
            expect![
                "404 ResourceNotFoundException: The resource 'lce-12345678-1234-1234-1234-123456789012' cannot be found."
            ],
        ),
        (
            Operation::RetryImage,
            retried,
            expect![
                "404 ResourceNotFoundException: The resource 'arn:aws:imagebuilder:eu-west-1:123456789012:image/web/1.0.0/9' cannot be found."
            ],
        ),
    ] {
        let answer = server.call(operation, input).await;
        expected.assert_eq(&answer.told());
        // Others are about what is asked, not about what is missing here.
        let is_refusal =
            |error: &str| ["InvalidRequestException", "ClientException"].contains(&error);
        if answer.error.as_deref().is_some_and(is_refusal) {
            met.push(operation.as_str());
        }
    }
    let told: BTreeMap<String, String> =
        serde_json::from_str(include_str!("../../coverage.json")).unwrap();
    for (operation, _) in told.iter().filter(|(_, sentence)| sentence.contains("refuses it")) {
        assert!(met.contains(&operation.as_str()), "{operation} is said to be refused");
    }
}
