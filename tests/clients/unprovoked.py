"""The modelled errors that no client can provoke here, and why.

An error that a client meets after all must leave this table.
"""

from . import model

# By error: why nobody meets it, and the operations where somebody does.
_NOWHERE = {
    "ServiceException": ("only faults of the machine are told so", ""),
    "ServiceUnavailableException": ("only a service that is ending is unavailable", ""),
    "CallRateLimitExceededException": ("only builds that wait have a limit", "CreateImage"),
    "TooManyRequestsException": ("calls have no limit", ""),
    "AccessDeniedException": ("there is no IAM", ""),
    "ForbiddenException": ("there is no IAM: only what is managed is protected", """
        DeleteComponent PutComponentPolicy
        DeleteImage PutImagePolicy
        DeleteWorkflow"""),
    "ClientException": ("clients' faults have better names", """
        ImportDiskImage ImportVmImage"""),
    "ServiceQuotaExceededException": ("only components of a recipe are counted", """
        CreateContainerRecipe CreateImageRecipe"""),
    "ResourceInUseException": ("requests wait for each other, and are never sent away", """
        CancelImageCreation RetryImage StartResourceStateUpdate"""),
}

# By error: why, and the operations that declare it in vain.
_THERE = {
    "IdempotentParameterMismatchException": ("what is refused is not remembered", """
        CancelLifecycleExecution DistributeImage SendWorkflowStepAction"""),
    "InvalidParameterValueException": ("the step to answer is looked for first", """
        SendWorkflowStepAction"""),
    "ResourceDependencyException": ("nothing depends on one", """
        DeleteImage DeleteImagePipeline DeleteLifecyclePolicy"""),
}


def reasons():
    """Returns why, by operation and error."""
    found = {}
    for operation in model.SERVICE.operation_names:
        for shape in model.SERVICE.operation_model(operation).error_shapes:
            reason, but = _NOWHERE.get(shape.name, (None, ""))
            if reason and operation not in but.split():
                found[operation, shape.name] = reason
    for error, (reason, operations) in _THERE.items():
        found.update({(operation, error): reason for operation in operations.split()})
    return found
