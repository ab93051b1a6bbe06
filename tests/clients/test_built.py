"""An image that was really built: what the API, and the program beside it, show of it."""

import json
import tempfile
import unittest
from pathlib import Path

from . import aws, built, setting
from .test_components import fresh, refusal


def values(client, operation, key, **members):
    """Returns all entries of a list, over pages of two."""
    pages = client.get_paginator(operation).paginate(
        **members, PaginationConfig={"PageSize": 2})
    return [entry for page in pages for entry in page.get(key, [])]


class Outcome(unittest.TestCase):
    """A pipeline made by the AWS CLI builds, tests and publishes a real image."""

    @classmethod
    def setUpClass(cls):
        cls.client = setting.client()
        cls.image = built.image()
        cls.arn = cls.image["arn"]

    def test_get_image_shows_it_available_with_its_amis(self):
        image = self.image
        self.assertEqual(image["state"], {"status": "AVAILABLE"})
        amis = image["outputResources"]["amis"]
        self.assertEqual([ami["region"] for ami in amis], built.REGIONS)
        for ami in amis:
            self.assertRegex(ami["image"], r"^ami-[0-9a-f]{17}$")
            self.assertEqual(ami["name"], f"{image['name']} 1.0.0-1")
            self.assertEqual(ami["accountId"], setting.account())
            self.assertEqual(ami["state"], {"status": "AVAILABLE"})
        self.assertEqual(len({ami["image"] for ami in amis}), len(amis))

    def test_it_says_what_it_is_made_of(self):
        wanted = {
            "type": "AMI", "version": "1.0.0", "platform": "Linux", "osVersion": "Debian 12",
            "buildType": "USER_INITIATED", "imageSource": "CUSTOM",
            "enhancedImageMetadataEnabled": True,
            "imageTestsConfiguration": {"imageTestsEnabled": True, "timeoutMinutes": 720},
            "sourcePipelineArn": built.pipeline(), "tags": {"team": "web", "by": "hand"},
        }
        self.assertEqual({key: self.image.get(key) for key in wanted}, wanted)
        recipe = self.image["imageRecipe"]
        self.assertEqual(recipe["parentImage"], built.parent())
        self.assertEqual(len(recipe["components"]), 2)
        self.assertEqual(self.arn.rpartition("/")[0],
                         recipe["arn"].replace(":image-recipe/", ":image/"))
        self.assertIn("infrastructureConfiguration", self.image)
        self.assertEqual(len(self.image["distributionConfiguration"]["distributions"]), 2)

    def test_wildcards_find_it(self):
        for version in ["x.x.x", "1.x.x", "1.0.x", "1.0.0"]:
            with self.subTest(version=version):
                arn = self.arn.replace("1.0.0/1", version)
                found = self.client.get_image(imageBuildVersionArn=arn)
                self.assertEqual(found["image"]["arn"], self.arn)
        references = found["latestVersionReferences"]
        self.assertEqual(references["latestVersionArn"], self.arn.replace("1.0.0/1", "x.x.x"))

    def test_its_packages_are_those_of_its_package_database(self):
        listed = values(self.client, "list_image_packages", "imagePackageList",
                        imageBuildVersionArn=self.arn)
        packages = {entry["packageName"]: entry["packageVersion"] for entry in listed}
        self.assertEqual(len(packages), len(listed))
        self.assertLess({"apt", "bash", "dpkg", "systemd"}, set(packages))
        self.assertRegex(packages["bash"], r"^5\.2")
        refusal(self, "InvalidPaginationTokenException", self.client.list_image_packages,
                imageBuildVersionArn=self.arn, nextToken="nonsense")

    def test_lists_hold_it(self):
        title = self.image["name"]
        version = self.arn.rpartition("/")[0]
        images = aws.ok(f"list-images --filters 'name=name,values={title}'")
        self.assertEqual([one["arn"] for one in images["imageVersionList"]], [version])
        builds = aws.ok(f"list-image-build-versions --image-version-arn {version}")
        summary, = builds["imageSummaryList"]
        self.assertEqual(summary["arn"], self.arn)
        self.assertEqual(summary["outputResources"], self.image["outputResources"])
        made = aws.ok(f"list-image-pipeline-images --image-pipeline-arn {built.pipeline()}")
        self.assertIn(self.arn, [one["arn"] for one in made["imageSummaryList"]])

    def test_filters_find_it(self):
        title = self.image["name"]
        for name, right, wrong in [
            ("name", title, title.upper()), ("osVersion", "Debian 12", "Debian 11"),
            ("platform", "Linux", "Windows"), ("type", "AMI", "DOCKER"),
            ("version", "1.0.0", "9.9.9"),
        ]:
            for operation, key in [("list_images", "imageVersionList"),
                                   ("list_image_build_versions", "imageSummaryList")]:
                for value, is_found in [(right, True), (wrong, False)]:
                    with self.subTest(operation=operation, name=name, value=value):
                        filters = [{"name": name, "values": ["none", value]},
                                   {"name": "name", "values": [title]}]
                        found = values(self.client, operation, key, filters=filters)
                        names = {entry["name"] for entry in found}
                        self.assertEqual(names, {title} if is_found else set())

    def test_a_pipelines_images_are_filtered(self):
        pipeline = built.pipeline()
        for name, value, is_found in [
            ("name", self.image["name"], True), ("name", "none", False),
            ("version", "1.0.0", True), ("version", "2.0.0", False),
        ]:
            with self.subTest(name=name, value=value):
                found = values(
                    self.client, "list_image_pipeline_images", "imageSummaryList",
                    imagePipelineArn=pipeline, filters=[{"name": name, "values": [value]}])
                self.assertEqual(self.arn in [entry["arn"] for entry in found], is_found)
        refusal(self, "InvalidParameterValueException", self.client.list_image_pipeline_images,
                imagePipelineArn=pipeline, filters=[{"name": "type", "values": ["AMI"]}])

    def test_the_pipeline_tells_of_its_last_run(self):
        found = self.client.get_image_pipeline(imagePipelineArn=built.pipeline())
        self.assertEqual(found["imagePipeline"]["lastRunStatus"], "AVAILABLE")
        self.assertEqual(found["imagePipeline"]["consecutiveFailures"], 0)


class Executions(unittest.TestCase):
    """What really ran, workflow by workflow and step by step."""

    @classmethod
    def setUpClass(cls):
        cls.client = setting.client()
        cls.arn = built.image()["arn"]
        cls.workflows = values(cls.client, "list_workflow_executions", "workflowExecutions",
                               imageBuildVersionArn=cls.arn)

    def test_three_workflows_were_completed(self):
        self.assertEqual([one["type"] for one in self.workflows],
                         ["BUILD", "TEST", "DISTRIBUTION"])
        ends = ""
        for one in self.workflows:
            self.assertEqual(one["status"], "COMPLETED")
            self.assertEqual(one["totalStepsSucceeded"], one["totalStepCount"])
            self.assertLessEqual(ends, one["startTime"])
            self.assertLessEqual(one["startTime"], one["endTime"])
            ends = one["endTime"]
            found = self.client.get_workflow_execution(
                workflowExecutionId=one["workflowExecutionId"])
            self.assertEqual({key: found[key] for key in one}, one)
            self.assertEqual(found["imageBuildVersionArn"], self.arn)
            workflow = self.client.get_workflow(
                workflowBuildVersionArn=one["workflowBuildVersionArn"])["workflow"]
            self.assertEqual((workflow["owner"], workflow["type"]), ("Amazon", one["type"]))

    def test_their_steps_are_those_that_ran(self):
        actions = {}
        for workflow in self.workflows:
            of = workflow["workflowExecutionId"]
            steps = values(self.client, "list_workflow_step_executions", "steps",
                           workflowExecutionId=of)
            self.assertEqual(len(steps), workflow["totalStepCount"])
            actions[workflow["type"]] = [step["action"] for step in steps]
            for step in steps:
                self.assertEqual(step["status"], "COMPLETED")
                found = self.client.get_workflow_step_execution(
                    stepExecutionId=step["stepExecutionId"])
                self.assertEqual({key: found[key] for key in step}, step)
                self.assertEqual((found["workflowExecutionId"], found["imageBuildVersionArn"]),
                                 (of, self.arn))
        self.assertEqual(actions, {
            "BUILD": ["PrepareBase", "ExecuteComponents", "CreateImage"],
            "TEST": ["LaunchInstance", "ExecuteComponents", "ExecuteComponents",
                     "TerminateInstance"],
            "DISTRIBUTION": ["DistributeImage"],
        })

    def test_the_command_line_shows_them(self):
        listed = aws.ok(f"list-workflow-executions --image-build-version-arn {self.arn}")
        self.assertEqual(listed["workflowExecutions"], self.workflows)
        of = self.workflows[0]["workflowExecutionId"]
        steps = aws.ok(f"list-workflow-step-executions --workflow-execution-id {of}")["steps"]
        step = aws.ok("get-workflow-step-execution --step-execution-id "
                      + steps[0]["stepExecutionId"])
        self.assertEqual(step["onFailure"], "Abort")

    def test_unknown_executions_are_not_found(self):
        none = "12345678-1234-1234-1234-123456789012"
        refusal(self, "ResourceNotFoundException", self.client.get_workflow_execution,
                workflowExecutionId=f"wf-{none}")
        refusal(self, "ResourceNotFoundException", self.client.list_workflow_step_executions,
                workflowExecutionId=f"wf-{none}")
        refusal(self, "ResourceNotFoundException", self.client.get_workflow_step_execution,
                stepExecutionId=f"step-{none}")
        refusal(self, "ResourceNotFoundException", self.client.list_workflow_executions,
                imageBuildVersionArn=setting.arn("image/none/1.0.0/1"))

    def test_pages_of_others_are_refused(self):
        of = self.workflows[0]["workflowExecutionId"]
        token = self.client.list_workflow_executions(
            imageBuildVersionArn=self.arn, maxResults=1)["nextToken"]
        for call, members in [
            (self.client.list_workflow_step_executions, {"workflowExecutionId": of}),
            (self.client.list_workflow_executions,
             {"imageBuildVersionArn": built.other()["arn"]}),
            (self.client.list_waiting_workflow_steps, {}),
        ]:
            refusal(self, "InvalidPaginationTokenException", call, nextToken=token, **members)

    def test_no_step_waits(self):
        self.assertEqual(self.client.list_waiting_workflow_steps()["steps"], [])


class Program(unittest.TestCase):
    """`goldsmith` beside the server: one catalogue, whoever built an image."""

    def test_it_shows_what_the_api_built(self):
        image, server = built.image(), setting.server()
        name = image["arn"].split("/")[1]
        listed = {entry["image"]: entry for entry in server.command("images")}
        entry = listed[f"{name}/1.0.0/1"]
        self.assertEqual(entry["state"], "AVAILABLE")
        shown = json.dumps(server.command("show", name))
        for ami in image["outputResources"]["amis"]:
            self.assertIn(ami["image"], shown)
        log = server.text("logs", name)
        self.assertRegex(log, r"(?m) boot \| ")

    def test_the_api_shows_what_it_built(self):
        built.image()
        name = fresh("project")
        project = {
            "recipe": {"name": name, "semanticVersion": "2.1.0", "parentImage": built.parent(),
                       "tags": {"from": "file"}},
            "imageTestsConfiguration": built.UNTESTED,
            "distributions": [{"region": "local-1"}],
        }
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "goldsmith.yaml").write_text(json.dumps(project))
            setting.server().command("build", folder)
        arn = setting.arn(f"image/{name}/2.1.0/1")
        image = setting.client().get_image(imageBuildVersionArn=arn)["image"]
        self.assertEqual(image["state"], {"status": "AVAILABLE"})
        self.assertEqual(image["tags"], {"from": "file"})
        self.assertEqual(len(image["outputResources"]["amis"]), 1)
        listed = aws.ok(f"list-images --filters name=name,values={name}")["imageVersionList"]
        self.assertEqual([entry["arn"] for entry in listed], [arn.rpartition("/")[0]])
        setting.server().command("delete", "--yes", f"{name}/2.1.0/1")
        refusal(self, "ResourceNotFoundException", setting.client().get_image,
                imageBuildVersionArn=arn)

    def test_images_grow_out_of_images(self):
        client = setting.client()
        first = built.image()
        text = built.document(build="grep made /etc/mark")
        arn = built.start(client, built.recipe(
            client, built.component(client, text),
            parentImage=first["arn"].replace("1.0.0/1", "1.x.x")))
        image = built.ended(client, arn, "AVAILABLE")
        self.assertEqual(image["osVersion"], "Debian 12")
