"""Requests that break the model: every operation refuses them, by its own error."""

import json
import unittest

from . import model, raw


def invalid(operation):
    """Returns what makes a request of `operation` invalid: query, members and path."""
    shape = model.SERVICE.operation_model(operation)
    path = shape.http["requestUri"]
    if "{" in path:
        # A tag on what is no ARN of ours.
        query = {"tagKeys": "a"} if shape.http["method"] == "DELETE" else None
        members = {"tags": {"a": "b"}} if shape.http["method"] == "POST" else None
        return query, members, "/tags/not-an-arn"
    if shape.http["method"] in ("GET", "DELETE"):
        return {}, None, path
    return None, {"noSuchMember": 1}, path


class EveryOperation(unittest.TestCase):
    def test_invalid_requests_are_refused(self):
        for operation in model.SERVICE.operation_names:
            with self.subTest(operation=operation):
                query, members, path = invalid(operation)
                reply = raw.call(operation, query, members, path)
                self.assertEqual(reply.status, 400, reply.body)

    def test_missing_members_are_named(self):
        for operation in model.SERVICE.operation_names:
            shape = model.SERVICE.operation_model(operation).input_shape
            body = [name for name in shape.required_members
                    if "location" not in shape.members[name].serialization]
            if not body:
                continue
            with self.subTest(operation=operation):
                path = model.SERVICE.operation_model(operation).http["requestUri"]
                members = {} if "{" not in path else None
                if members is None:
                    continue
                message = raw.call(operation, None, members).message
                for name in body:
                    self.assertIn(name, message)

    def test_pages_have_bounds(self):
        for operation in model.SERVICE.operation_names:
            shape = model.SERVICE.operation_model(operation).input_shape
            if "maxResults" not in shape.members:
                continue
            most = shape.members["maxResults"].metadata["max"]
            for size in [0, most + 1, "five"]:
                with self.subTest(operation=operation, size=size):
                    reply = raw.call(operation, None, {"maxResults": size})
                    self.assertEqual(reply.status, 400)
                    self.assertIn("maxResults", reply.message)

    def test_page_tokens_of_others_are_refused(self):
        for operation in model.SERVICE.operation_names:
            shape = model.SERVICE.operation_model(operation).input_shape
            if "nextToken" not in shape.members or shape.required_members:
                continue
            for token in ["nonsense", "0" * 64, "ü"]:
                with self.subTest(operation=operation, token=token):
                    reply = raw.call(operation, None, {"nextToken": token})
                    self.assertEqual(reply.error, "InvalidPaginationTokenException")


class Bodies(unittest.TestCase):
    def test_what_is_not_json_is_refused(self):
        for body in [b"{", b"[]", b'"text"', b"\xff", b'{"a":1}x']:
            with self.subTest(body=body):
                reply = raw.send(raw.sign(raw.request("POST", "/ListComponents", body)))
                self.assertEqual((reply.status, reply.error), (400, "InvalidRequestException"))
                self.assertTrue(json.loads(reply.body)["message"])
