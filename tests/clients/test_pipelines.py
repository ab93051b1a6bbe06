"""Pipelines: made, read, changed whole, started, deleted."""

import unittest
import uuid

from . import built, setting
from .test_components import fresh, refusal


class Pipelines(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.client = setting.client()
        cls.recipe = built.recipe(cls.client)
        cls.machine = built.infrastructure(cls.client)

    def make(self, **members):
        given = {"name": fresh("pipeline"), "imageRecipeArn": self.recipe,
                 "infrastructureConfigurationArn": self.machine, **members}
        return self.client.create_image_pipeline(**given)["imagePipelineArn"]

    def get(self, arn):
        return self.client.get_image_pipeline(imagePipelineArn=arn)["imagePipeline"]

    def test_a_pipeline_is_what_was_given(self):
        name = fresh("Nightly")
        places = built.distribution(self.client, "local-1")
        schedule = {"scheduleExpression": "cron(0 3 * * ? *)", "timezone": "Europe/Berlin",
                    "pipelineExecutionStartCondition": "EXPRESSION_MATCH_ONLY"}
        tests = {"imageTestsEnabled": True, "timeoutMinutes": 60}
        given = {"description": "Every night", "distributionConfigurationArn": places,
                 "schedule": schedule, "status": "ENABLED",
                 "imageTestsConfiguration": tests, "enhancedImageMetadataEnabled": False,
                 "imageTags": {"made": "nightly"}, "tags": {"team": "a"}}
        arn = self.make(name=name, **given)
        self.assertEqual(arn, setting.arn(f"image-pipeline/{name.lower()}"))
        pipeline = self.get(arn)
        wanted = {"arn": arn, "name": name, "platform": "Linux", "imageRecipeArn": self.recipe,
                  "infrastructureConfigurationArn": self.machine, "consecutiveFailures": 0,
                  **given}
        self.assertEqual({key: pipeline.get(key) for key in wanted}, wanted)
        self.assertRegex(pipeline["dateNextRun"], r"T0[12]:00:00")
        self.assertNotIn("lastRunStatus", pipeline)

    def test_a_token_makes_one_pipeline(self):
        name, token = fresh("pipeline"), uuid.uuid4().hex
        arns = {self.make(name=name, clientToken=token) for _ in range(3)}
        self.assertEqual(len(arns), 1)
        refusal(self, "IdempotentParameterMismatchException", self.make,
                name=name, clientToken=token, description="another")
        refusal(self, "ResourceAlreadyExistsException", self.make, name=name.upper())

    def test_a_dry_run_makes_nothing(self):
        name = fresh("pipeline")
        refusal(self, "DryRunOperationException", self.make, name=name, dryRun=True)
        refusal(self, "ResourceNotFoundException", self.client.get_image_pipeline,
                imagePipelineArn=setting.arn(f"image-pipeline/{name}"))
        refusal(self, "InvalidParameterValueException", self.make, name=name, dryRun=True,
                schedule={"scheduleExpression": "cron(never)"})

    def test_an_update_replaces_all_of_it(self):
        arn = self.make(description="first", status="DISABLED",
                        schedule={"scheduleExpression": "rate(1 day)"})
        token = uuid.uuid4().hex
        members = {"imagePipelineArn": arn, "imageRecipeArn": self.recipe, "clientToken": token,
                   "infrastructureConfigurationArn": self.machine}
        for _ in range(2):
            answer = self.client.update_image_pipeline(**members)
            self.assertEqual(answer["imagePipelineArn"], arn)
        pipeline = self.get(arn)
        self.assertEqual(pipeline["status"], "ENABLED")
        self.assertNotIn("description", pipeline)
        self.assertNotIn("schedule", pipeline)
        self.assertLess(pipeline["dateCreated"], pipeline["dateUpdated"])
        refusal(self, "IdempotentParameterMismatchException", self.client.update_image_pipeline,
                **{**members, "description": "another"})
        none = setting.arn("image-pipeline/none")
        refusal(self, "ResourceNotFoundException", self.client.update_image_pipeline,
                **{**members, "imagePipelineArn": none, "clientToken": uuid.uuid4().hex})

    def test_bad_pipelines_are_refused(self):
        workflow = [{"workflowArn": setting.arn("workflow/build/build-image/x.x.x", owner="aws")}]
        for code, members in [
            ("ResourceNotFoundException",
             {"imageRecipeArn": setting.arn("image-recipe/none/1.0.0")}),
            ("InvalidParameterCombinationException",
             {"containerRecipeArn": setting.arn("container-recipe/none/1.0.0")}),
            ("InvalidParameterValueException",
             {"schedule": {"scheduleExpression": "cron(never)"}}),
            ("InvalidRequestException", {"workflows": workflow}),
            ("InvalidRequestException",
             {"imageScanningConfiguration": {"imageScanningEnabled": True}}),
        ]:
            with self.subTest(members=members):
                refusal(self, code, self.make, **members)

    def test_pages_and_filters(self):
        prefix = fresh("paged")
        arns = [self.make(name=f"{prefix}-{index}", description=prefix) for index in range(3)]
        pages = self.client.get_paginator("list_image_pipelines").paginate(
            PaginationConfig={"PageSize": 2})
        listed = [entry["arn"] for page in pages for entry in page["imagePipelineList"]]
        self.assertEqual(len(listed), len(set(listed)))
        self.assertLessEqual(set(arns), set(listed))
        none = setting.arn("distribution-configuration/none")
        for name, value, count in [
            ("description", prefix, 3), ("name", f"{prefix}-1", 1),
            ("imageRecipeArn", self.recipe, 3), ("status", "ENABLED", 3),
            ("infrastructureConfigurationArn", self.machine, 3), ("status", "DISABLED", 0),
            ("distributionConfigurationArn", none, 0),
        ]:
            with self.subTest(name=name):
                found = self.client.list_image_pipelines(filters=[
                    {"name": name, "values": [value]},
                    {"name": "description", "values": [prefix]}])
                self.assertEqual(len(found["imagePipelineList"]), count)
        refusal(self, "InvalidPaginationTokenException", self.client.list_image_pipelines,
                nextToken="nonsense")
        refusal(self, "InvalidParameterValueException", self.client.list_image_pipelines,
                filters=[{"name": "colour", "values": ["red"]}])

    def test_what_it_needs_stays(self):
        recipe, machine = built.recipe(self.client), built.infrastructure(self.client)
        places = built.distribution(self.client, "local-1")
        arn = self.make(imageRecipeArn=recipe, infrastructureConfigurationArn=machine,
                        distributionConfigurationArn=places)
        deletions = [
            (self.client.delete_image_recipe, "imageRecipeArn", recipe),
            (self.client.delete_infrastructure_configuration,
             "infrastructureConfigurationArn", machine),
            (self.client.delete_distribution_configuration,
             "distributionConfigurationArn", places),
        ]
        for call, member, value in deletions:
            message = refusal(self, "ResourceDependencyException", call, **{member: value})
            self.assertIn(arn, message)
        self.client.delete_image_pipeline(imagePipelineArn=arn)
        for call in [self.client.get_image_pipeline, self.client.delete_image_pipeline,
                     self.client.list_image_pipeline_images]:
            refusal(self, "ResourceNotFoundException", call, imagePipelineArn=arn)
        for call, member, value in deletions:
            call(**{member: value})

    def test_a_start_makes_one_image_for_each_token(self):
        built.image()
        arn = self.make(status="DISABLED", imageTestsConfiguration=built.UNTESTED,
                        imageTags={"a": "1", "b": "1"})
        token = uuid.uuid4().hex
        start = lambda **members: self.client.start_image_pipeline_execution(
            imagePipelineArn=arn, **members)["imageBuildVersionArn"]
        first = start(clientToken=token, tags={"b": "2"})
        self.assertEqual(start(clientToken=token, tags={"b": "2"}), first)
        refusal(self, "IdempotentParameterMismatchException", start, clientToken=token)
        second = start()
        for image, tags in [(first, {"a": "1", "b": "2"}), (second, {"a": "1", "b": "1"})]:
            self.assertEqual(built.ended(self.client, image, "AVAILABLE")["tags"], tags)
        listed = self.client.list_image_pipeline_images(imagePipelineArn=arn, maxResults=1)
        self.assertEqual([entry["arn"] for entry in listed["imageSummaryList"]], [second])
        listed = self.client.list_image_pipeline_images(
            imagePipelineArn=arn, nextToken=listed["nextToken"], maxResults=1)
        self.assertEqual([entry["arn"] for entry in listed["imageSummaryList"]], [first])
        refusal(self, "ResourceNotFoundException",
                self.client.start_image_pipeline_execution,
                imagePipelineArn=setting.arn("image-pipeline/none"))

    def test_it_tells_how_its_last_image_ended(self):
        built.image()
        bad = built.component(self.client, built.document(build="exit 1"))
        arn = self.make(imageRecipeArn=built.recipe(self.client, bad))
        started = self.client.start_image_pipeline_execution(imagePipelineArn=arn)
        built.ended(self.client, started["imageBuildVersionArn"], "FAILED")
        self.assertEqual(self.get(arn)["lastRunStatus"], "FAILED")
        # Only runs of the schedule are counted.
        self.assertEqual(self.get(arn)["consecutiveFailures"], 0)
        listed = self.client.list_image_pipelines(
            filters=[{"name": "name", "values": [self.get(arn)["name"]]}])
        self.assertEqual(listed["imagePipelineList"][0]["lastRunStatus"], "FAILED")
