"""The operations that are refused by name, by what is missing for them."""

_MISSING = {
    "recipes and configurations": """
        CreateContainerRecipe DeleteContainerRecipe GetContainerRecipe GetContainerRecipePolicy
        ListContainerRecipes PutContainerRecipePolicy
        CreateDistributionConfiguration DeleteDistributionConfiguration
        GetDistributionConfiguration ListDistributionConfigurations
        UpdateDistributionConfiguration
        CreateImageRecipe DeleteImageRecipe GetImageRecipe GetImageRecipePolicy ListImageRecipes
        PutImageRecipePolicy
        CreateInfrastructureConfiguration DeleteInfrastructureConfiguration
        GetInfrastructureConfiguration ListInfrastructureConfigurations
        UpdateInfrastructureConfiguration""",
    "pipelines, workflows and lifecycle policies": """
        CreateImagePipeline DeleteImagePipeline GetImagePipeline ListImagePipelines
        ListImagePipelineImages StartImagePipelineExecution UpdateImagePipeline
        CreateWorkflow DeleteWorkflow GetWorkflow ListWorkflows ListWorkflowBuildVersions
        CreateLifecyclePolicy DeleteLifecyclePolicy GetLifecyclePolicy ListLifecyclePolicies
        UpdateLifecyclePolicy""",
    "images and what ran for them": """
        CancelImageCreation CreateImage DeleteImage GetImage GetImagePolicy ImportDiskImage
        ListImageBuildVersions ListImagePackages ListImages PutImagePolicy RetryImage
        GetWorkflowExecution GetWorkflowStepExecution ListWaitingWorkflowSteps
        ListWorkflowExecutions ListWorkflowStepExecutions StartResourceStateUpdate""",
    "lifecycle executions": """
        CancelLifecycleExecution GetLifecycleExecution ListLifecycleExecutionResources
        ListLifecycleExecutions""",
    "distribution by itself": "DistributeImage",
    "imports from EC2": "ImportVmImage",
    "steps that wait": "SendWorkflowStepAction",
    "scans": "ListImageScanFindingAggregations ListImageScanFindings",
    "Marketplace": "GetMarketplaceResource",
}

UNSERVED = {
    operation: missing for missing, operations in _MISSING.items()
    for operation in operations.split()
}
