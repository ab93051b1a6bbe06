"""Requests below the clients: signed by botocore, then changed at will."""

import datetime
import http.client
import json
from unittest import mock
from urllib.parse import urlencode, urlsplit

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from . import coverage, model, setting


class Reply:
    """What came back."""

    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    @property
    def error(self):
        return self.headers.get("x-amzn-errortype")

    @property
    def message(self):
        return json.loads(self.body)["message"]


def credentials():
    environment = setting.server().environment
    return Credentials(environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"])


def request(method, path, body=b"", headers=None, query=None):
    url = setting.server().endpoint + path + (f"?{urlencode(query)}" if query else "")
    return AWSRequest(method, url, headers=headers or {}, data=body)


def sign(made, service="imagebuilder", minutes=0, keys=None, region=setting.REGION):
    """Signs a request as of so many minutes from now; returns it."""
    with at(minutes):
        botocore.auth.SigV4Auth(keys or credentials(), service, region).add_auth(made)
    return made


def presign(made, minutes=0, expires=60):
    """Signs a request in its query, as of so many minutes from now; returns it."""
    with at(minutes):
        keys = credentials()
        auth = botocore.auth.SigV4QueryAuth(keys, "imagebuilder", setting.REGION, expires)
        auth.add_auth(made)
    return made


def at(minutes):
    """Moves the clock by which botocore signs."""
    now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
    get = lambda remove_tzinfo=True: now.replace(tzinfo=None) if remove_tzinfo else now
    return mock.patch("botocore.auth.get_current_datetime", get)


def send(made, body=None):
    """Sends a request, with another body than the signed one if one is given."""
    prepared = made.prepare()
    url = urlsplit(prepared.url)
    path = url.path + (f"?{url.query}" if url.query else "")
    connection = http.client.HTTPConnection(setting.server().address, timeout=30)
    try:
        sent = prepared.body if body is None else body
        connection.request(prepared.method, path, sent, dict(prepared.headers))
        return Reply(connection.getresponse())
    finally:
        connection.close()


def call(operation, query=None, members=None, path=None):
    """Sends an operation whatever its members are worth, and checks the answer."""
    shape = model.SERVICE.operation_model(operation)
    body = b"" if members is None else json.dumps(members).encode()
    made = request(shape.http["method"], path or shape.http["requestUri"], body,
                   {"content-type": "application/json"} if body else {}, query)
    reply = send(sign(made))
    problems = model.problems_of(shape, reply.status, reply.error, reply.body)
    assert not problems, f"{operation}: {problems}"
    coverage.met(operation, reply.error)
    return reply
