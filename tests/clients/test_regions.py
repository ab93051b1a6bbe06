"""Regions of AWS's form, which clients such as Terraform's provider insist on."""

import re
import unittest

from . import aws, built, setting
from .test_components import DOCUMENT, fresh, refusal

REGION = "us-east-1"

# What Terraform's AWS provider takes for the partition, the region and the
# owner of an ARN before it sends anything (its `verify.ValidARN`).
PARTITION = r"aws(-[a-z]+)*"
PLACE = r"[a-z]{2}(-[a-z]+)+-\d"
OWNER = r"aws|aws-managed|third-party|\d{12}|cw.{10}"
ARN = re.compile(rf"arn:({PARTITION}):imagebuilder:({PLACE}):({OWNER}):.+")


class OfAwsForm(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.told = []
        cls.client = setting.client(region_name=REGION)
        cls.client.meta.events.register("after-call.imagebuilder", cls.note)

    @classmethod
    def note(cls, http_response, **_):
        """Keeps the ARNs of an answer."""
        cls.told += re.findall(r'"(arn:[^"]*)"', http_response.text)

    def test_every_arn_is_one_that_terraform_takes(self):
        client = self.client
        managed = client.list_images(owner="Amazon")["imageVersionList"]
        component = built.component(client, DOCUMENT)
        base = next(image["arn"] for image in managed if "debian-minimal-12" in image["arn"])
        recipe = built.recipe(client, component, parentImage=base)
        machine = built.infrastructure(client)
        places = built.distribution(client, REGION)
        pipeline = client.create_image_pipeline(
            name=fresh("pipeline"), imageRecipeArn=recipe, infrastructureConfigurationArn=machine,
            distributionConfigurationArn=places)["imagePipelineArn"]
        image = client.start_image_pipeline_execution(
            imagePipelineArn=pipeline)["imageBuildVersionArn"]
        client.list_workflow_executions(imageBuildVersionArn=image)
        client.cancel_image_creation(imageBuildVersionArn=image)
        built.ended(client, image, "CANCELLED")
        client.list_components(owner="Amazon")
        client.list_workflows(owner="Amazon")
        self.assertLessEqual({base, component, recipe, machine, places, pipeline, image},
                             set(self.told))
        for arn in self.told:
            self.assertRegex(arn, ARN)
            self.assertEqual(arn.split(":")[3], REGION)

    def test_what_is_made_in_one_region_is_not_in_another(self):
        arn = built.component(self.client, DOCUMENT)
        refusal(self, "ResourceNotFoundException", setting.client().get_component,
                componentBuildVersionArn=arn)

    def test_env_leads_there(self):
        told = setting.server().command(
            "env", "--listen", setting.server().address, "--region", REGION)
        output = aws.run("list-images --owner Amazon --query imageVersionList[].arn", **told)
        self.assertEqual(output.returncode, 0, output.stderr)
        self.assertIn(f":{REGION}:aws:image/", output.stdout)
