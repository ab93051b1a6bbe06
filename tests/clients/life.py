"""What all recipes, configurations and policies have in common, from their making to their end."""

import json
import uuid

from botocore import xform_name

from . import aws, model, setting
from .test_components import fresh, refusal

# Members that are no part of what is made.
REQUEST = {"clientToken", "dryRun"}


def lowered(name):
    return name[0].lower() + name[1:]


def paths(shape, value=None, at=""):
    """Returns the paths of a shape's members; with a value, of those that it has."""
    found = set()
    if shape.type_name == "list":
        for one in [None] if value is None else value:
            found |= paths(shape.member, one, at)
    if shape.type_name == "structure":
        for name, inner in shape.members.items():
            if value is None or name in value:
                found.add(f"{at}{name}")
                found |= paths(inner, value and value[name], f"{at}{name}.")
    return found


def part_of(given, found):
    """Returns whether what was given is all there; objects may have more."""
    if isinstance(given, dict):
        return isinstance(found, dict) and all(
            name in found and part_of(value, found[name]) for name, value in given.items())
    if isinstance(given, list):
        return isinstance(found, list) and len(given) == len(found) and all(
            map(part_of, given, found))
    return given == found


class Life:
    """The tests of one kind of resource; each kind is a `unittest.TestCase` besides."""

    # The resource as operations call it, alone and in lists, and as ARNs do.
    one = many = segment = None
    # Members of the model that requests cannot have here, and those never shown.
    refused = unshown = frozenset()
    # Members that are too new for the model that the AWS CLI brings along.
    newer = frozenset()
    # Filters: name, the value that a resource of `sample` has, and another.
    filters = ()
    # What is refused: code, members, words of the message.
    refusals = ()

    @classmethod
    def setUpClass(cls):
        cls.client = setting.client()
        cls.arn = f"{lowered(cls.one)}Arn"
        cls.list = f"{lowered(cls.one)}SummaryList"

    def sample(self):
        """Returns members of a request that says all that can be said, name and token aside."""
        raise NotImplementedError

    def call(self, verb, client=None, **members):
        name = f"{verb}{self.many if verb == 'List' else self.one}"
        return getattr(client or self.client, xform_name(name))(**members)

    def make(self, **members):
        """Returns the ARN of a new resource."""
        given = {"name": fresh(self.segment), **self.sample(), **members}
        return self.call("Create", **given)[self.arn]

    def get(self, arn):
        return self.call("Get", **{self.arn: arn})[lowered(self.one)]

    def listed(self, **members):
        """Returns the ARNs on all pages of a list."""
        pages, found = [], None
        while found is None or "nextToken" in found:
            token = {"nextToken": found["nextToken"]} if found else {}
            found = self.call("List", **members, **token)
            pages.append([entry["arn"] for entry in found[self.list]])
        return pages

    def test_the_sample_says_all_that_the_model_knows(self):
        shape = model.SERVICE.operation_model(f"Create{self.one}").input_shape
        known = {path for path in paths(shape)
                 if not any(f"{path}.".startswith(f"{skipped}.") for skipped in self.refused)}
        self.assertEqual(known - REQUEST - {"name"}, paths(shape, self.sample()))

    def test_what_is_made_is_what_was_given(self):
        name = fresh(self.segment)
        given = {**self.sample(), "name": name}
        arn = self.make(name=name)
        found = self.get(arn)
        self.assertEqual(found["arn"], arn)
        self.assertRegex(arn, f":{self.segment}/{name}")
        for member, value in given.items():
            if member not in self.unshown and member != "semanticVersion":
                self.assertTrue(part_of(value, found.get(member)), (member, found.get(member)))
        tags = self.client.list_tags_for_resource(resourceArn=arn)["tags"]
        self.assertEqual(tags, given["tags"])
        self.client.untag_resource(resourceArn=arn, tagKeys=list(tags))
        self.assertNotIn("tags", self.get(arn))

    def test_a_token_makes_one(self):
        members = {"name": fresh(self.segment), "clientToken": uuid.uuid4().hex}
        self.assertEqual(len({self.make(**members) for _ in range(3)}), 1)
        refusal(self, "IdempotentParameterMismatchException", self.make,
                **members, description="Another")

    def test_names_are_taken_once_however_they_are_spelt(self):
        name = fresh(self.segment).replace("-", " ").title()
        arn = self.make(name=name)
        for spelt in [name, name.lower(), name.replace(" ", "_")]:
            message = refusal(self, "ResourceAlreadyExistsException", self.make, name=spelt)
            self.assertIn(arn, message)
        self.assertEqual(self.get(arn)["name"], name)

    def test_odd_names_are_names(self):
        for name in ["---", "_a_", f"a{uuid.uuid4().hex * 4}"[:128]]:
            with self.subTest(name=name):
                arn = self.make(name=name)
                self.assertEqual(self.get(arn)["name"], name)
                self.call("Delete", **{self.arn: arn})

    def test_a_dry_run_makes_nothing(self):
        name = fresh(self.segment)
        refusal(self, "DryRunOperationException", self.make, name=name, dryRun=True)
        arn = self.make(name=name)
        self.assertEqual(self.get(arn)["name"], name)
        refusal(self, "ResourceAlreadyExistsException", self.make, name=name, dryRun=True)

    def test_what_cannot_be_is_refused(self):
        for code, members, words in self.refusals:
            with self.subTest(members=members):
                self.assertIn(words, refusal(self, code, self.make, **members))

    def test_pages_hold_each_once(self):
        arns = {self.make() for _ in range(5)}
        pages = self.listed(maxResults=2)
        self.assertTrue(all(len(page) == 2 for page in pages[:-1]), pages)
        listed = [arn for page in pages for arn in page]
        self.assertEqual(len(listed), len(set(listed)))
        self.assertLessEqual(arns, set(listed))
        token = self.call("List", maxResults=1)["nextToken"]
        self.assertEqual(len(self.call("List", maxResults=2, nextToken=token)[self.list]), 2)
        filters = [{"name": self.filters[0][0], "values": ["other"]}]
        refusal(self, "InvalidPaginationTokenException", self.call, verb="List",
                nextToken=token, filters=filters)

    def test_filters_leave_out_what_differs(self):
        arn = self.make()
        own = {"name": self.filters[0][0], "values": [self.get(arn)["name"], "other"]}
        self.assertEqual(self.listed(filters=[own]), [[arn]])
        for name, value, other in self.filters[1:]:
            with self.subTest(name=name):
                same = {"name": name, "values": [other, value]}
                self.assertEqual(self.listed(filters=[own, same]), [[arn]])
                differs = {"name": name, "values": [other]}
                self.assertEqual(self.listed(filters=[own, differs]), [[]])
        refusal(self, "InvalidParameterValueException", self.call, verb="List",
                filters=[{"name": "colour", "values": ["red"]}])

    def test_regions_are_apart(self):
        arn = self.make()
        abroad = setting.client(region_name="eu-west-1")
        for verb in ["Get", "Delete"]:
            refusal(self, "ResourceNotFoundException", self.call, verb=verb, client=abroad,
                    **{self.arn: arn})
        self.assertEqual(self.call("List", client=abroad)[self.list], [])

    def test_what_is_deleted_is_gone(self):
        arn = self.make()
        self.assertEqual(self.call("Delete", **{self.arn: arn})[self.arn], arn)
        for verb in ["Get", "Delete"]:
            message = refusal(self, "ResourceNotFoundException", self.call, verb=verb,
                              **{self.arn: arn})
            self.assertIn(arn, message)

    def test_the_command_line_does_the_same(self):
        key = f"--{xform_name(self.arn, '-')}"
        command = xform_name(self.one, "-")
        known = {name: value for name, value in self.sample().items() if name not in self.newer}
        given = {**known, "name": fresh(self.segment)}
        arn = aws.ok(f"create-{command} --cli-input-json '{json.dumps(given)}'")[self.arn]
        found = aws.ok(f"get-{command} {key} {arn}")[lowered(self.one)]
        self.assertEqual(found["name"], given["name"])
        listed = aws.ok(f"list-{xform_name(self.many, '-')} --max-items 1 --page-size 1")
        self.assertEqual(len(listed[self.list]), 1)
        aws.ok(f"delete-{command} {key} {arn}")
        self.assertIn("ResourceNotFoundException", aws.fails(f"get-{command} {key} {arn}"))


class Replaced(Life):
    """What is common to all that updates replace as a whole."""

    def update(self, arn, **members):
        given = {name: value for name, value in self.sample().items() if name != "tags"}
        return self.call("Update", **{self.arn: arn, **given, **members})

    def test_an_update_replaces_all_but_name_and_tags(self):
        arn = self.make()
        before = self.get(arn)
        self.assertNotIn("dateUpdated", before)
        shape = model.SERVICE.operation_model(f"Update{self.one}").input_shape
        least = {name: value for name, value in self.sample().items()
                 if name in shape.required_members}
        self.assertEqual(self.call("Update", **{self.arn: arn, **least})[self.arn], arn)
        after = self.get(arn)
        self.assertIn("dateUpdated", after)
        for member in ["name", "tags", "dateCreated"]:
            self.assertEqual(after[member], before[member])
        gone = set(self.sample()) - set(least) - {"tags"} - set(self.defaults)
        self.assertEqual(gone & set(after), set())
        for member, value in self.defaults.items():
            self.assertEqual(after[member], value)
        self.update(arn)
        again = self.get(arn)
        self.assertEqual({**again, "dateUpdated": None}, {**before, "dateUpdated": None})

    def test_a_token_updates_once(self):
        arn, token = self.make(), uuid.uuid4().hex
        self.update(arn, clientToken=token)
        self.update(arn, description="Later")
        self.update(arn, clientToken=token)
        self.assertEqual(self.get(arn)["description"], "Later")
        refusal(self, "IdempotentParameterMismatchException", self.update,
                arn=arn, clientToken=token, description="Another")

    def test_updates_are_checked_as_what_is_new(self):
        arn = self.make()
        for code, members, words in self.refusals:
            with self.subTest(members=members):
                message = refusal(self, code, self.update, arn=arn, **members)
                self.assertIn(words, message)
        none = setting.arn(f"{self.segment}/none")
        refusal(self, "ResourceNotFoundException", self.update, arn=none)


class Versioned(Life):
    """What is common to recipes."""

    def test_versions_follow_the_last(self):
        name = fresh(self.segment)
        versions = [("1.0.x", "1.0.0"), ("1.0.x", "1.0.1"), ("1.x.0", "1.1.0"),
                    ("x.0.0", "2.0.0"), ("1.0.7", "1.0.7"), ("1.0.x", "1.0.8")]
        for given, made in versions:
            with self.subTest(given=given):
                arn = self.make(name=name, semanticVersion=given)
                self.assertEqual(arn.rpartition("/")[2], made)
        for given in ["1.x.x", "x.x.x", "1.0.1073741824"]:
            refusal(self, "InvalidVersionNumberException", self.make, semanticVersion=given)

    def test_wildcards_stand_for_the_newest(self):
        name = fresh(self.segment)
        any_version = setting.arn(f"{self.segment}/{name}/")
        for version in ["1.0.0", "1.2.3", "1.10.0", "2.0.0", "1.2.4"]:
            self.make(name=name, semanticVersion=version)
        for given, version in [("x.x.x", "2.0.0"), ("1.x.x", "1.10.0"), ("1.2.x", "1.2.4")]:
            with self.subTest(given=given):
                found = self.call("Get", **{self.arn: any_version + given})
                self.assertEqual(found[lowered(self.one)]["version"], version)
        latest = self.call("Get", **{self.arn: f"{any_version}1.2.3"})["latestVersionReferences"]
        self.assertEqual(latest, {
            "latestVersionArn": f"{any_version}x.x.x",
            "latestMajorVersionArn": f"{any_version}1.x.x",
            "latestMinorVersionArn": f"{any_version}1.2.x",
            "latestPatchVersionArn": f"{any_version}1.2.3"})
        for given in ["x.2.x", "1.x.0"]:
            refusal(self, "InvalidParameterValueException", self.call, verb="Get",
                    **{self.arn: any_version + given})
        refusal(self, "ResourceNotFoundException", self.call, verb="Get",
                **{self.arn: f"{any_version}3.x.x"})
        for verb in ["Delete", "PutPolicy"]:
            with self.subTest(verb=verb):
                refusal(self, "ResourceNotFoundException", self.exactly, verb=verb,
                        arn=f"{any_version}x.x.x")

    def exactly(self, verb, arn):
        """Calls what is for one version only."""
        if verb == "Delete":
            return self.call("Delete", **{self.arn: arn})
        return self.put_policy(arn, policy(arn))

    def put_policy(self, arn, text):
        put = getattr(self.client, xform_name(f"Put{self.one}Policy"))
        return put(**{self.arn: arn, "policy": text})

    def test_a_policy_is_kept_as_it_is(self):
        arn = self.make()
        get = getattr(self.client, xform_name(f"Get{self.one}Policy"))
        refusal(self, "ResourceNotFoundException", get, **{self.arn: arn})
        for text in [policy(arn), policy(arn) + " \n"]:
            self.assertEqual(self.put_policy(arn, text)[self.arn], arn)
            self.assertEqual(get(**{self.arn: arn})["policy"], text)
        refusal(self, "InvalidParameterValueException", self.put_policy, arn=arn, text="{}")
        none = f"{arn.rpartition('/')[0]}/9.9.9"
        refusal(self, "ResourceNotFoundException", self.put_policy, arn=none, text=policy(none))
        self.call("Delete", **{self.arn: arn})
        self.make(name=arn.split("/")[1])
        refusal(self, "ResourceNotFoundException", get, **{self.arn: arn})

    def test_owners_have_their_own(self):
        arn = self.make()
        self.assertIn(arn, sum(self.listed(owner="Self"), []))
        for owner in ["Amazon", "Shared", "ThirdParty", "AWSMarketplace"]:
            self.assertEqual(self.listed(owner=owner), [[]])


def policy(arn):
    return json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": "123456789012"},
        "Action": "imagebuilder:*", "Resource": arn}]})
