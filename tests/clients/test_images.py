"""Images: asked for, cancelled, retried, retired, deleted."""

import json
import time
import unittest
import uuid

from . import aws, built, setting
from .test_components import fresh, refusal

SLOW = built.document(build="echo begun; sleep 1000")


class Creation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.client = setting.client()
        cls.recipe = built.recipe(cls.client)
        cls.machine = built.infrastructure(cls.client)

    def make(self, **members):
        return built.start(self.client, self.recipe,
                           **{"infrastructureConfigurationArn": self.machine, **members})

    def test_what_is_asked_for_is_copied_into_the_image(self):
        places = built.distribution(self.client, "local-1", "local-3")
        arn = self.make(
            distributionConfigurationArn=places, tags={"a": "1"},
            enhancedImageMetadataEnabled=False,
            imageTestsConfiguration={"imageTestsEnabled": False, "timeoutMinutes": 90},
            loggingConfiguration={"logGroupName": "builds"},
            imageScanningConfiguration={"imageScanningEnabled": False})
        image = built.get(self.client, arn)
        self.assertEqual(image["imageRecipe"]["arn"], self.recipe)
        self.assertEqual(image["infrastructureConfiguration"]["arn"], self.machine)
        self.assertEqual(image["distributionConfiguration"]["arn"], places)
        self.assertEqual(image["imageTestsConfiguration"],
                         {"imageTestsEnabled": False, "timeoutMinutes": 90})
        self.assertEqual(image["tags"], {"a": "1"})
        self.assertEqual(image["loggingConfiguration"], {"logGroupName": "builds"})
        self.assertFalse(image["enhancedImageMetadataEnabled"])
        image = built.ended(self.client, arn, "AVAILABLE")
        self.assertEqual([ami["region"] for ami in image["outputResources"]["amis"]],
                         ["local-1", "local-3"])
        executions = self.client.list_workflow_executions(imageBuildVersionArn=arn)
        self.assertEqual([one["type"] for one in executions["workflowExecutions"]],
                         ["BUILD", "DISTRIBUTION"])

    def test_a_token_makes_one_image(self):
        token = uuid.uuid4().hex
        first = self.make(clientToken=token)
        self.assertEqual(self.make(clientToken=token), first)
        refusal(self, "IdempotentParameterMismatchException", self.make,
                clientToken=token, tags={"a": "b"})
        built.ended(self.client, first, "AVAILABLE")
        self.assertEqual(self.make(clientToken=token), first)
        second = self.make()
        name, _, build = first.rpartition("/")
        self.assertEqual(second, f"{name}/{int(build) + 1}")

    def test_bad_requests_are_refused(self):
        none = setting.arn("image-recipe/none/1.0.0")
        workflow = [{"workflowArn": setting.arn("workflow/build/build-image/x.x.x", owner="aws")}]
        for code, members in [
            ("ResourceNotFoundException", {"imageRecipeArn": none}),
            ("ResourceNotFoundException", {"infrastructureConfigurationArn": setting.arn(
                "infrastructure-configuration/none")}),
            ("ResourceNotFoundException", {"distributionConfigurationArn": setting.arn(
                "distribution-configuration/none")}),
            ("InvalidParameterCombinationException", {"containerRecipeArn": setting.arn(
                "container-recipe/none/1.0.0")}),
            ("InvalidRequestException", {"workflows": workflow}),
            ("InvalidRequestException",
             {"imageScanningConfiguration": {"imageScanningEnabled": True}}),
        ]:
            with self.subTest(members=members):
                refusal(self, code, self.client.create_image, **{
                    "imageRecipeArn": self.recipe, "infrastructureConfigurationArn": self.machine,
                    **members})

    def test_a_name_that_is_taken_is_told_before_anything_is_built(self):
        built.image()
        name = fresh("fixed")
        places = self.client.create_distribution_configuration(
            name=name, distributions=[
                {"region": "local-1", "amiDistributionConfiguration": {"name": name}}],
        )["distributionConfigurationArn"]
        arn = self.make(distributionConfigurationArn=places)
        built.ended(self.client, arn, "AVAILABLE")
        message = refusal(
            self, "InvalidRequestException", self.make, distributionConfigurationArn=places)
        self.assertIn(name, message)

    def test_an_image_is_a_parent_once_it_is_available(self):
        slow = built.recipe(self.client, built.component(self.client, SLOW))
        arn = built.start(self.client, slow)
        recipe = built.recipe(self.client, parentImage=arn)
        message = refusal(self, "InvalidRequestException", self.client.create_image,
                          imageRecipeArn=recipe, infrastructureConfigurationArn=self.machine)
        self.assertIn(arn, message)
        self.client.cancel_image_creation(imageBuildVersionArn=arn)
        built.ended(self.client, arn, "CANCELLED")


class Cancellation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.client = setting.client()
        # So that the base is at hand.
        built.image()

    def test_running_and_pending_builds_are_cancelled(self):
        recipe = built.recipe(self.client, built.component(self.client, SLOW))
        running = built.start(self.client, recipe)
        built.wait(self.client, running, "BUILDING")
        # As many as there are turns, and some: one at least is pending.
        others = [built.start(self.client, recipe)]
        while built.get(self.client, others[-1])["state"]["status"] != "PENDING" \
                or time_passes(self.client, others[-1]):
            others.append(built.start(self.client, recipe))
        for arn in [others[-1], *others[:-1], running]:
            answer = self.client.cancel_image_creation(imageBuildVersionArn=arn)
            self.assertEqual(answer["imageBuildVersionArn"], arn)
        for arn in [running, *others]:
            image = built.ended(self.client, arn, "CANCELLED")
            self.assertEqual(image["state"]["reason"], "cancelled")
            self.assertNotIn("outputResources", image)
        of = {"imageBuildVersionArn": running}
        build, = self.client.list_workflow_executions(**of)["workflowExecutions"]
        self.assertEqual(build["status"], "CANCELLED")
        message = refusal(self, "InvalidRequestException",
                          self.client.cancel_image_creation, **of)
        self.assertIn("CANCELLED", message)

    def test_a_token_cancels_once(self):
        recipe = built.recipe(self.client, built.component(self.client, SLOW))
        arn, token = built.start(self.client, recipe), uuid.uuid4().hex
        said = aws.ok(f"cancel-image-creation --image-build-version-arn {arn} "
                      f"--client-token {token}")
        self.assertEqual(said["imageBuildVersionArn"], arn)
        built.ended(self.client, arn, "CANCELLED")
        again = self.client.cancel_image_creation(imageBuildVersionArn=arn, clientToken=token)
        self.assertEqual(again["imageBuildVersionArn"], arn)
        refusal(self, "IdempotentParameterMismatchException", self.client.cancel_image_creation,
                imageBuildVersionArn=built.image()["arn"], clientToken=token)

    def test_what_is_not_there_is_not_cancelled(self):
        refusal(self, "ResourceNotFoundException", self.client.cancel_image_creation,
                imageBuildVersionArn=setting.arn("image/none/1.0.0/1"))
        message = refusal(self, "InvalidRequestException", self.client.cancel_image_creation,
                          imageBuildVersionArn=built.image()["arn"])
        self.assertIn("AVAILABLE", message)


def time_passes(client, arn, seconds=1):
    """Says whether a pending build gets its turn within a moment."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if built.get(client, arn)["state"]["status"] != "PENDING":
            return True
        time.sleep(0.1)
    return False


class Failures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.client = setting.client()
        built.image()

    def test_a_failing_component_is_told_with_its_place(self):
        bad = built.component(
            self.client, built.document(build="echo about to fail; exit 7"), "bad")
        arn = built.start(self.client, built.recipe(self.client, bad))
        image = built.ended(self.client, arn, "FAILED")
        reason = image["state"]["reason"]
        for word in [bad.split("/")[1], "phase build", "step Do", "exit code 7", "about to fail"]:
            self.assertIn(word, reason)
        self.assertNotIn("outputResources", image)
        execution, = self.client.list_workflow_executions(
            imageBuildVersionArn=arn)["workflowExecutions"]
        self.assertEqual((execution["type"], execution["status"]), ("BUILD", "FAILED"))
        self.assertEqual(execution["totalStepsFailed"], 1)
        self.assertIn("exit code 7", execution["message"])
        steps = self.client.list_workflow_step_executions(
            workflowExecutionId=execution["workflowExecutionId"])["steps"]
        self.assertEqual([step["status"] for step in steps], ["COMPLETED", "FAILED", "SKIPPED"])
        self.assertIn("exit code 7", steps[1]["message"])
        refusal(self, "ResourceNotFoundException", self.client.list_image_packages,
                imageBuildVersionArn=arn)
        self.client.delete_image(imageBuildVersionArn=arn)
        refusal(self, "ResourceNotFoundException", self.client.get_image,
                imageBuildVersionArn=arn)


class Retries(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.client = setting.client()
        built.image()

    def test_a_mended_image_keeps_its_arn(self):
        # A document's newest build counts, so a new one mends the recipe.
        name = fresh("mended")
        part = {"name": name, "semanticVersion": "1.0.0", "platform": "Linux"}
        bad = self.client.create_component(**part, data=built.document(build="exit 3"))
        newest = bad["componentBuildVersionArn"].replace("/1.0.0/1", "/x.x.x")
        arn = built.start(self.client, built.recipe(self.client, newest), tags={"a": "b"})
        built.ended(self.client, arn, "FAILED")
        self.client.create_component(**part, data=built.document(build="true"))
        token = uuid.uuid4().hex
        said = aws.ok(f"retry-image --image-build-version-arn {arn} --client-token {token}")
        self.assertEqual(said["imageBuildVersionArn"], arn)
        image = built.ended(self.client, arn, "AVAILABLE")
        self.assertNotIn("reason", image["state"])
        self.assertEqual(image["tags"], {"a": "b"})
        self.assertEqual(len(image["outputResources"]["amis"]), 1)
        # The same request again is answered, and does nothing.
        self.client.retry_image(imageBuildVersionArn=arn, clientToken=token)
        refusal(self, "IdempotentParameterMismatchException", self.client.retry_image,
                imageBuildVersionArn=built.image()["arn"], clientToken=token)
        executions = self.client.list_workflow_executions(
            imageBuildVersionArn=arn)["workflowExecutions"]
        self.assertEqual(
            [(one["type"], one["status"], one.get("retried")) for one in executions],
            [("BUILD", "FAILED", True), ("BUILD", "COMPLETED", None),
             ("DISTRIBUTION", "COMPLETED", None)])
        for one, statuses in zip(executions, [["COMPLETED", "FAILED", "SKIPPED"],
                                              ["COMPLETED"] * 3, ["COMPLETED"]]):
            steps = self.client.list_workflow_step_executions(
                workflowExecutionId=one["workflowExecutionId"])["steps"]
            self.assertEqual([step["status"] for step in steps], statuses)

    def test_a_cancelled_image_is_retried_and_cancelled_again(self):
        recipe = built.recipe(self.client, built.component(self.client, SLOW))
        of = {"imageBuildVersionArn": built.start(self.client, recipe)}
        for _ in range(2):
            built.wait(self.client, *of.values(), "BUILDING")
            refusal(self, "ResourceInUseException", self.client.retry_image, **of)
            self.client.cancel_image_creation(**of)
            built.ended(self.client, *of.values(), "CANCELLED")
            self.client.retry_image(**of)
        self.client.cancel_image_creation(**of)
        built.ended(self.client, *of.values(), "CANCELLED")

    def test_what_cannot_be_retried_is_refused(self):
        message = refusal(self, "InvalidRequestException", self.client.retry_image,
                          imageBuildVersionArn=built.image()["arn"])
        self.assertIn("AVAILABLE", message)
        refusal(self, "ResourceNotFoundException", self.client.retry_image,
                imageBuildVersionArn=setting.arn("image/none/1.0.0/1"))


class Retirement(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.client = setting.client()
        built.image()

    def setUp(self):
        recipe = built.recipe(self.client)
        self.arn = built.start(self.client, recipe)
        self.image = built.ended(self.client, self.arn, "AVAILABLE")

    def to(self, status, **members):
        return self.client.start_resource_state_update(
            resourceArn=self.arn, state={"status": status}, **members)

    def listed(self, **members):
        filters = [{"name": "name", "values": [self.image["name"]]}]
        return len(self.client.list_images(filters=filters, **members)["imageVersionList"])

    def test_an_image_is_deprecated_disabled_and_brought_back(self):
        for status, is_listed in [("DEPRECATED", 0), ("DISABLED", 1), ("AVAILABLE", 1)]:
            made = self.to(status, includeResources={"amis": True})
            image = built.get(self.client, self.arn)
            self.assertEqual(image["state"]["status"], status)
            self.assertEqual(image["lifecycleExecutionId"], made["lifecycleExecutionId"])
            self.assertEqual(self.listed(), is_listed)
            self.assertEqual(self.listed(includeDeprecated=True), 1)
            told = self.client.get_lifecycle_execution(
                lifecycleExecutionId=made["lifecycleExecutionId"])["lifecycleExecution"]
            self.assertEqual(told["state"]["status"], "SUCCESS")
            amis = self.client.list_lifecycle_execution_resources(
                lifecycleExecutionId=made["lifecycleExecutionId"],
                parentResourceId=self.arn)["resources"]
            self.assertEqual([one["resourceId"] for one in amis],
                             [self.image["outputResources"]["amis"][0]["image"]])
        pages = self.client.get_paginator("list_lifecycle_executions").paginate(
            resourceArn=self.arn, PaginationConfig={"PageSize": 2})
        executions = [one for page in pages for one in page["lifecycleExecutions"]]
        self.assertEqual(executions[0], told)
        self.assertEqual(len({one["lifecycleExecutionId"] for one in executions}), 3)
        for call, of in [
            (self.client.list_lifecycle_executions, {"resourceArn": self.arn}),
            (self.client.list_lifecycle_execution_resources,
             {"lifecycleExecutionId": made["lifecycleExecutionId"]}),
        ]:
            refusal(self, "InvalidPaginationTokenException", call, nextToken="nonsense", **of)

    def test_a_token_changes_a_state_once(self):
        token = uuid.uuid4().hex
        first = self.to("DEPRECATED", clientToken=token)
        self.assertEqual(self.to("DEPRECATED", clientToken=token)["lifecycleExecutionId"],
                         first["lifecycleExecutionId"])
        refusal(self, "IdempotentParameterMismatchException", self.to,
                status="DISABLED", clientToken=token)

    def test_a_deletion_includes_what_it_is_of(self):
        refusal(self, "InvalidRequestException", self.to, status="DELETED")
        ami = self.image["outputResources"]["amis"][0]["image"]
        self.to("DELETED", includeResources={"amis": True, "snapshots": True})
        refusal(self, "ResourceNotFoundException", self.client.get_image,
                imageBuildVersionArn=self.arn)
        listed = json.dumps(setting.server().command("images", "--all"))
        self.assertNotIn(ami, listed)

    def test_what_cannot_be_changed_is_refused(self):
        refusal(self, "InvalidRequestException", self.to, status="AVAILABLE")
        refusal(self, "ResourceNotFoundException", self.client.start_resource_state_update,
                resourceArn=setting.arn("image/none/1.0.0/1"), state={"status": "DISABLED"})
        recipe = built.recipe(self.client, built.component(self.client, SLOW))
        arn = built.start(self.client, recipe)
        refusal(self, "ResourceInUseException", self.client.start_resource_state_update,
                resourceArn=arn, state={"status": "DISABLED"})
        refusal(self, "InvalidRequestException", self.client.delete_image,
                imageBuildVersionArn=arn)
        self.client.cancel_image_creation(imageBuildVersionArn=arn)
        built.ended(self.client, arn, "CANCELLED")
        refusal(self, "InvalidRequestException", self.client.start_resource_state_update,
                resourceArn=arn, state={"status": "DISABLED"})

    def test_the_record_goes_and_the_amis_stay(self):
        aws.ok(f"delete-image --image-build-version-arn {self.arn}")
        for call in [self.client.get_image, self.client.delete_image]:
            refusal(self, "ResourceNotFoundException", call, imageBuildVersionArn=self.arn)
        self.assertEqual(self.listed(), 0)
        listed = json.dumps(setting.server().command("images", "--all"))
        self.assertIn(self.image["outputResources"]["amis"][0]["image"], listed)


class Policies(unittest.TestCase):
    def test_a_policy_is_kept_as_it_is(self):
        client, arn = setting.client(), built.image()["arn"]
        refusal(self, "ResourceNotFoundException", client.get_image_policy, imageArn=arn)
        policy = json.dumps({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": "123456789012"},
            "Action": ["imagebuilder:GetImage", "imagebuilder:ListImages"], "Resource": arn}]})
        client.put_image_policy(imageArn=arn, policy=policy)
        kept = client.get_image_policy(imageArn=arn)["policy"]
        self.assertEqual(json.loads(kept), json.loads(policy))
        refusal(self, "InvalidParameterValueException", client.put_image_policy,
                imageArn=arn, policy="{")
        none = setting.arn("image/none/1.0.0/1")
        refusal(self, "ResourceNotFoundException", client.get_image_policy, imageArn=none)
        refusal(self, "ResourceNotFoundException", client.put_image_policy,
                imageArn=none, policy=policy)


class Managed(unittest.TestCase):
    def test_amazon_s_images_are_listed_and_read(self):
        client = setting.client()
        listed = client.list_images(owner="Amazon")["imageVersionList"]
        self.assertIn(setting.arn("image/debian-minimal-12-x86/1.0.0", owner="aws"),
                      [entry["arn"] for entry in listed])
        names = client.list_images(owner="Amazon", byName=True)["imageVersionList"]
        self.assertEqual(len(names), len({entry["name"] for entry in listed}))
        for owner in ["Shared", "ThirdParty", "AWSMarketplace"]:
            self.assertEqual(client.list_images(owner=owner)["imageVersionList"], [])
        arn = listed[0]["arn"]
        builds = client.list_image_build_versions(imageVersionArn=arn)["imageSummaryList"]
        found = client.get_image(imageBuildVersionArn=builds[0]["arn"])["image"]
        self.assertEqual(found["imageSource"], "AMAZON_MANAGED")
        refusal(self, "ForbiddenException", client.delete_image,
                imageBuildVersionArn=builds[0]["arn"])
        for call, member in [(client.get_image_policy, "imageArn"),
                             (client.list_image_packages, "imageBuildVersionArn"),
                             (client.list_workflow_executions, "imageBuildVersionArn")]:
            refusal(self, "ResourceNotFoundException", call, **{member: builds[0]["arn"]})
        refusal(self, "ForbiddenException", client.put_image_policy,
                imageArn=builds[0]["arn"], policy='{"Statement": []}')


class Lists(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.client = setting.client()
        built.image()
        built.other()

    def test_by_name_there_is_one_of_each(self):
        versions = self.client.get_paginator("list_images").paginate(
            byName=True, PaginationConfig={"PageSize": 1})
        arns = [entry["arn"] for page in versions for entry in page["imageVersionList"]]
        self.assertEqual(len(arns), len(set(arns)))
        self.assertTrue(all(arn.endswith("/x.x.x") for arn in arns))
        self.assertIn(built.image()["arn"].replace("1.0.0/1", "x.x.x"), arns)

    def test_bad_tokens_and_filters_are_refused(self):
        token = self.client.list_images(maxResults=1)["nextToken"]
        for call in [self.client.list_images, self.client.list_image_build_versions]:
            refusal(self, "InvalidPaginationTokenException", call, nextToken="nonsense")
            refusal(self, "InvalidParameterValueException", call,
                    filters=[{"name": "colour", "values": ["red"]}])
        refusal(self, "InvalidPaginationTokenException", self.client.list_images,
                nextToken=token, byName=True)
        refusal(self, "InvalidPaginationTokenException", self.client.list_image_pipeline_images,
                nextToken=token, imagePipelineArn=built.pipeline())
