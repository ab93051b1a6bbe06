"""Workflows: documents of one's own, and those that images are built by."""

import unittest
import uuid

from . import aws, built, setting
from .test_components import fresh, refusal

DOCUMENT = """name: build
schemaVersion: 1.0
steps:
  - name: Launch
    action: LaunchInstance
    inputs:
      waitFor: ssmAgent
outputs: []
"""


class Workflows(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.client = setting.client()

    def make(self, **members):
        given = {"name": fresh("workflow"), "semanticVersion": "1.0.0", "type": "BUILD",
                 "data": DOCUMENT, **members}
        return self.client.create_workflow(**given)

    def test_a_workflow_is_what_was_given(self):
        name = fresh("workflow")
        made = self.make(name=name, description="Launches", changeDescription="first",
                         tags={"team": "a"})
        arn = made["workflowBuildVersionArn"]
        self.assertEqual(arn, setting.arn(f"workflow/build/{name}/1.0.0/1"))
        self.assertEqual(made["latestVersionReferences"]["latestVersionArn"],
                         setting.arn(f"workflow/build/{name}/x.x.x"))
        workflow = self.client.get_workflow(workflowBuildVersionArn=arn)["workflow"]
        wanted = {
            "arn": arn, "name": name, "version": "1.0.0", "description": "Launches",
            "changeDescription": "first", "type": "BUILD", "owner": setting.account(),
            "data": DOCUMENT, "tags": {"team": "a"},
        }
        self.assertEqual({key: workflow.get(key) for key in wanted}, wanted)
        self.assertEqual(self.client.list_tags_for_resource(resourceArn=arn)["tags"],
                         {"team": "a"})

    def test_a_changed_document_is_a_new_build(self):
        name = fresh("workflow")
        first = self.make(name=name)["workflowBuildVersionArn"]
        second = self.make(name=name, data=DOCUMENT.replace("Launch\n", "Begin\n"))
        self.assertTrue(second["workflowBuildVersionArn"].endswith("/1.0.0/2"))
        version = first.rpartition("/")[0]
        builds = self.client.list_workflow_build_versions(workflowVersionArn=version)
        self.assertEqual(len(builds["workflowSummaryList"]), 2)
        wild = self.client.list_workflow_build_versions(
            workflowVersionArn=version.replace("1.0.0", "1.x.x"), maxResults=1)
        self.assertEqual(len(wild["workflowSummaryList"]), 1)
        self.assertIn("nextToken", wild)
        refusal(self, "InvalidPaginationTokenException",
                self.client.list_workflow_build_versions, nextToken="nonsense")
        newest = self.client.get_workflow(
            workflowBuildVersionArn=version.replace("1.0.0", "x.x.x"))["workflow"]
        self.assertEqual(newest["arn"], second["workflowBuildVersionArn"])

    def test_a_token_makes_one_workflow(self):
        name, token = fresh("workflow"), uuid.uuid4().hex
        arns = {self.make(name=name, clientToken=token)["workflowBuildVersionArn"]
                for _ in range(3)}
        self.assertEqual(len(arns), 1)
        refusal(self, "IdempotentParameterMismatchException", self.make,
                name=name, clientToken=token, description="another")

    def test_a_dry_run_makes_nothing(self):
        name = fresh("workflow")
        refusal(self, "DryRunOperationException", self.make, name=name, dryRun=True)
        listed = self.client.list_workflows(filters=[{"name": "name", "values": [name]}])
        self.assertEqual(listed["workflowVersionList"], [])

    def test_bad_documents_and_versions_are_refused(self):
        for code, members in [
            ("InvalidVersionNumberException", {"semanticVersion": "1.0.9999999999"}),
            ("InvalidParameterCombinationException", {"uri": "s3://bucket/key"}),
            ("InvalidParameterValueException", {"data": "steps: 7"}),
            ("InvalidParameterValueException",
             {"data": DOCUMENT.replace("LaunchInstance", "MakeCoffee")}),
        ]:
            with self.subTest(members=members):
                refusal(self, code, self.make, **members)

    def test_pages_and_filters(self):
        prefix = fresh("paged")
        names = {f"{prefix}-{index}" for index in range(3)}
        for name in names:
            self.make(name=name)
        pages = self.client.get_paginator("list_workflows").paginate(
            owner="Self", PaginationConfig={"PageSize": 2})
        listed = [entry["arn"] for page in pages for entry in page["workflowVersionList"]]
        self.assertEqual(len(listed), len(set(listed)))
        self.assertLessEqual(names, {arn.split("/")[2] for arn in listed})
        found = self.client.list_workflows(byName=True, filters=[
            {"name": "name", "values": sorted(names)}, {"name": "type", "values": ["BUILD"]}])
        self.assertEqual({entry["name"] for entry in found["workflowVersionList"]}, names)
        none = self.client.list_workflows(filters=[
            {"name": "name", "values": sorted(names)}, {"name": "type", "values": ["TEST"]}])
        self.assertEqual(none["workflowVersionList"], [])
        refusal(self, "InvalidPaginationTokenException", self.client.list_workflows,
                nextToken="nonsense")
        refusal(self, "InvalidParameterValueException", self.client.list_workflows,
                filters=[{"name": "colour", "values": ["red"]}])

    def test_what_a_pipeline_needs_stays(self):
        arn = self.make()["workflowBuildVersionArn"]
        made = self.client.create_image_pipeline(
            name=fresh("pipeline"), imageRecipeArn=built.recipe(self.client),
            infrastructureConfigurationArn=built.infrastructure(self.client),
            workflows=[{"workflowArn": arn}], executionRole="builder")
        pipeline = made["imagePipelineArn"]
        message = refusal(self, "ResourceDependencyException", self.client.delete_workflow,
                          workflowBuildVersionArn=arn)
        self.assertIn(pipeline, message)
        self.client.delete_image_pipeline(imagePipelineArn=pipeline)
        self.client.delete_workflow(workflowBuildVersionArn=arn)
        for call in [self.client.get_workflow, self.client.delete_workflow]:
            refusal(self, "ResourceNotFoundException", call, workflowBuildVersionArn=arn)

    def test_amazon_s_workflows_are_listed_and_read(self):
        listed = self.client.list_workflows(owner="Amazon")["workflowVersionList"]
        self.assertLessEqual({"build-image", "test-image", "distribute-image"},
                             {entry["name"] for entry in listed})
        for entry in listed:
            found = self.client.get_workflow(workflowBuildVersionArn=entry["arn"])
            self.assertEqual(found["workflow"]["owner"], "Amazon")
            self.assertTrue(found["workflow"]["data"])
            self.assertEqual(list(found["latestVersionReferences"]), ["latestVersionArn"])
            builds = self.client.list_workflow_build_versions(workflowVersionArn=entry["arn"])
            arn = builds["workflowSummaryList"][0]["arn"]
            refusal(self, "ForbiddenException", self.client.delete_workflow,
                    workflowBuildVersionArn=arn)


class CommandLine(unittest.TestCase):
    def test_the_life_of_a_workflow(self):
        name = fresh("workflow")
        arn = aws.ok(f"create-workflow --name {name} --semantic-version 1.0.0 --type BUILD "
                     f"--data '{DOCUMENT}'")["workflowBuildVersionArn"]
        found = aws.ok(f"get-workflow --workflow-build-version-arn {arn}")
        self.assertEqual(found["workflow"]["data"], DOCUMENT)
        listed = aws.ok("list-workflows --owner Self --max-items 1 --page-size 1")
        self.assertEqual(len(listed["workflowVersionList"]), 1)
        aws.ok(f"delete-workflow --workflow-build-version-arn {arn}")
        said = aws.fails(f"get-workflow --workflow-build-version-arn {arn}")
        self.assertIn("ResourceNotFoundException", said)
