"""The server under test: a real one, on a free port, over a data folder of its own."""

import contextlib
import ctypes
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

    # Those of all servers, for these are no traces.
    _pids = set()

    def __init__(self, data, arguments=(), before=()):
        """Starts it; `before` is what its command line begins with, such as `taskset`."""
        self.data = Path(data)
        self.process = subprocess.Popen(
            [*before, PROGRAM, "--data-dir", str(data), "serve", "--listen", "127.0.0.1:0",
             "--log-format", "json", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self._pids.add(self.process.pid)
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

    def text(self, *arguments):
        """Returns what a command prints for people."""
        return subprocess.run(
            [PROGRAM, "--data-dir", str(self.data), *arguments],
            check=True, capture_output=True, text=True).stdout

    def stop(self):
        """Ends the server as a service manager does; returns its exit code."""
        return self._end(self.process.terminate)

    def kill(self):
        """Ends the server as a power cut does."""
        self._end(self.process.kill)

    def faults(self):
        """Returns the lines of the log that tell of bugs."""
        return [line for line in self.log if '"fault"' in line or "panicked" in line]

    def traces(self):
        """Returns what builds left: processes, mounts and work folders.

        The processes are those that this one inherited, see `adopt_orphans`.
        """
        left = [f"process {pid} {name}" for pid, name in _children() if pid not in self._pids]
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
        left += [f"mount {line}" for line in mounts if str(self.data) in line]
        work = self.data / "work"
        return left + [f"folder {path}" for path in (work.iterdir() if work.exists() else ())]

    def _end(self, signal):
        signal()
        code = self.process.wait(60)
        self.reader.join(30)
        self.process.stdout.close()
        self.process.stderr.close()
        return code

    def _read_log(self):
        for line in self.process.stderr:
            self.log.append(line)


def adopt_orphans():
    """Makes this process the parent of whatever a server leaves behind (PR_SET_CHILD_SUBREAPER)."""
    if ctypes.CDLL(None, use_errno=True).prctl(36, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def _children():
    """Yields the children of this process that run, with their names."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            text = (folder / "status").read_text(encoding="utf-8")
        except (FileNotFoundError, ProcessLookupError):
            continue
        status = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        if int(status["PPid"]) == os.getpid() and status["State"].strip()[0] != "Z":
            yield int(folder.name), status["Name"].strip()


_server = None


@contextlib.contextmanager
def serving():
    """Keeps the server that all tests share."""
    global _server
    adopt_orphans()
    with tempfile.TemporaryDirectory(prefix="goldsmith-clients-") as data:
        _server = Server(data)
        try:
            yield _server
        finally:
            code = _server.stop()
            wrong = _server.faults() + [f"left: {trace}\n" for trace in _server.traces()]
            for line in wrong:
                print(line, end="", file=sys.stderr)
            if code != 0 or wrong:
                raise RuntimeError(f"the server ended with {code}, and something is wrong")


def server():
    """Returns the server that all tests share."""
    return _server


def client(of=None, **options):
    """Returns a boto3 client whose every answer is checked against the model."""
    import boto3
    from botocore.config import Config

    environment = (of or server()).environment
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
