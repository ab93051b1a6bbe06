"""64 clients at once, over real connections: nothing is lost, doubled or broken."""

import threading
import unittest
from concurrent.futures import ThreadPoolExecutor

from botocore.exceptions import ClientError

from . import setting
from .test_components import DOCUMENT, fresh

CLIENTS = 64
PAGE = 7
PARENT = f"arn:aws:imagebuilder:{setting.REGION}:aws:image/debian-server-12-x86/x.x.x"

# What each kind's list is called, and what is in it.
LISTS = {
    "component": ("list_components", "componentVersionList"),
    "infrastructure": ("list_infrastructure_configurations",
                       "infrastructureConfigurationSummaryList"),
    "distribution": ("list_distribution_configurations", "distributionConfigurationSummaryList"),
    "recipe": ("list_image_recipes", "imageRecipeSummaryList"),
    "pipeline": ("list_image_pipelines", "imagePipelineList"),
}


def at_once(work, count=CLIENTS):
    """Calls `work` with each number in a thread of its own; returns what they return."""
    gate = threading.Barrier(count)

    def begin(n):
        gate.wait(60)
        return work(n)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


class Concurrency(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # An account that nobody else lists.
        server = setting.server()
        cls.account = server.command("account", "create", fresh("crowd"))["account"]
        key = server.command("key", "create", "--account", cls.account)
        cls.client = setting.client(aws_access_key_id=key["accessKeyId"],
                                    aws_secret_access_key=key["secretAccessKey"])

    def arn(self, resource):
        return setting.arn(resource, self.account)

    def make(self, name):
        """Makes one of each kind; each needs those before it."""
        client, data = self.client, DOCUMENT.replace("hello", name)
        client.create_component(name=name, semanticVersion="1.0.0", platform="Linux", data=data)
        client.create_infrastructure_configuration(name=name, instanceProfileName="none")
        client.create_distribution_configuration(
            name=name, distributions=[{"region": setting.REGION}])
        client.create_image_recipe(
            name=name, semanticVersion="1.0.0", parentImage=PARENT,
            components=[{"componentArn": self.arn(f"component/{name}/1.0.0/1")}])
        return client.create_image_pipeline(
            name=name, imageRecipeArn=self.arn(f"image-recipe/{name}/1.0.0"),
            infrastructureConfigurationArn=self.arn(f"infrastructure-configuration/{name}"),
        )["imagePipelineArn"]

    def delete(self, name):
        """Deletes what `make` made, the last first."""
        client = self.client
        client.delete_image_pipeline(imagePipelineArn=self.arn(f"image-pipeline/{name}"))
        client.delete_image_recipe(imageRecipeArn=self.arn(f"image-recipe/{name}/1.0.0"))
        client.delete_distribution_configuration(
            distributionConfigurationArn=self.arn(f"distribution-configuration/{name}"))
        client.delete_infrastructure_configuration(
            infrastructureConfigurationArn=self.arn(f"infrastructure-configuration/{name}"))
        client.delete_component(componentBuildVersionArn=self.arn(f"component/{name}/1.0.0/1"))

    def names(self, kind):
        """Returns the names on all pages of a list, as often as they are there."""
        operation, member = LISTS[kind]
        pages = self.client.get_paginator(operation).paginate(
            PaginationConfig={"PageSize": PAGE})
        return [one["name"] for page in pages for one in page[member]]

    def test_no_kind_is_lost_or_doubled(self):
        steady = [f"m-steady-{n:02}" for n in range(12)]
        for name in steady:
            self.make(name)

        def work(n):
            # Before, between and after those that stay.
            name = f"{'amz'[n % 3]}-own-{n:02}"
            pipeline = self.make(name)
            kind = list(LISTS)[n % len(LISTS)]
            listed = self.names(kind)
            self.assertEqual(len(listed), len(set(listed)), f"{kind}: doubled")
            self.assertEqual({*steady, name} - set(listed), set(), f"{kind}: lost")
            self.client.tag_resource(resourceArn=pipeline, tags={"client": str(n)})
            tags = self.client.list_tags_for_resource(resourceArn=pipeline)["tags"]
            self.assertEqual(tags, {"client": str(n)})
            if n % 2 == 0:
                self.delete(name)
                return []
            return [name]

        left = sorted(steady + [name for one in at_once(work) for name in one])
        try:
            for kind in LISTS:
                self.assertEqual(self.names(kind), left, kind)
        finally:
            at_once(lambda n: self.delete(left[n]), len(left))
        for kind in LISTS:
            self.assertEqual(self.names(kind), [], kind)

    def test_builds_of_one_version_are_numbered_without_a_gap(self):
        def work(n):
            made = self.client.create_component(
                name="m-shared", semanticVersion="1.0.0", platform="Linux",
                data=DOCUMENT.replace("hello", f"hello {n}"))
            return made["componentBuildVersionArn"]

        builds = at_once(work)
        expected = {self.arn(f"component/m-shared/1.0.0/{n + 1}") for n in range(CLIENTS)}
        self.assertEqual(set(builds), expected)

        # Two clients want each build gone: one of them does it.
        def delete(n):
            try:
                self.client.delete_component(componentBuildVersionArn=builds[n // 2])
                return True
            except ClientError as error:
                self.assertEqual(error.response["Error"]["Code"], "ResourceNotFoundException")
                return False

        deleted = at_once(delete)
        self.assertEqual([a + b for a, b in zip(deleted[::2], deleted[1::2])], [1] * (CLIENTS // 2))
        for build in builds[CLIENTS // 2:]:
            self.client.delete_component(componentBuildVersionArn=build)

    def test_one_of_equal_requests_is_carried_out(self):
        def work(_):
            made = self.client.create_infrastructure_configuration(
                name="m-once", instanceProfileName="none", clientToken="of all")
            return made["infrastructureConfigurationArn"]

        arn = self.arn("infrastructure-configuration/m-once")
        self.assertEqual(set(at_once(work)), {arn})
        self.client.delete_infrastructure_configuration(infrastructureConfigurationArn=arn)

    def test_tags_given_at_once_are_all_kept(self):
        made = self.client.create_infrastructure_configuration(
            name="m-tagged", instanceProfileName="none")
        arn = made["infrastructureConfigurationArn"]
        at_once(lambda n: self.client.tag_resource(resourceArn=arn, tags={f"t{n}": "x"}), 40)
        at_once(lambda n: self.client.untag_resource(resourceArn=arn, tagKeys=[f"t{2 * n}"]), 20)
        tags = self.client.list_tags_for_resource(resourceArn=arn)["tags"]
        self.assertEqual(tags, {f"t{2 * n + 1}": "x" for n in range(20)})
        self.client.delete_infrastructure_configuration(infrastructureConfigurationArn=arn)
