"""Images that are really built: what they are made of, and one that is made once for all tests."""

import functools
import json
import shlex
import time

from . import aws, setting
from .test_components import fresh

UNTESTED = {"imageTestsEnabled": False}
REGIONS = ["local-1", "local-2"]
ENDS = {"AVAILABLE", "FAILED", "CANCELLED"}


def parent():
    """Returns the ARN of the managed image that all of these grow out of."""
    return setting.arn("image/debian-minimal-12-x86/x.x.x", owner="aws")


def document(**phases):
    """Returns a component's document whose phases execute a shell command each."""
    told = [{"name": phase, "steps": [
        {"name": "Do", "action": "ExecuteBash", "inputs": {"commands": [command]}}]}
        for phase, command in phases.items()]
    return json.dumps({"schemaVersion": 1.0, "phases": told})


def component(client, text, name="part"):
    """Makes a component; returns its ARN."""
    made = client.create_component(
        name=fresh(name), semanticVersion="1.0.0", platform="Linux", data=text)
    return made["componentBuildVersionArn"]


def recipe(client, *components, **members):
    """Makes a recipe of components; returns its ARN."""
    given = {"name": fresh("image"), "semanticVersion": "1.0.0", "parentImage": parent(),
             **members}
    if components:
        given["components"] = [{"componentArn": arn} for arn in components]
    return client.create_image_recipe(**given)["imageRecipeArn"]


def infrastructure(client):
    """Makes an infrastructure configuration; returns its ARN."""
    made = client.create_infrastructure_configuration(
        name=fresh("machine"), instanceProfileName="none")
    return made["infrastructureConfigurationArn"]


def distribution(client, *regions):
    """Makes a distribution configuration; returns its ARN."""
    made = client.create_distribution_configuration(
        name=fresh("places"), distributions=[{"region": region} for region in regions])
    return made["distributionConfigurationArn"]


def start(client, recipe_arn, **members):
    """Starts an image that is not tested, unless said otherwise; returns its ARN."""
    given = {"imageRecipeArn": recipe_arn, "imageTestsConfiguration": UNTESTED, **members}
    if "infrastructureConfigurationArn" not in given:
        given["infrastructureConfigurationArn"] = infrastructure(client)
    return client.create_image(**given)["imageBuildVersionArn"]


def get(client, arn):
    return client.get_image(imageBuildVersionArn=arn)["image"]


def wait(client, arn, *states, seconds=900):
    """Waits until an image is in one of some states, or has ended; returns it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        image = get(client, arn)
        if image["state"]["status"] in ENDS.union(states):
            return image
        time.sleep(0.2)
    raise AssertionError(f"{arn} is still {image['state']}")


def ended(client, arn, state):
    """Waits until an image has ended, which must be so; returns it."""
    image = wait(client, arn)
    assert image["state"]["status"] == state, image["state"]
    return image


@functools.cache
def pipeline():
    """Makes a pipeline as people do: by the AWS CLI, part by part. Returns its ARN."""
    text = document(build="echo made > /etc/mark", validate="test -s /etc/mark",
                    test="grep made /etc/mark")
    quote = lambda value: shlex.quote(json.dumps(value))
    name = fresh("Base Web")
    own = aws.ok(f"create-component --name {fresh('mark')} --semantic-version 1.0.0 "
                 f"--platform Linux --data {shlex.quote(text)}")["componentBuildVersionArn"]
    # The newest, whatever that is when the image is built.
    own = own.replace("/1.0.0/1", "/x.x.x")
    managed = setting.arn("component/simple-boot-test-linux/x.x.x", owner="aws")
    made = aws.ok(
        f"create-image-recipe --name {shlex.quote(name)} --semantic-version 1.0.0 "
        f"--parent-image {parent()} --components componentArn={own} componentArn={managed}")
    machine = aws.ok(f"create-infrastructure-configuration --name {fresh('machine')} "
                     "--instance-profile-name none")
    amis = [{"region": region, "amiDistributionConfiguration": {
        "name": f"{name} {{{{ imagebuilder:buildVersion }}}}", "description": "Web",
        "amiTags": {"region": region}}} for region in REGIONS]
    places = aws.ok(f"create-distribution-configuration --name {fresh('places')} "
                    f"--distributions {quote(amis)}")
    return aws.ok(
        f"create-image-pipeline --name {fresh('pipeline')} --image-tags team=web "
        f"--image-recipe-arn {made['imageRecipeArn']} "
        f"--infrastructure-configuration-arn {machine['infrastructureConfigurationArn']} "
        f"--distribution-configuration-arn {places['distributionConfigurationArn']}"
    )["imagePipelineArn"]


@functools.cache
def image():
    """Has the pipeline build, test and publish an image, by the AWS CLI; returns it once AVAILABLE."""
    started = aws.ok(f"start-image-pipeline-execution --image-pipeline-arn {pipeline()} "
                     "--tags by=hand")
    arn = started["imageBuildVersionArn"]
    ended(setting.client(), arn, "AVAILABLE")
    return aws.ok(f"get-image --image-build-version-arn {arn}")["image"]


@functools.cache
def other():
    """Returns another image that is AVAILABLE, made without components and tests."""
    client = setting.client()
    image()
    return ended(client, start(client, recipe(client)), "AVAILABLE")
