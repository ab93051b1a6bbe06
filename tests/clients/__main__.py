"""Runs the suite against a real server, then asks whether it met every operation.

`python -m tests.clients [TEST...]`: with names, only those, and no such question.
"""

import sys
import unittest
from pathlib import Path

from . import coverage, setting

HERE = Path(__file__).parent


def main():
    names = [f"{__package__}.{name}" for name in sys.argv[1:]]
    loader = unittest.defaultTestLoader
    if names:
        suite = loader.loadTestsFromNames(names)
    else:
        suite = loader.discover(str(HERE), top_level_dir=str(HERE.parent.parent))
    with setting.serving():
        result = unittest.TextTestRunner(verbosity=2).run(suite)
    missing = [] if names else coverage.missing()
    for line in missing:
        print(f"not covered: {line}", file=sys.stderr)
    return 0 if result.wasSuccessful() and not missing else 1


sys.exit(main())
