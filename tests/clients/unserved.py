"""The operations that are refused by name: valid requests, and what is said to them."""

_STEP = "step-12345678-1234-1234-1234-123456789012"
_EXECUTION = "lce-12345678-1234-1234-1234-123456789012"
_IMAGE = "arn:aws:imagebuilder:local-1:{account}:image/none/1.0.0/1"
_TARGET = "arn:aws:imagebuilder:local-1:{account}:distribution-configuration/none"
_SMALL = "arn:aws:imagebuilder:local-1:{account}:infrastructure-configuration/small"
_SOLD = "arn:aws:imagebuilder:local-1:aws-marketplace:component/a/1.0.0/1"
_MADE = {"semanticVersion": "1.0.0", "platform": "Linux", "clientToken": "1"}

# By operation: members, and words of the answer. What is refused once the
# resources that it names are found is met without them here.
UNSERVED = {
    "CancelLifecycleExecution": (
        {"lifecycleExecutionId": _EXECUTION, "clientToken": "1"}, _EXECUTION),
    "DistributeImage": (
        {"sourceImage": "ami-00000000000000001", "executionRole": "builder", "clientToken": "1",
         "distributionConfigurationArn": _TARGET}, _TARGET),
    "GetMarketplaceResource": (
        {"resourceType": "COMPONENT_DATA", "resourceArn": _SOLD}, "no marketplace"),
    "ImportDiskImage": (
        {**_MADE, "name": "disk", "osVersion": "Debian 12", "uri": "s3://bucket/debian.iso",
         "executionRole": "builder", "infrastructureConfigurationArn": _SMALL}, "ISO file"),
    "ImportVmImage": ({**_MADE, "name": "vm", "vmImportTaskId": "import-ami-1"}, "import tasks"),
    "ListImageScanFindingAggregations": ({}, "nothing scans"),
    "ListImageScanFindings": ({}, "nothing scans"),
    "SendWorkflowStepAction": (
        {"stepExecutionId": _STEP, "imageBuildVersionArn": _IMAGE, "action": "RESUME",
         "clientToken": "1"}, _IMAGE),
}
