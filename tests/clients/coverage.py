"""Which operations the suite met, how they answered, and what it never saw."""

import collections

_met = collections.defaultdict(set)
OK = "success"


def met(operation, error):
    """Counts an answer that passed all checks."""
    _met[operation].add(error or OK)


def missing():
    """Returns a line for each operation without a success, or without an error of its own.

    An operation that is refused by name until its machinery is there has an
    entry in `UNSERVED`, an error that nobody can provoke one in `unprovoked`;
    what is met after all must leave them.
    """
    from . import model, unprovoked
    from .unserved import UNSERVED

    lines = []
    for operation in model.SERVICE.operation_names:
        answers = _met[operation]
        if OK in answers and operation in UNSERVED:
            lines.append(f"{operation} answers, yet unserved.py says it does not")
        if OK not in answers and operation not in UNSERVED:
            lines.append(f"{operation} has no success")
        lines += _errors_missing(operation, answers, unprovoked.reasons())
    return lines


def _errors_missing(operation, answers, reasons):
    from . import model

    declared = {shape.name for shape in model.SERVICE.operation_model(operation).error_shapes}
    excused = {error for named, error in reasons if named == operation}
    for error in sorted(declared - answers - excused):
        yield f"{operation} never answered {error}"
    for error in sorted(excused & answers):
        yield f"{operation} answers {error}, yet unprovoked.py says that nobody meets it"
    for error in sorted(excused - declared):
        yield f"{operation} has no {error}, yet unprovoked.py names it"
