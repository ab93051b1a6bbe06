"""Operations that are refused by name say so; one that answers must leave `unserved.py`."""

import json
import unittest
from pathlib import Path

from . import model, raw, setting
from .unserved import UNSERVED

# What the reference says of each operation.
COVERAGE = Path(__file__).parents[2] / "crates/api/coverage.json"


def filled(value):
    """Returns a value with the account in all its texts."""
    if isinstance(value, dict):
        return {name: filled(inner) for name, inner in value.items()}
    return value.replace("{account}", setting.account())


class Unserved(unittest.TestCase):
    def test_valid_requests_are_refused_with_what_is_missing(self):
        for operation, (members, words) in UNSERVED.items():
            with self.subTest(operation=operation):
                reply = raw.call(operation, None, filled(members))
                self.assertIn(reply.status, (400, 404), reply.body)
                self.assertIn(filled(words), reply.message)

    def test_the_reference_says_the_same(self):
        told = json.loads(COVERAGE.read_text())
        self.assertEqual(set(told), set(model.SERVICE.operation_names))
        refused = {operation for operation, text in told.items() if "refuses it" in text}
        self.assertEqual(refused, set(UNSERVED))
