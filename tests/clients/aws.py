"""The AWS CLI as people type it."""

import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from . import setting

AWS = Path(sys.executable).with_name("aws")


def run(line, **environment):
    """Runs `aws imagebuilder LINE` after `eval "$(goldsmith env)"`."""
    told = dict(setting.server().environment)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with tempfile.TemporaryDirectory() as home:
        return subprocess.run(
            [sys.executable, AWS, "imagebuilder", *shlex.split(line)],
            env={**clean, "HOME": home, "AWS_PAGER": "", **told, **environment},
            capture_output=True, text=True, check=False)


def ok(line):
    """Runs a command that must succeed; returns the JSON it prints."""
    output = run(line)
    assert output.returncode == 0, f"aws imagebuilder {line}: {output.stderr}"
    return json.loads(output.stdout) if output.stdout.strip() else None


def fails(line):
    """Runs a command that must fail; returns what it says."""
    output = run(line)
    assert output.returncode != 0, f"aws imagebuilder {line}: {output.stdout}"
    return output.stderr
