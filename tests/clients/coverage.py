"""Which operations the suite met, how they answered, and what it never saw."""

import collections

_met = collections.defaultdict(set)
OK = "success"


def met(operation, error):
    """Counts an answer that passed all checks."""
    _met[operation].add(error or OK)


def missing():
    """Returns a line for each operation without a success, or without an error.

    An operation that is refused by name until its machinery is there has an
    entry in `UNSERVED`; one that answers after all must leave it.
    """
    from . import model
    from .unserved import UNSERVED

    lines = []
    for operation in model.SERVICE.operation_names:
        answers = _met[operation]
        if OK in answers and operation in UNSERVED:
            lines.append(f"{operation} answers, yet unserved.py says it does not")
        if OK not in answers and operation not in UNSERVED:
            lines.append(f"{operation} has no success")
        if not answers - {OK}:
            lines.append(f"{operation} has no error")
    return lines
