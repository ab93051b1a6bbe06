"""The server under test: a real one, on a free port, over a data folder of its own."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from . import model

PROGRAM = os.environ.get("GOLDSMITH_BIN", "goldsmith")
REGION = "local-1"
LISTENING = "listening on "


class Server:
    """`goldsmith serve`, and what clients need to know of it."""

    def __init__(self, data, arguments=()):
        self.data = Path(data)
        self.process = subprocess.Popen(
            [PROGRAM, "--data-dir", str(data), "serve", "--listen", "127.0.0.1:0",
             "--log-format", "json", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.log = []
        self.reader = threading.Thread(target=self._read_log, daemon=True)
        self.reader.start()
        line = self.process.stdout.readline()
        if not line.startswith(LISTENING):
            self.process.wait(30)
            self.reader.join(30)
            raise RuntimeError(f"the server did not start: {line}{''.join(self.log)}")
        self.endpoint = line[len(LISTENING):].strip()
        self.address = self.endpoint.partition("://")[2]
        self.environment = self.command("env", "--listen", self.address)

    def command(self, *arguments):
        """Returns what a command prints as JSON."""
        output = subprocess.run(
            [PROGRAM, "--data-dir", str(self.data), "--output", "json", *arguments],
            check=True, capture_output=True, text=True)
        return json.loads(output.stdout)

    def stop(self):
        """Ends the server as a service manager does; returns its exit code."""
        self.process.terminate()
        code = self.process.wait(30)
        self.reader.join(30)
        self.process.stdout.close()
        self.process.stderr.close()
        return code

    def _read_log(self):
        for line in self.process.stderr:
            self.log.append(line)


_server = None


@contextlib.contextmanager
def serving():
    """Keeps the server that all tests share."""
    global _server
    with tempfile.TemporaryDirectory(prefix="goldsmith-clients-") as data:
        _server = Server(data)
        try:
            yield _server
        finally:
            code = _server.stop()
            faults = [line for line in _server.log if '"fault"' in line or "panicked" in line]
            for line in faults:
                print(line, end="", file=sys.stderr)
            if code != 0 or faults:
                raise RuntimeError(f"the server ended with {code} and {len(faults)} faults")


def server():
    """Returns the server that all tests share."""
    return _server


def client(**options):
    """Returns a boto3 client whose every answer is checked against the model."""
    import boto3
    from botocore.config import Config

    environment = server().environment
    given = {
        "endpoint_url": environment["AWS_ENDPOINT_URL"],
        "aws_access_key_id": environment["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": environment["AWS_SECRET_ACCESS_KEY"],
        "region_name": REGION,
        "config": Config(retries={"total_max_attempts": 1}, max_pool_connections=64),
    }
    made = boto3.client("imagebuilder", **{**given, **options})
    made.meta.events.register("after-call.imagebuilder", model.check_call)
    return made


def account():
    """Returns the account that the shared key belongs to."""
    return server().command("account", "list")[0]["account"]


def arn(resource, owner=None):
    """Returns the ARN of a resource in the account, as in `image/web/1.0.0/1`."""
    return f"arn:aws:imagebuilder:{REGION}:{owner or account()}:{resource}"
