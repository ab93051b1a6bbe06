"""Components: made, read, listed, tagged, deleted."""

import json
import unittest
import uuid

from . import aws, setting

DOCUMENT = """name: hello
schemaVersion: 1.0
phases:
  - name: build
    steps:
      - name: greet
        action: ExecuteBash
        inputs:
          commands: [echo hello]
"""


def refusal(test, code, call, **members):
    """Calls what must be refused with `code`; returns the message."""
    with test.assertRaises(Exception) as caught:
        call(**members)
    error = caught.exception.response["Error"]
    test.assertEqual(error["Code"], code, error["Message"])
    return error["Message"]


def fresh(name="component"):
    """Returns a name that no other test has."""
    return f"{name}-{uuid.uuid4().hex[:12]}"


class Components(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.client = setting.client()

    def make(self, **members):
        given = {"name": fresh(), "semanticVersion": "1.0.0", "platform": "Linux",
                 "data": DOCUMENT, **members}
        return self.client.create_component(**given)

    def test_a_component_is_what_was_given(self):
        name = fresh()
        made = self.make(
            name=name, description="Says hello", changeDescription="first",
            supportedOsVersions=["Debian 12"], tags={"team": "a"})
        arn = made["componentBuildVersionArn"]
        self.assertEqual(arn, setting.arn(f"component/{name}/1.0.0/1"))
        self.assertEqual(made["latestVersionReferences"]["latestVersionArn"],
                         setting.arn(f"component/{name}/x.x.x"))
        component = self.client.get_component(componentBuildVersionArn=arn)["component"]
        wanted = {
            "arn": arn, "name": name, "version": "1.0.0", "description": "Says hello",
            "changeDescription": "first", "type": "BUILD", "platform": "Linux",
            "supportedOsVersions": ["Debian 12"], "owner": setting.account(), "data": DOCUMENT,
            "tags": {"team": "a"},
        }
        self.assertEqual({key: component.get(key) for key in wanted}, wanted)

    def test_a_changed_document_is_a_new_build(self):
        name = fresh()
        first = self.make(name=name)["componentBuildVersionArn"]
        message = refusal(self, "ResourceAlreadyExistsException", self.make, name=name)
        self.assertIn(first, message)
        second = self.make(name=name, data=DOCUMENT.replace("hello]", "again]"))
        self.assertTrue(second["componentBuildVersionArn"].endswith("/1.0.0/2"))
        version = first.rpartition("/")[0]
        builds = self.client.list_component_build_versions(componentVersionArn=version)
        self.assertEqual(len(builds["componentSummaryList"]), 2)

    def test_a_token_makes_one_component(self):
        name, token = fresh(), uuid.uuid4().hex
        arns = {self.make(name=name, clientToken=token)["componentBuildVersionArn"]
                for _ in range(3)}
        self.assertEqual(len(arns), 1)
        refusal(self, "IdempotentParameterMismatchException", self.make,
                name=name, clientToken=token, description="another")

    def test_a_dry_run_makes_nothing(self):
        name = fresh()
        refusal(self, "DryRunOperationException", self.make, name=name, dryRun=True)
        filters = [{"name": "name", "values": [name]}]
        listed = self.client.list_components(filters=filters)
        self.assertEqual(listed["componentVersionList"], [])

    def test_bad_documents_and_versions_are_refused(self):
        for code, members in [
            ("InvalidRequestException", {"semanticVersion": "1.0.x"}),
            ("InvalidVersionNumberException", {"semanticVersion": "1.0.1073741824"}),
            ("InvalidParameterCombinationException", {"uri": "s3://bucket/key"}),
            ("InvalidParameterValueException", {"data": "phases: 7"}),
        ]:
            with self.subTest(members=members):
                refusal(self, code, self.make, **members)

    def test_what_is_deleted_is_gone(self):
        arn = self.make()["componentBuildVersionArn"]
        self.client.delete_component(componentBuildVersionArn=arn)
        for call in [self.client.get_component, self.client.delete_component]:
            refusal(self, "ResourceNotFoundException", call, componentBuildVersionArn=arn)

    def test_pages_hold_each_component_once(self):
        prefix = fresh()
        names = {f"{prefix}-{index}" for index in range(7)}
        for name in names:
            self.make(name=name)
        pages = self.client.get_paginator("list_components").paginate(
            owner="Self", PaginationConfig={"PageSize": 2})
        listed = [entry["name"] for page in pages for entry in page["componentVersionList"]]
        self.assertEqual(len(listed), len(set(listed)))
        self.assertLessEqual(names, set(listed))
        refusal(self, "InvalidPaginationTokenException", self.client.list_components,
                nextToken="nonsense")

    def test_versions_are_found_by_patterns_and_names(self):
        name = fresh()
        for version in ["1.0.0", "1.10.0", "2.0.0"]:
            self.make(name=name, semanticVersion=version)
        of = {"name": "name", "values": [name]}

        def listed(*versions, **members):
            filters = [of, {"name": "version", "values": versions}] if versions else [of]
            entries = self.client.list_components(filters=filters, **members)
            return [entry["arn"].rpartition("/")[2] for entry in entries["componentVersionList"]]

        self.assertEqual(listed("1.x.x"), ["1.0.0", "1.10.0"])
        self.assertEqual(listed("1.0.x", "2.0.0"), ["1.0.0", "2.0.0"])
        self.assertEqual(listed("3.x.x"), [])
        self.assertEqual(listed(byName=True), ["x.x.x"])

    def test_amazon_s_components_are_listed_and_read(self):
        listed = self.client.list_components(owner="Amazon")["componentVersionList"]
        names = {entry["name"] for entry in listed}
        self.assertLessEqual({"update-linux", "simple-boot-test-linux"}, names)
        entry = listed[0]
        found = self.client.get_component(componentBuildVersionArn=entry["arn"])["component"]
        self.assertEqual(found["owner"], "Amazon")
        self.assertTrue(found["data"])

    def script(self, **members):
        given = {"name": fresh(), "semanticVersion": "1.0.0", "type": "BUILD", "format": "SHELL",
                 "platform": "Linux", "data": "#!/bin/sh\necho hello\n", **members}
        return self.client.import_component(**given)["componentBuildVersionArn"]

    def test_a_script_is_imported(self):
        arn = self.script()
        component = self.client.get_component(componentBuildVersionArn=arn)["component"]
        self.assertIn("ExecuteBash", component["data"])

    def test_a_script_keeps_the_options_of_its_first_line(self):
        arn = self.script(data="#!/usr/bin/env -S bash -eu\nfalse\n")
        component = self.client.get_component(componentBuildVersionArn=arn)["component"]
        step, = json.loads(component["data"])["phases"][0]["steps"]
        self.assertEqual(step["inputs"]["commands"][0], "set -eu")

    def test_scripts_are_imported_once_and_as_they_can_be(self):
        members = {"name": fresh(), "clientToken": uuid.uuid4().hex}
        self.assertEqual(self.script(**members), self.script(**members))
        refusal(self, "IdempotentParameterMismatchException", self.script,
                **members, description="Another")
        for code, members in [
            ("InvalidVersionNumberException", {"semanticVersion": "1.0.1073741824"}),
            ("InvalidParameterCombinationException", {"uri": "s3://bucket/key"}),
            ("InvalidParameterValueException", {"data": "#!/usr/bin/python3\n"}),
            ("InvalidRequestException", {"platform": "Windows"}),
            ("InvalidRequestException", {"kmsKeyId": "alias/key"}),
        ]:
            with self.subTest(members=members):
                refusal(self, code, self.script, **members)

    def test_managed_components_stay_as_they_are(self):
        arn = setting.arn("component/update-linux/1.0.0/1", owner="aws")
        for call, members in [
            (self.client.delete_component, {"componentBuildVersionArn": arn}),
            (self.client.put_component_policy, {"componentArn": arn, "policy": "{}"}),
            (self.client.tag_resource, {"resourceArn": arn, "tags": {"a": "b"}}),
            (self.client.untag_resource, {"resourceArn": arn, "tagKeys": ["a"]}),
        ]:
            self.assertIn(arn, refusal(self, "ForbiddenException", call, **members))
        refusal(self, "ResourceNotFoundException", self.client.get_component_policy,
                componentArn=arn)

    def test_a_policy_is_kept_as_it_is(self):
        arn = self.make()["componentBuildVersionArn"]
        refusal(self, "ResourceNotFoundException", self.client.get_component_policy,
                componentArn=arn)
        policy = json.dumps({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": "123456789012"},
            "Action": "imagebuilder:GetComponent", "Resource": arn}]})
        self.client.put_component_policy(componentArn=arn, policy=policy)
        kept = self.client.get_component_policy(componentArn=arn)["policy"]
        self.assertEqual(json.loads(kept), json.loads(policy))
        refusal(self, "InvalidParameterValueException", self.client.put_component_policy,
                componentArn=arn, policy="{")
        refusal(self, "ResourceNotFoundException", self.client.put_component_policy,
                componentArn=setting.arn("component/none/1.0.0/1"), policy=policy)


class CommandLine(unittest.TestCase):
    def test_the_life_of_a_component(self):
        name = fresh()
        made = aws.ok(f"create-component --name {name} --semantic-version 1.0.0 "
                      f"--platform Linux --data '{DOCUMENT}' --tags team=a")
        arn = made["componentBuildVersionArn"]
        found = aws.ok(f"get-component --component-build-version-arn {arn}")
        self.assertEqual(found["component"]["tags"], {"team": "a"})
        listed = aws.ok("list-components --owner Self --max-items 1 --page-size 1")
        self.assertEqual(len(listed["componentVersionList"]), 1)
        aws.ok(f"delete-component --component-build-version-arn {arn}")
        said = aws.fails(f"get-component --component-build-version-arn {arn}")
        self.assertIn("ResourceNotFoundException", said)
