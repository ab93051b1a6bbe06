"""Builds that come to a bad end with their server: what is told of them, and what is left."""

import concurrent.futures
import contextlib
import os
import signal
import subprocess
import tempfile
import time
import unittest
import uuid
from pathlib import Path

from . import built, setting
from .test_components import refusal

SLOW = built.document(build="echo begun; sleep 1000")
ENDED = "was stopped before the build had ended"


class Faulty:
    """A server of its own that builds one image at a time, over bases that are at hand."""

    def __init__(self, data):
        self.data = Path(data)
        self.start()
        client = self.client
        self.machine = built.infrastructure(client)
        self.slow = built.recipe(client, built.component(client, SLOW))

    def start(self):
        core = min(os.sched_getaffinity(0))
        self.server = setting.Server(self.data, before=["taskset", "--cpu-list", str(core)])
        self.client = setting.client(self.server)

    def build(self, recipe=None, **members):
        return built.start(self.client, recipe or self.slow,
                           infrastructureConfigurationArn=self.machine, **members)

    def begun(self, arn):
        """Waits until an image's component is at work."""
        built.wait(self.client, arn, "BUILDING")
        name = arn.split(":image/")[1]
        deadline = time.monotonic() + 60
        while "| begun" not in self.server.text("logs", name):
            assert time.monotonic() < deadline, "the component did not begin"
            time.sleep(0.1)

    def check_clean(self, test):
        """Checks that nothing is left, once the kernel has ended what was killed."""
        deadline = time.monotonic() + 10
        while self.server.traces() and time.monotonic() < deadline:
            time.sleep(0.1)
        test.assertEqual(self.server.traces(), [])
        test.assertEqual(self.server.faults(), [])


@contextlib.contextmanager
def faulty():
    built.image()
    with tempfile.TemporaryDirectory(prefix="goldsmith-faulty-") as data:
        # Links would do for files, not for what they are owned by.
        subprocess.run(["cp", "-a", setting.server().data / "bases", f"{data}/bases"], check=True)
        made = Faulty(data)
        try:
            yield made
        finally:
            if made.server.process.poll() is None:
                made.server.stop()


class Ends(unittest.TestCase):
    def check_failed(self, faulty, arns):
        for arn in arns:
            image = built.get(faulty.client, arn)
            self.assertEqual(image["state"]["status"], "FAILED")
            self.assertIn(ENDED, image["state"]["reason"])
            self.assertNotIn("outputResources", image)

    def test_a_killed_server_leaves_nothing_that_the_next_does_not_end(self):
        with faulty() as it:
            token = uuid.uuid4().hex
            running = it.build(clientToken=token)
            waiting = it.build()
            it.begun(running)
            self.assertEqual(built.get(it.client, waiting)["state"]["status"], "PENDING")
            self.assertEqual(it.server.text("logs", waiting.split(":image/")[1]), "")
            it.server.kill()
            it.start()
            self.check_failed(it, [running, waiting])
            traces = [trace for trace in it.server.traces() if "process" not in trace]
            self.assertEqual(traces, [])
            # The request was carried out: who sends it again learns its image's end.
            self.assertEqual(it.build(clientToken=token), running)
            self.assertEqual(len(it.server.command("images")), 2)
            # The next build has the next number; or the same image is tried again.
            after = it.build()
            self.assertEqual(after, running.rpartition("/")[0] + "/3")
            it.client.cancel_image_creation(imageBuildVersionArn=after)
            it.client.retry_image(imageBuildVersionArn=running)
            it.begun(running)
            it.client.cancel_image_creation(imageBuildVersionArn=running)
            for arn in [after, running]:
                built.ended(it.client, arn, "CANCELLED")
            self.assertEqual(it.server.stop(), 0)
            it.check_clean(self)

    def test_a_server_that_is_told_to_end_ends_its_builds(self):
        with faulty() as it:
            running, waiting = it.build(), it.build()
            it.begun(running)
            self.assertEqual(it.server.stop(), 0)
            it.check_clean(self)
            it.start()
            self.check_failed(it, [running, waiting])

    def test_a_full_queue_sends_away_and_ends_in_time(self):
        with faulty() as it:
            running = it.build()
            it.begun(running)
            places = 1000 - 1
            with concurrent.futures.ThreadPoolExecutor(16) as pool:
                arns = list(pool.map(lambda _: it.build(), range(places)))
            self.assertEqual(len(set(arns)), places)
            token = uuid.uuid4().hex
            message = refusal(self, "CallRateLimitExceededException", it.build,
                              clientToken=token)
            self.assertIn("1000 images", message)
            it.client.cancel_image_creation(imageBuildVersionArn=arns[-1])
            built.ended(it.client, arns[-1], "CANCELLED")
            # What was sent away did not happen, so that the token is free.
            last = it.build(clientToken=token)
            self.assertNotIn(last, arns)
            self.assertEqual(it.server.stop(), 0)
            it.check_clean(self)
            it.start()
            self.check_failed(it, [running, arns[0], last])


class Neighbours(unittest.TestCase):
    """A build of another process over the same data folder."""

    def test_it_is_shown_and_not_meddled_with(self):
        with faulty() as it, tempfile.TemporaryDirectory() as folder:
            Path(folder, "slow.yaml").write_text(SLOW)
            Path(folder, "goldsmith.yaml").write_text(
                "recipe:\n  name: beside\n  semanticVersion: 1.0.0\n"
                f"  parentImage: {built.parent()}\n"
                "  components: [{componentArn: ./slow.yaml}]\n"
                "imageTestsConfiguration: {imageTestsEnabled: false}\n"
                "distributions: [{region: local-1}]\n")
            build = subprocess.Popen(
                [setting.PROGRAM, "--data-dir", str(it.data), "-v", "build", "--plain", folder],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            said = ""
            for line in build.stdout:
                said += line
                if "begun" in line:
                    break
            self.assertIn("begun", said)
            account = it.server.command("account", "list")[0]["account"]
            arn = setting.arn("image/beside/1.0.0/1", owner=account)
            self.assertEqual(built.get(it.client, arn)["state"]["status"], "BUILDING")
            refusal(self, "ResourceInUseException", it.client.cancel_image_creation,
                    imageBuildVersionArn=arn)
            build.send_signal(signal.SIGINT)
            build.communicate(timeout=60)
            image = built.ended(it.client, arn, "CANCELLED")
            self.assertEqual(image["state"]["reason"], "cancelled")
            message = refusal(self, "InvalidRequestException", it.client.retry_image,
                              imageBuildVersionArn=arn)
            self.assertIn("project", message)
            it.server.stop()
            it.check_clean(self)
