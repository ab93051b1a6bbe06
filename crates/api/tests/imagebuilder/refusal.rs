//! Operations that nothing here can carry out yet: valid requests are told what is missing.

use std::collections::BTreeMap;

use expect_test::expect;
use name::Kind;
use serde_json::json;
use wire::imagebuilder::Operation;

use crate::server::{OWN, Server};

#[tokio::test]
async fn what_is_missing_is_told() {
    let server = Server::new().await;
    let distribution = server.record(Kind::DistributionConfiguration, "everywhere").await;
    let step = "step-12345678-1234-1234-1234-123456789012";
    let image = format!("{OWN}:image/web/1.0.0/1");
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
    let answer = json!({
        "stepExecutionId": step, "imageBuildVersionArn": image, "action": "RESUME",
        "clientToken": "1",
    });
    let market = json!({
        "resourceType": "COMPONENT_DATA",
        "resourceArn": "arn:aws:imagebuilder:eu-west-1:aws-marketplace:component/a/1.0.0/1",
    });
    let cancelled = json!({
        "lifecycleExecutionId": "lce-12345678-1234-1234-1234-123456789012", "clientToken": "1",
    });
    let retried = json!({"imageBuildVersionArn": image, "clientToken": "1"});
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
            answer,
            expect![
                "404 ResourceNotFoundException: The resource 'arn:aws:imagebuilder:eu-west-1:123456789012:image/web/1.0.0/1' cannot be found."
            ],
        ),
        (
            Operation::CancelLifecycleExecution,
            cancelled,
            expect![
                "404 ResourceNotFoundException: The resource 'lce-12345678-1234-1234-1234-123456789012' cannot be found."
            ],
        ),
        (
            Operation::RetryImage,
            retried,
            expect![
                "404 ResourceNotFoundException: The resource 'arn:aws:imagebuilder:eu-west-1:123456789012:image/web/1.0.0/1' cannot be found."
            ],
        ),
    ] {
        server.check(operation, input, expected).await;
        met.push(operation.as_str());
    }
    let told: BTreeMap<String, String> =
        serde_json::from_str(include_str!("../../coverage.json")).unwrap();
    for (operation, _) in told.iter().filter(|(_, sentence)| sentence.contains("refuses it")) {
        assert!(met.contains(&operation.as_str()), "{operation} is said to be refused");
    }
}
