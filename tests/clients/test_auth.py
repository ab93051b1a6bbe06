"""Who is let in, and what those learn who are not."""

import time
import unittest

import boto3
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from . import aws, raw, setting

LIST = ("POST", "/ListComponents", b"{}")


def refused(test, reply, status, error):
    test.assertEqual((reply.status, reply.error), (status, error), reply.body)


class Signatures(unittest.TestCase):
    def test_a_right_signature_is_let_in(self):
        self.assertEqual(raw.send(raw.sign(raw.request(*LIST))).status, 200)

    def test_a_presigned_get_is_let_in(self):
        query = {"componentBuildVersionArn": setting.arn("component/none/1.0.0/1")}
        made = raw.presign(raw.request("GET", "/GetComponent", query=query))
        refused(self, raw.send(made), 404, "ResourceNotFoundException")

    def test_without_a_signature_nothing_is_told(self):
        for method, path in [("GET", "/"), ("POST", "/ListComponents"), ("GET", "/nothing")]:
            reply = raw.send(raw.request(method, path))
            refused(self, reply, 403, "MissingAuthenticationTokenException")

    def test_clocks_may_be_off_by_five_minutes(self):
        for minutes, status in [(-4, 200), (4, 200), (-6, 403), (6, 403), (-60 * 24, 403)]:
            with self.subTest(minutes=minutes):
                reply = raw.send(raw.sign(raw.request(*LIST), minutes=minutes))
                self.assertEqual(reply.status, status, reply.body)

    def test_a_link_lasts_as_long_as_it_says(self):
        for minutes, expires, status in [(-9, 600, 404), (-11, 600, 403)]:
            query = {"componentBuildVersionArn": setting.arn("component/none/1.0.0/1")}
            made = raw.request("GET", "/GetComponent", query=query)
            reply = raw.send(raw.presign(made, minutes=minutes, expires=expires))
            self.assertEqual(reply.status, status, reply.body)

    def test_unknown_keys_and_wrong_secrets_look_alike(self):
        known = raw.credentials()
        answers = []
        for keys in [Credentials(known.access_key, "wrong"), Credentials("AKIA" + "A" * 16, "x")]:
            reply = raw.send(raw.sign(raw.request(*LIST), keys=keys))
            refused(self, reply, 403, "InvalidSignatureException")
            answers.append(reply.body)
        self.assertEqual(answers[0], answers[1])

    def test_changed_requests_are_refused(self):
        body = raw.send(raw.sign(raw.request(*LIST)), body=b"[]")
        path = raw.sign(raw.request(*LIST))
        path.url = path.url.replace("ListComponents", "ListImages")
        query = raw.sign(raw.request(*LIST))
        query.url += "?a=b"
        for reply in [body, raw.send(path), raw.send(query)]:
            refused(self, reply, 403, "InvalidSignatureException")

    def test_other_services_are_refused_by_name(self):
        reply = raw.send(raw.sign(raw.request("GET", "/"), service="s3control"))
        refused(self, reply, 400, "UnknownServiceException")
        self.assertIn("imagebuilder", reply.message)
        environment = setting.server().environment
        client = boto3.client(
            "sts", endpoint_url=environment["AWS_ENDPOINT_URL"], region_name=setting.REGION,
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"])
        with self.assertRaises(ClientError) as caught:
            client.get_caller_identity()
        self.assertEqual(caught.exception.response["Error"]["Code"], "UnknownServiceException")

    def test_unknown_operations_are_refused_by_name(self):
        for method, path in [("GET", "/"), ("GET", "/ListComponents"), ("PUT", "/MakeCoffee")]:
            reply = raw.send(raw.sign(raw.request(method, path)))
            refused(self, reply, 404, "UnknownOperationException")

    def test_any_region_is_served(self):
        self.assertEqual(raw.send(raw.sign(raw.request(*LIST), region="eu-west-1")).status, 200)


class Keys(unittest.TestCase):
    def test_a_disabled_key_opens_nothing_at_once(self):
        server = setting.server()
        made = server.command("key", "create")
        keys = Credentials(made["accessKeyId"], made["secretAccessKey"])
        for command, status in [(None, 200), ("disable", 403), ("enable", 200)]:
            if command:
                server.command("key", command, made["accessKeyId"])
            reply = raw.send(raw.sign(raw.request(*LIST), keys=keys))
            self.assertEqual(reply.status, status, reply.body)
        server.command("key", "delete", "--yes", made["accessKeyId"])
        self.assertEqual(raw.send(raw.sign(raw.request(*LIST), keys=keys)).status, 403)


class Port(unittest.TestCase):
    def test_health_is_for_all(self):
        reply = raw.send(raw.request("GET", "/health"))
        self.assertEqual((reply.status, reply.body), (200, b"ok\n"))

    def test_a_long_body_is_refused(self):
        reply = raw.send(raw.sign(raw.request("POST", "/ListComponents", b" " * (1 << 20) + b"{}")))
        refused(self, reply, 413, "RequestEntityTooLargeException")

    def test_the_log_tells_who_did_what_and_no_secret(self):
        reply = raw.send(raw.sign(raw.request(*LIST)))
        wanted = reply.headers["x-amzn-requestid"]
        deadline = time.monotonic() + 10
        found = None
        while found is None and time.monotonic() < deadline:
            found = next((line for line in setting.server().log if wanted in line), None)
        self.assertIn('"operation":"ListComponents"', found)
        self.assertIn(setting.account(), found)
        log = "".join(setting.server().log)
        self.assertNotIn(raw.credentials().secret_key, log)
        self.assertNotIn("Signature=", log)


class CommandLine(unittest.TestCase):
    def test_a_shell_is_all_that_aws_needs(self):
        self.assertIn("componentVersionList", aws.ok("list-components --owner Self"))

    def test_a_wrong_secret_is_told(self):
        output = aws.run("list-images", AWS_SECRET_ACCESS_KEY="wrong")
        self.assertIn("InvalidSignatureException", output.stderr)
