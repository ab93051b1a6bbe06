"""Infrastructure and distribution configurations, and lifecycle policies."""

import unittest

from . import setting
from .life import Replaced
from .test_components import fresh, refusal

TEMPLATE = "lt-0123456789abcdef0"


class Infrastructure(Replaced, unittest.TestCase):
    one, many = "InfrastructureConfiguration", "InfrastructureConfigurations"
    segment = "infrastructure-configuration"
    refused = {"parentInstance", "placement.hostResourceGroupArn"}
    newer = {"terminateInstanceOnCompletion"}
    filters = [("name", None, None)]
    defaults = {"terminateInstanceOnFailure": True}
    refusals = [
        ("InvalidParameterValueException", {"instanceTypes": ["z9.large"]}, "z9.large"),
        ("InvalidParameterCombinationException",
         {"placement": {"hostId": "h-1", "hostResourceGroupArn": "arn:x"}}, "exclude"),
        ("InvalidParameterCombinationException",
         {"placement": {"hostId": "h-1", "tenancy": "default"}}, "tenancy"),
        ("InvalidParameterCombinationException",
         {"logging": {"s3Logs": {"s3KeyPrefix": "a"}}}, "s3BucketName"),
        ("InvalidParameterValueException", {"resourceTags": {"a": "{{ none }}"}}, "none"),
        ("InvalidRequestException", {"instanceMetadataOptions": {"httpTokens": "on"}}, "httpTokens"),
        ("InvalidRequestException",
         {"instanceMetadataOptions": {"httpPutResponseHopLimit": 65}}, "64"),
        ("InvalidRequestException", {"snsTopicArn": "arn:aws:s3:::bucket"}, "snsTopicArn"),
        ("InvalidRequestException",
         {"parentInstance": {"autoScalingGroup": {"name": "web"}}}, "parentInstance"),
        ("InvalidRequestException", {"terminateInstanceOnCompletion": False}, "kept"),
    ]

    def sample(self):
        return {
            "description": "Small machines", "instanceTypes": ["t3.medium", "m5.large"],
            "instanceProfileName": "builder", "securityGroupIds": ["sg-1", "sg-2"],
            "subnetId": "subnet-1",
            "logging": {"s3Logs": {"s3BucketName": "logs", "s3KeyPrefix": "images"}},
            "keyPair": "admin", "terminateInstanceOnFailure": False,
            "terminateInstanceOnCompletion": True,
            "snsTopicArn": f"arn:aws:sns:{setting.REGION}:123456789012:images",
            "resourceTags": {"built": "{{ imagebuilder:buildDate }}"},
            "instanceMetadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 2},
            "tags": {"team": "web"},
            "placement": {"availabilityZone": "a", "tenancy": "host", "hostId": "h-1"},
        }

    def test_lists_say_what_instances_are_like(self):
        arn = self.make()
        filters = [{"name": "name", "values": [self.get(arn)["name"]]}]
        [entry] = self.call("List", filters=filters)[self.list]
        for member in ["instanceTypes", "instanceProfileName", "placement", "resourceTags", "tags"]:
            self.assertEqual(entry[member], self.sample()[member])

    def test_a_group_of_hosts_is_a_place(self):
        placement = {"tenancy": "host", "hostResourceGroupArn": "arn:aws:resource-groups:a:b:c"}
        self.assertEqual(self.get(self.make(placement=placement))["placement"], placement)


def region(**members):
    return {"distributions": [{"region": setting.REGION, **members}]}


class Distribution(Replaced, unittest.TestCase):
    one, many = "DistributionConfiguration", "DistributionConfigurations"
    segment = "distribution-configuration"
    filters = [("name", None, None)]
    defaults = {}
    refusals = [
        ("InvalidParameterValueException", {"distributions": []}, "at least one region"),
        ("InvalidParameterValueException",
         {"distributions": [{"region": "eu-west-1"}] * 2}, "twice"),
        ("InvalidParameterValueException", {"distributions": [{"region": "Mars"}]}, "Mars"),
        ("InvalidParameterValueException",
         region(amiDistributionConfiguration={"name": "web {{ none }}"}), "none"),
        ("InvalidParameterValueException",
         region(amiDistributionConfiguration={"launchPermission": {"userGroups": ["some"]}}), "all"),
        ("InvalidParameterCombinationException",
         region(fastLaunchConfigurations=[{"enabled": True, "launchTemplate": {
             "launchTemplateId": TEMPLATE, "launchTemplateName": "web"}}]), "exclude"),
        ("InvalidParameterCombinationException",
         region(fastLaunchConfigurations=[{"enabled": True, "launchTemplate": {}}]), "Either"),
        ("InvalidParameterValueException",
         region(ssmParameterConfigurations=[
             {"parameterName": "/a", "amiAccountId": "888888888888"}]), "target accounts"),
        ("InvalidParameterValueException",
         region(containerDistributionConfiguration={
             "targetRepository": {"service": "ECR", "repositoryName": "Web"}}), "lower-case"),
        ("InvalidRequestException",
         region(launchTemplateConfigurations=[{"launchTemplateId": "web"}]), "launchTemplateId"),
        ("InvalidRequestException",
         region(amiDistributionConfiguration={"targetAccountIds": ["1"]}), "targetAccountIds"),
    ]

    def sample(self):
        unit = "arn:aws:organizations::123456789012:ou/o-0123456789/ou-0123-01234567"
        repository = {"service": "ECR", "repositoryName": "team/web"}
        licence = "arn:aws:license-manager:eu-west-1:123456789012:license-configuration:lic-"
        fast = {"enabled": True, "snapshotConfiguration": {"targetResourceCount": 5},
                "maxParallelLaunches": 6, "accountId": "123456789012"}
        return {
            "description": "Everywhere", "tags": {"team": "web"},
            "distributions": [{
                "region": setting.REGION,
                "amiDistributionConfiguration": {
                    "name": "web {{ imagebuilder:buildDate }}", "description": "A web server",
                    "targetAccountIds": ["999999999999"],
                    "amiTags": {"build": "{{ imagebuilder:buildVersion }}"},
                    "kmsKeyId": "alias/images",
                    "launchPermission": {
                        "userIds": ["888888888888"], "userGroups": ["all"],
                        "organizationArns": [
                            "arn:aws:organizations::123456789012:organization/o-0123456789"],
                        "organizationalUnitArns": [unit]}},
                "containerDistributionConfiguration": {
                    "description": "A web server", "containerTags": ["latest"],
                    "targetRepository": repository},
                "licenseConfigurationArns": [licence + "0123456789abcdef" * 2],
                "launchTemplateConfigurations": [
                    {"launchTemplateId": TEMPLATE, "accountId": "999999999999",
                     "setDefaultVersion": True}],
                "s3ExportConfiguration": {
                    "roleName": "vmimport", "diskImageFormat": "RAW", "s3Bucket": "images",
                    "s3Prefix": "web/"},
                "fastLaunchConfigurations": [
                    {**fast, "launchTemplate": {
                        "launchTemplateId": TEMPLATE, "launchTemplateVersion": "1"}},
                    {**fast, "launchTemplate": {
                        "launchTemplateName": "web", "launchTemplateVersion": "1"}}],
                "ssmParameterConfigurations": [
                    {"amiAccountId": "999999999999", "parameterName": "/imagebuilder/web",
                     "dataType": "aws:ec2:image"}],
            }, {"region": "eu-west-1"}],
        }

    def test_lists_say_where_images_go(self):
        arn = self.make()
        filters = [{"name": "name", "values": [self.get(arn)["name"]]}]
        [entry] = self.call("List", filters=filters)[self.list]
        self.assertEqual(entry["regions"], [setting.REGION, "eu-west-1"])
        self.assertEqual(entry["tags"], self.sample()["tags"])
        self.assertEqual(self.get(arn)["timeoutMinutes"], 720)


def rule(action, filtered, **more):
    return {"action": {"type": action, **more}, "filter": filtered}


AGE = {"type": "AGE", "value": 6, "unit": "MONTHS"}
COUNT = {"type": "COUNT", "value": 10}


class LifecyclePolicies(Replaced, unittest.TestCase):
    one, many, segment = "LifecyclePolicy", "LifecyclePolicies", "lifecycle-policy"
    refused = {"resourceSelection.tagMap", "policyDetails.action.includeResources.containers"}
    filters = [("Name", None, None), ("Status", "DISABLED", "ENABLED")]
    defaults = {"status": "ENABLED"}
    refusals = [
        ("InvalidParameterValueException", {"policyDetails": [rule("DISABLE", AGE)] * 2}, "twice"),
        ("InvalidParameterCombinationException",
         {"policyDetails": [rule("DISABLE", {"type": "AGE", "value": 1})]}, "unit"),
        ("InvalidParameterCombinationException",
         {"policyDetails": [rule("DISABLE", {**COUNT, "unit": "DAYS"})]}, "unit"),
        ("InvalidParameterCombinationException",
         {"policyDetails": [rule("DELETE", {**COUNT, "retainAtLeast": 1})]}, "retainAtLeast"),
        ("InvalidParameterCombinationException",
         {"policyDetails": [rule("DELETE", AGE, includeResources={"snapshots": True})]}, "amis"),
        ("InvalidParameterCombinationException",
         {"policyDetails": [rule("DELETE", AGE, includeResources={"containers": True})]},
         "containers"),
        ("InvalidParameterValueException",
         {"policyDetails": [rule("DEPRECATE", AGE)], "resourceType": "CONTAINER_IMAGE"},
         "DEPRECATE"),
        ("InvalidParameterCombinationException", {"resourceSelection": {}}, "Either"),
        ("InvalidParameterCombinationException",
         {"resourceSelection": {"tagMap": {"a": "b"},
                                "recipes": [{"name": "web", "semanticVersion": "x.x.x"}]}},
         "exclude"),
        ("InvalidParameterValueException",
         {"resourceSelection": {"recipes": [{"name": "web", "semanticVersion": "x.1.x"}]}}, "x.1.x"),
        ("InvalidRequestException", {"executionRole": "a b"}, "executionRole"),
        ("InvalidRequestException",
         {"policyDetails": [rule("DELETE", {**AGE, "value": 1001})]}, "1000"),
    ]

    def sample(self):
        delete = rule("DELETE", {**AGE, "retainAtLeast": 3},
                      includeResources={"amis": True, "snapshots": True})
        delete["exclusionRules"] = {
            "tagMap": {"keep": "yes"},
            "amis": {"isPublic": True, "regions": ["eu-west-1"],
                     "sharedAccounts": ["999999999999"],
                     "lastLaunched": {"value": 30, "unit": "DAYS"}, "tagMap": {"keep": "yes"}}}
        return {
            "description": "Keeps ten", "status": "DISABLED", "executionRole": "keeper",
            "resourceType": "AMI_IMAGE",
            "policyDetails": [delete, rule("DISABLE", COUNT), rule("DEPRECATE", COUNT)],
            "resourceSelection": {"recipes": [
                {"name": "web", "semanticVersion": "1.x.x"},
                {"name": "web", "semanticVersion": "2.0.0"}]},
            "tags": {"team": "web"},
        }

    def test_containers_are_deleted_by_tags(self):
        given = {
            "resourceType": "CONTAINER_IMAGE", "resourceSelection": {"tagMap": {"team": "web"}},
            "policyDetails": [rule("DELETE", AGE, includeResources={"containers": True})]}
        found = self.get(self.make(**given))
        self.assertEqual({member: found[member] for member in given}, given)


class Dependencies(unittest.TestCase):
    """What something depends on is not deleted, and the refusal names what depends."""

    def test_what_pipelines_and_recipes_need_stays(self):
        from .test_recipes import PARENT, component

        client = setting.client()
        own = component()
        repository = {"service": "ECR", "repositoryName": "web"}
        made = {
            "imageRecipeArn": client.create_image_recipe(
                name=fresh(), semanticVersion="1.0.0", parentImage=PARENT,
                components=[{"componentArn": own}])["imageRecipeArn"],
            "containerRecipeArn": client.create_container_recipe(
                name=fresh(), semanticVersion="1.0.0", parentImage="debian:12",
                containerType="DOCKER", targetRepository=repository,
                components=[{"componentArn": f"{own.rsplit('/', 2)[0]}/x.x.x"}],
            )["containerRecipeArn"],
            "infrastructureConfigurationArn": client.create_infrastructure_configuration(
                name=fresh(), instanceProfileName="builder")["infrastructureConfigurationArn"],
            "distributionConfigurationArn": client.create_distribution_configuration(
                name=fresh(), distributions=[{"region": setting.REGION}],
            )["distributionConfigurationArn"],
        }
        deletes = {
            "imageRecipeArn": client.delete_image_recipe,
            "containerRecipeArn": client.delete_container_recipe,
            "infrastructureConfigurationArn": client.delete_infrastructure_configuration,
            "distributionConfigurationArn": client.delete_distribution_configuration,
        }
        pipelines = [
            client.create_image_pipeline(name=fresh(), **{
                member: arn for member, arn in made.items() if member != left_out},
            )["imagePipelineArn"] for left_out in ["imageRecipeArn", "containerRecipeArn"]]
        for member, arn in made.items():
            message = refusal(self, "ResourceDependencyException", deletes[member], **{member: arn})
            self.assertIn(arn, message)
            depends = {"imageRecipeArn": pipelines[1:], "containerRecipeArn": pipelines[:1]}
            for pipeline in depends.get(member, pipelines):
                self.assertIn(pipeline, message)
        recipes = [made["imageRecipeArn"], made["containerRecipeArn"]]
        message = refusal(self, "ResourceDependencyException", client.delete_component,
                          componentBuildVersionArn=own)
        for recipe in recipes:
            self.assertIn(recipe, message)
        for pipeline in pipelines:
            client.delete_image_pipeline(imagePipelineArn=pipeline)
        for member, arn in made.items():
            deletes[member](**{member: arn})
        client.delete_component(componentBuildVersionArn=own)
