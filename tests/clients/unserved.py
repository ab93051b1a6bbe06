"""The operations that are refused by name, and what is missing for each."""

UNSERVED = {
    "DistributeImage": "distribution by itself",
    "GetMarketplaceResource": "Marketplace",
    "ImportVmImage": "imports of EC2",
    "ListImageScanFindingAggregations": "scans",
    "ListImageScanFindings": "scans",
    "SendWorkflowStepAction": "steps that wait",
}
