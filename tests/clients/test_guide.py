"""The guide's own commands, in the order in which they stand there."""

import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from . import aws, built, setting

GUIDE = Path(__file__).parents[2] / "docs/guides/serve.md"


class Guide(unittest.TestCase):
    def test_its_commands_start_an_image(self):
        blocks = re.findall(r"^```sh\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
        self.assertEqual(len(blocks), 3)
        path = f"{aws.AWS.parent}:{os.environ['PATH']}"
        with tempfile.TemporaryDirectory() as home:
            output = subprocess.run(
                ["bash", "-euc", "\n".join([*blocks, 'echo "$image"'])], cwd=home,
                env={"HOME": home, "AWS_PAGER": "", **setting.server().environment, "PATH": path},
                capture_output=True, text=True, check=False)
        self.assertEqual(output.returncode, 0, output.stderr)
        state, *_, arn = output.stdout.split()
        self.assertIn(state, {"PENDING", "CREATING", "BUILDING"})

        client = setting.client()
        self.assertEqual(len(built.get(client, arn)["imageRecipe"]["components"]), 1)
        client.cancel_image_creation(imageBuildVersionArn=arn)
        built.ended(client, arn, "CANCELLED")
