"""Operations that are refused by name say so; one that answers must leave `unserved.py`."""

import unittest

from . import model, raw
from .unserved import UNSERVED


class Unserved(unittest.TestCase):
    def test_valid_requests_are_refused_by_name(self):
        for operation in UNSERVED:
            shape = model.SERVICE.operation_model(operation)
            if shape.input_shape.required_members:
                continue
            with self.subTest(operation=operation):
                reply = raw.call(operation, None, {})
                if reply.status != 200:
                    self.assertIn(operation, reply.message)

    def test_every_operation_is_one_of_the_model(self):
        self.assertLessEqual(set(UNSERVED), set(model.SERVICE.operation_names))
