"""Tags, on a component as on anything else."""

import unittest

from . import aws, setting
from .test_components import DOCUMENT, fresh, refusal


class Tags(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.client = setting.client()
        made = cls.client.create_component(
            name=fresh("tags"), semanticVersion="1.0.0", platform="Linux", data=DOCUMENT)
        cls.arn = made["componentBuildVersionArn"]

    def tags(self):
        return self.client.list_tags_for_resource(resourceArn=self.arn).get("tags", {})

    def test_tags_are_added_replaced_and_taken_away(self):
        odd = {"a": "1", "key with spaces": "ü/+:=@", "empty": ""}
        self.client.tag_resource(resourceArn=self.arn, tags=odd)
        self.assertEqual(self.tags(), odd)
        self.client.tag_resource(resourceArn=self.arn, tags={"a": "2"})
        self.assertEqual(self.tags(), {**odd, "a": "2"})
        self.client.untag_resource(resourceArn=self.arn, tagKeys=["a", "key with spaces", "none"])
        self.assertEqual(self.tags(), {"empty": ""})
        aws.ok(f"untag-resource --resource-arn {self.arn} --tag-keys empty")
        self.assertEqual(self.tags(), {})

    def test_refusals(self):
        none = setting.arn("component/none/1.0.0/1")
        for call, members in [
            (self.client.list_tags_for_resource, {}),
            (self.client.tag_resource, {"tags": {"a": "b"}}),
            (self.client.untag_resource, {"tagKeys": ["a"]}),
        ]:
            refusal(self, "ResourceNotFoundException", call, resourceArn=none, **members)
        refusal(self, "InvalidParameterException", self.client.tag_resource,
                resourceArn=self.arn, tags={"aws:reserved": "b"})
