"""Hold the registry's formats to their vectors, and the JSON Schemas to the same."""

import base64
import json
from importlib.resources import files
from io import BytesIO
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.vectors.generate_registry import vectors
from verify_service.errors import InvalidRequest, RegistryRefused
from verify_service.registry.blinding import BlindingKey
from verify_service.registry.identifier import Identifier, parse_identifier
from verify_service.registry.profile import Profile
from verify_service.registry.roster_lines import RosterReader
from verify_service.signing import canonical_bytes, sha256_hex

HERE = Path(__file__).parent.parent / "vectors"


def cases(name):
    return [
        pytest.param(case, id=case.get("name", str(place)))
        for place, case in enumerate(json.loads((HERE / f"{name}.json").read_bytes())["cases"])
    ]


def content_of(case):
    return base64.b64decode(case["content_base64"]) if "content_base64" in case else case["content"].encode()


def schema(name):
    text = files("verify_service.registry").joinpath("schemas", f"{name}.schema.json").read_text("utf-8")
    return Draft202012Validator(json.loads(text))


@pytest.mark.parametrize("name", ["identifier.json", "blinding.json", "profile.json", "roster.json"])
def test_the_generator_still_writes_these_very_bytes(name):
    assert vectors()[name] == (HERE / name).read_bytes()


@pytest.mark.parametrize("case", cases("identifier"))
def test_identifiers_become_their_canonical_value_or_are_refused_at_their_place(case):
    if "refused" not in case:
        assert parse_identifier(case["kind"], case["typed"]) == Identifier(case["kind"], case["value"])
        return
    with pytest.raises(InvalidRequest) as refusal:
        parse_identifier(case["kind"], case["typed"], "/agents/0/identifier")
    assert list(refusal.value.faults) == [f"/agents/0/identifier/{case['refused']}"]


@pytest.mark.parametrize("case", cases("blinding"))
def test_tags_and_key_ids_are_those_of_an_hmac_made_elsewhere(case):
    key = BlindingKey(case["agency"], 1, base64.b64decode(case["key"]))
    assert key.key_id == case["key_id"]
    assert key.tag(Identifier(case["kind"], case["value"])).hex() == case["tag"]


@pytest.mark.parametrize("case", cases("profile"))
def test_profiles_are_read_or_refused_as_the_vectors_say(case):
    content = content_of(case)
    if "refused" in case:
        with pytest.raises(RegistryRefused):
            Profile.parse(content)
        return
    profile = Profile.parse(content)
    assert profile.content() == content
    assert sha256_hex(content) == case["sha256"]


@pytest.mark.parametrize("case", cases("profile"))
def test_the_schema_of_profiles_refuses_what_it_can(case):
    if case.get("refused") == "form":
        return
    assert schema("profile-v1").is_valid(json.loads(content_of(case))) == ("refused" not in case)


@pytest.mark.parametrize("block_bytes", [1, 300, 2**20])
@pytest.mark.parametrize("case", cases("roster"))
def test_rosters_are_read_or_refused_as_the_vectors_say(case, block_bytes):
    content = content_of(case)
    if "refused" not in case:
        reader = RosterReader(BytesIO(content), block_bytes)
        assert sum(len(rows) for rows in reader.blocks()) == case["count"] == reader.header.count
        assert sha256_hex(content) == case["sha256"]
        return
    with pytest.raises(RegistryRefused) as refusal:
        list(RosterReader(BytesIO(content), block_bytes).blocks())
    if "Line" in refusal.value.detail:
        assert f"Line {case['refused']} " in refusal.value.detail


@pytest.mark.parametrize("case", [case for case in cases("roster") if "refused" not in case.values[0]])
def test_the_schemas_of_rosters_accept_what_is_accepted(case):
    header, *lines = content_of(case).splitlines()
    schema("roster-header-v1").validate(json.loads(header))
    for line in lines:
        schema("roster-line-v1").validate(json.loads(line))


@pytest.mark.parametrize("case", [case for case in cases("roster") if case.values[0].get("refused") == 2])
def test_the_schema_of_lines_refuses_what_it_can(case):
    line = content_of(case).split(b"\n")[1]
    try:
        entry = json.loads(line)
        readable = canonical_bytes(entry) == line
    except ValueError:
        readable = False
    beyond = {"a kind outside the coverage", "a day that does not exist", "ends before it begins"}
    if readable and case["name"] not in {*beyond, "no line feed at the end"}:
        assert not schema("roster-line-v1").is_valid(entry)


def test_a_roster_of_more_than_64_mib_is_given_up_on_the_way():
    header = content_of(cases("roster")[0].values[0]).partition(b"\n")[0] + b"\n"

    class Endless(BytesIO):
        def read(self, size=-1):
            return b"0" * size

    class Lines(Endless):
        def read(self, size=-1):
            return b"\n" * size

    with pytest.raises(RegistryRefused, match="more than 1024 bytes"):
        list(RosterReader(Endless(header)).blocks())
    reader = RosterReader(Lines(header))
    with pytest.raises(RegistryRefused, match="larger than 67108864 bytes"):
        for _ in reader._contents():
            pass


def test_no_refusal_of_a_roster_tells_what_stands_in_it():
    for case in json.loads((HERE / "roster.json").read_bytes())["cases"]:
        if "refused" in case:
            with pytest.raises(RegistryRefused) as refusal:
                list(RosterReader(BytesIO(content_of(case))).blocks())
            tags = {part for part in content_of(case).decode("latin-1").split('"') if len(part) > 30}
            assert not any(tag in refusal.value.detail for tag in tags)
            assert "Doe" not in refusal.value.detail
