"""Judges answers by botocore's model: nothing unknown, nothing missing, all of the right form."""

import json
import re

import botocore.session

from . import coverage

SERVICE = botocore.session.get_session().get_service_model("imagebuilder")

# What the model's description says of the strings it calls dates.
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")

# How patterns of newer resources spell a region, and how all others do: ours
# are named freely, as `local-1` is.
REGION = ("[a-z]{2,}(?:-[a-z]+)+-[0-9]+", "[^:]+")

# Errors that clients match on, whatever an operation declares.
ALWAYS = {
    "ServiceException", "ClientException", "ServiceUnavailableException",
    "InvalidRequestException", "ForbiddenException", "CallRateLimitExceededException",
    "InvalidParameterCombinationException", "InvalidParameterValueException",
    "ResourceAlreadyExistsException", "ResourceNotFoundException",
}


def check_call(http_response, model, **_):
    """Checks an answer that botocore got, and counts it. An event's handler."""
    error = http_response.headers.get("x-amzn-errortype")
    problems = problems_of(model, http_response.status_code, error, http_response.content)
    assert not problems, f"{model.name}: {'; '.join(problems)}"
    coverage.met(model.name, error)


def problems_of(operation, status, error, body):
    """Returns what is wrong with an answer."""
    try:
        value = json.loads(body)
    except ValueError as problem:
        return [f"the body is not JSON: {problem}"]
    if status == 200:
        return [] if error is None and operation.output_shape is None else (
            ["a success names an error"] if error else
            list(problems_in(operation.output_shape, value, "")))
    declared = {shape.name: shape for shape in operation.error_shapes}
    if error not in declared and error not in ALWAYS:
        return [f"{error} is not an error of {operation.name}"]
    shape = declared.get(error) or SERVICE.shape_for(error)
    problems = list(problems_in(shape, value, ""))
    wanted = shape.metadata.get("error", {}).get("httpStatusCode")
    if wanted != status:
        problems.append(f"{error} has status {status}, not {wanted}")
    if not value.get("message"):
        problems.append(f"{error} says nothing")
    return problems


def problems_in(shape, value, path):
    """Yields what is wrong with a value."""
    kind = {
        "structure": dict, "map": dict, "list": list, "string": str, "boolean": bool,
        "integer": int, "long": int, "double": (int, float), "float": (int, float),
        "timestamp": (int, float),
    }[shape.type_name]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        yield f"{path or 'the body'} is {value!r}, not of type {shape.type_name}"
        return
    yield from CHECKS.get(shape.type_name, lambda *_: ())(shape, value, path)


def _structure(shape, value, path):
    for name in shape.required_members:
        if name not in value:
            yield f"{path}.{name} is missing"
    for name, inner in value.items():
        if name in shape.members:
            yield from problems_in(shape.members[name], inner, f"{path}.{name}")
        else:
            yield f"{path}.{name} is unknown"


def _list(shape, value, path):
    yield from _bounds(shape, len(value), path)
    for index, inner in enumerate(value):
        yield from problems_in(shape.member, inner, f"{path}[{index}]")


def _map(shape, value, path):
    yield from _bounds(shape, len(value), path)
    for key, inner in value.items():
        yield from problems_in(shape.key, key, f"{path} key")
        yield from problems_in(shape.value, inner, f"{path}.{key}")


def _string(shape, value, path):
    yield from _bounds(shape, len(value), path)
    if shape.enum and value not in shape.enum:
        yield f"{path} is {value!r}, none of {shape.enum}"
    pattern = shape.metadata.get("pattern", "").replace(*REGION)
    if pattern and not re.search(pattern, value):
        yield f"{path} is {value!r}, not like {pattern}"
    if shape.name == "DateTime" and not DATE_TIME.fullmatch(value):
        yield f"{path} is {value!r}, not a date and time"


def _bounds(shape, size, path):
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least or most is not None and size > most:
        yield f"{path} is {size}, not from {least} to {most}"


CHECKS = {
    "structure": _structure, "list": _list, "map": _map, "string": _string,
    "integer": _bounds, "long": _bounds,
}
