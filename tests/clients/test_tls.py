"""Clients over TLS, with a certificate of one's own authority."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from . import aws, setting

# By the one name that the certificate has.
NAMED = ["--host", "localhost"]

EXTENSIONS = {
    "ca": "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n"
          "subjectKeyIdentifier=hash\n",
    "server": "basicConstraints=critical,CA:FALSE\nsubjectAltName=DNS:localhost\n"
              "authorityKeyIdentifier=keyid\n",
}


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def certify(folder):
    """Makes an authority, and a server's certificate that it signed."""
    for name, text in EXTENSIONS.items():
        (folder / f"{name}.ext").write_text(text, encoding="utf-8")
        openssl(folder, "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
    openssl(folder, "x509", "-req", "-in", "ca.csr", "-signkey", "ca.key", "-days", "2",
            "-extfile", "ca.ext", "-out", "ca.pem")
    openssl(folder, "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-days", "2", "-extfile", "server.ext", "-out", "server.pem")


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        certify(cls.folder)
        cls.server = setting.Server(cls.folder / "data", [
            "--tls-cert", str(cls.folder / "server.pem"),
            "--tls-key", str(cls.folder / "server.key")])
        cls.addClassCleanup(cls.server.stop)

    def told(self, *arguments):
        """Returns what `goldsmith env` sets."""
        return self.server.command("env", "--listen", self.server.address, *arguments)

    def run_cli(self, told):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        line = ["imagebuilder", "list-components", "--owner", "Amazon"]
        return subprocess.run(
            [sys.executable, aws.AWS, *line],
            env={**clean, "HOME": str(self.folder), "AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "1",
                 **told},
            capture_output=True, text=True, check=False)

    def test_the_aws_cli_trusts_the_authority_it_is_told_of(self):
        output = self.run_cli(self.told("--tls-ca", str(self.folder / "ca.pem"), *NAMED))
        self.assertEqual(output.returncode, 0, output.stderr)
        self.assertTrue(json.loads(output.stdout)["componentVersionList"])

    def test_boto3_reads_the_same(self):
        told = self.told("--tls-ca", str(self.folder / "ca.pem"), *NAMED)
        client = setting.client(
            endpoint_url=told["AWS_ENDPOINT_URL"], verify=told["AWS_CA_BUNDLE"],
            aws_access_key_id=told["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=told["AWS_SECRET_ACCESS_KEY"])
        self.assertTrue(client.list_components(owner="Amazon")["componentVersionList"])

    def test_without_the_authority_nobody_is_trusted(self):
        told = self.told("--tls", *NAMED)
        port = self.server.address.rpartition(":")[2]
        self.assertEqual(told["AWS_ENDPOINT_URL"], f"https://localhost:{port}")
        self.refused(told, "CERTIFICATE_VERIFY_FAILED")

    def test_a_name_that_the_certificate_lacks_is_not_trusted(self):
        told = self.told("--tls-ca", str(self.folder / "ca.pem"))
        self.assertEqual(told["AWS_ENDPOINT_URL"], f"https://{self.server.address}")
        self.refused(told, "127.0.0.1")

    def refused(self, told, words):
        output = self.run_cli(told)
        self.assertNotEqual(output.returncode, 0)
        self.assertIn("SSL", output.stderr)
        self.assertIn(words, output.stderr)
