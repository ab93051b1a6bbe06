"""Image and container recipes: what images are made of."""

import unittest

from . import setting
from .life import Versioned
from .test_components import DOCUMENT, fresh, refusal

PARAMETERS = """parameters:
  - port:
      type: string
      default: "80"
"""
PARENT = f"arn:aws:imagebuilder:{setting.REGION}:aws:image/debian-server-12-x86/x.x.x"
UPDATE = f"arn:aws:imagebuilder:{setting.REGION}:aws:component/update-linux/x.x.x"
NO_AMI = "ami-00000000000000000"

# Every member of a volume, and every form of a mapping.
VOLUMES = [
    {"deviceName": "/dev/sda1", "ebs": {
        "encrypted": True, "deleteOnTermination": False, "iops": 3000, "kmsKeyId": "alias/disks",
        "snapshotId": "snap-00000000000000001", "volumeSize": 20, "volumeType": "gp3",
        "throughput": 250}},
    {"deviceName": "/dev/sdb", "virtualName": "ephemeral0"},
    {"deviceName": "/dev/sdc", "noDevice": ""},
]


def volume(**ebs):
    return [{"deviceName": "/dev/sda1", "ebs": ebs}]


def component():
    """Returns the build of a new component, which has the parameter `port`."""
    made = setting.client().create_component(
        name=fresh(), semanticVersion="1.0.0", platform="Linux", data=PARAMETERS + DOCUMENT)
    return made["componentBuildVersionArn"]


def with_port(arn, *values):
    return {"componentArn": arn, "parameters": [{"name": "port", "value": list(values)}]}


NO_COMPONENT = f"{UPDATE.rpartition('/')[0]}/9.x.x"

# What is refused of both: code, members, words.
OF_BOTH = [
    ("ResourceNotFoundException", {"components": [{"componentArn": NO_COMPONENT}]}, NO_COMPONENT),
    ("InvalidParameterValueException", {"components": [{"componentArn": UPDATE}] * 2}, "twice"),
    ("InvalidParameterValueException", {"components": [with_port(UPDATE, "1")]}, "'port'"),
    ("ServiceQuotaExceededException", {"components": [{"componentArn": UPDATE}] * 21}, "20"),
    ("InvalidRequestException", {"components": [{"componentArn": "web"}]}, "componentArn"),
    ("InvalidParameterValueException", {"workingDirectory": "tmp"}, "workingDirectory"),
    ("InvalidParameterValueException", {"workingDirectory": "/a/../b"}, "workingDirectory"),
    ("InvalidRequestException", {"name": "a"}, "name"),
    ("InvalidRequestException", {"semanticVersion": "1.0"}, "semanticVersion"),
    ("InvalidRequestException", {"clientToken": "1" * 65}, "clientToken"),
    ("InvalidRequestException", {"tags": {"aws:a": "b"}}, "tags"),
]


class ImageRecipes(Versioned, unittest.TestCase):
    one, many, segment = "ImageRecipe", "ImageRecipes", "image-recipe"
    refused = {"amiWatermarks"}
    filters = [("name", None, None), ("parentImage", PARENT, NO_AMI),
               ("platform", "Linux", "Windows")]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.component = component()

    def sample(self):
        return {
            "description": "A web server", "semanticVersion": "1.0.0", "parentImage": PARENT,
            "components": [{"componentArn": UPDATE}, with_port(self.component, "8080")],
            "blockDeviceMappings": VOLUMES,
            "tags": {"team": "web", "cost centre": "7"},
            "workingDirectory": "/var/tmp",
            "additionalInstanceConfiguration": {
                "systemsManagerAgent": {"uninstallAfterBuild": True},
                "userDataOverride": "ZWNobyBoZWxsbwo="},
            "amiTags": {"built": "{{ imagebuilder:buildDate }}"},
        }

    @property
    def refusals(self):
        return [
            *OF_BOTH,
            ("InvalidParameterValueException", {"parentImage": NO_AMI}, NO_AMI),
            ("InvalidParameterValueException", {"parentImage": "debian-server-99"}, "managed"),
            ("InvalidRequestException", {"parentImage": "ssm:/base"}, "parameter store"),
            ("ResourceNotFoundException", {"parentImage": PARENT.replace("12", "99")}, "99"),
            ("InvalidParameterValueException", {"amiTags": {"a": "{{ none }}"}}, "none"),
            ("InvalidRequestException", {"amiWatermarks": ["mark"]}, "amiWatermarks"),
            ("InvalidParameterCombinationException",
             {"blockDeviceMappings": volume(volumeType="io2")}, "iops"),
            ("InvalidParameterValueException",
             {"blockDeviceMappings": volume(volumeType="st1", volumeSize=8)}, "125"),
            ("InvalidParameterValueException",
             {"components": [with_port(self.component, "1", "2")]}, "exactly one value"),
        ]

    def test_components_may_be_left_out(self):
        made = self.client.create_image_recipe(
            name=fresh(), semanticVersion="1.0.0", parentImage=PARENT)
        found = self.get(made["imageRecipeArn"])
        self.assertEqual((found["type"], found["platform"]), ("AMI", "Linux"))
        self.assertEqual(found["owner"], setting.account())
        self.assertNotIn("components", found)

    def test_managed_images_have_names_as_well(self):
        arn = self.make(parentImage="debian-server-12")
        self.assertEqual(self.get(arn)["parentImage"], "debian-server-12")

    def test_components_are_for_the_parent_s_system(self):
        made = self.client.create_component(
            name=fresh(), semanticVersion="1.0.0", platform="Linux", data=DOCUMENT,
            supportedOsVersions=["Debian 13"])
        named = [{"componentArn": made["componentBuildVersionArn"]}]
        for parent in [PARENT, "debian-server-12"]:
            message = refusal(self, "InvalidParameterValueException", self.make,
                              components=named, parentImage=parent)
            self.assertIn("Debian 12", message)
        self.make(components=named, parentImage="debian-server-13")


class ContainerRecipes(Versioned, unittest.TestCase):
    one, many, segment = "ContainerRecipe", "ContainerRecipes", "container-recipe"
    refused = {"dockerfileTemplateUri", "kmsKeyId"}
    unshown = {"platformOverride", "imageOsVersionOverride"}
    filters = [("name", None, None), ("containerType", "DOCKER", "OTHER"),
               ("parentImage", "debian:12", "debian:13"), ("platform", "Linux", "Windows")]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.component = component()

    def sample(self):
        return {
            "containerType": "DOCKER", "description": "A web server", "semanticVersion": "1.0.0",
            "components": [{"componentArn": UPDATE}, with_port(self.component, "8080")],
            "instanceConfiguration": {"image": PARENT, "blockDeviceMappings": VOLUMES},
            "dockerfileTemplateData": "FROM {{{ imagebuilder:parentImage }}}\nRUN true\n",
            "platformOverride": "Linux", "imageOsVersionOverride": "Debian 12",
            "parentImage": "debian:12", "tags": {"team": "web"}, "workingDirectory": "/var/tmp",
            "targetRepository": {"service": "ECR", "repositoryName": "team/web"},
        }

    @property
    def refusals(self):
        return [
            *OF_BOTH,
            ("InvalidParameterValueException", {"parentImage": "a b"}, "parentImage"),
            ("InvalidParameterValueException", {"parentImage": PARENT}, "DOCKER"),
            ("InvalidRequestException", {"platformOverride": "Windows"}, "Windows"),
            ("InvalidRequestException", {"kmsKeyId": "alias/key"}, "kmsKeyId"),
            ("InvalidParameterCombinationException",
             {"dockerfileTemplateUri": "s3://bucket/key"}, "dockerfileTemplateUri"),
            ("InvalidParameterValueException",
             {"dockerfileTemplateData": "FROM {{{ none }}}"}, "none"),
            ("InvalidParameterValueException",
             {"targetRepository": {"service": "ECR", "repositoryName": "Web"}}, "lower-case"),
            ("InvalidRequestException", {"containerType": "OCI"}, "containerType"),
            ("InvalidParameterValueException", {"instanceConfiguration": {"image": NO_AMI}}, NO_AMI),
            ("InvalidParameterCombinationException",
             {"instanceConfiguration": {"blockDeviceMappings": volume(iops=100)}}, "iops"),
        ]

    def test_the_template_has_a_default(self):
        given = {name: value for name, value in self.sample().items()
                 if name != "dockerfileTemplateData"}
        made = self.client.create_container_recipe(name=fresh(), **given)
        found = self.get(made["containerRecipeArn"])
        for variable in ["parentImage", "environments", "components"]:
            self.assertIn(f"{{{{{{ imagebuilder:{variable} }}}}}}", found["dockerfileTemplateData"])
        self.assertFalse(found["encrypted"])
        refusal(self, "InvalidRequestException", self.client.create_container_recipe,
                name=fresh(), **given, dockerfileTemplateUri="s3://bucket/key")
