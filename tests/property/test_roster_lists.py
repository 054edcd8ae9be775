"""Whatever an agency lists, the publisher refuses it or the ingester takes it, and no refusal tells what it says."""

from __future__ import annotations

import csv
import io
import logging
import re
import traceback

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.registry import MemoryRegistry
from tests.property.test_registry import KEY, entries, published, read
from tests.registries import SampleRegistry, Station
from verify_service.errors import RegistryRefused
from verify_service.registry.identifier import KINDS
from verify_service.registry.profile import ROSTER, Callback, Profile
from verify_service.registry.publisher.source_entries import SourceEntries
from verify_service.registry.publisher.source_file import COLUMNS, SourceFile
from verify_service.registry.roster import STATUSES, roster_line

PROFILE = Profile(
    agency=KEY.agency,
    name="Sample (synthetic)",
    level=ROSTER,
    kinds=KINDS,
    formats={"badge": "[A-Z0-9]{3,12}"},
    callback=Callback("+12025550100", "synthetic", "2026-11-01"),
    synthetic=True,
)

typed = st.text(min_size=1, max_size=20) | st.from_regex("[A-Za-z0-9]{3,12}", fullmatch=True)
days = st.dates().map(str)
edges = st.sampled_from(["0001-01-01", "9999-12-31"])
times = st.builds("{}T{}{}".format, days | edges, st.times().map(str), st.sampled_from(["Z", "+14:00", "-12:00", ""]))
written = st.tuples(
    st.sampled_from([*KINDS, "card"]),
    typed,
    st.sampled_from([*STATUSES, "on leave"]),
    *[st.just("") | days | edges | times] * 2,
)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("lists") / "list.csv"


@given(st.lists(written, max_size=20))
def test_what_the_publisher_takes_of_a_list_the_ingester_takes(path, rows):
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([COLUMNS, *rows])
    path.write_text(text.getvalue(), newline="")
    source = SourceEntries(SourceFile(path).rows(), PROFILE, lambda _: None)
    assert len(source.entries) + len(source.bad) == len(rows)
    _, taken = read(published(source.entries))
    assert {row[0] for row in taken} == {KEY.tag(entry.identifier) for entry in source.entries}
    for bad in source.bad:
        said = bad.reason.split()
        assert not [row[1] for row in rows if len(row[1]) > 4 and row[1] in said]


@st.composite
def spoilt(draw):
    """Return some entries, and their roster's bytes of which a piece was cut out, repeated or written over.

    What is written over may be of the roster itself or an identifier in clear.
    """
    listed = draw(st.lists(entries(), min_size=1, max_size=10, unique_by=lambda entry: entry.identifier))
    content = published(listed)
    begin, end = sorted(draw(st.tuples(*[st.integers(0, len(content))] * 2)))
    clear = st.sampled_from([entry.identifier.value.encode() for entry in listed])
    piece = draw(st.binary(max_size=8) | clear | st.sampled_from([content[begin:end] * 2, b"\n", b"\r\n", b""]))
    return listed, content, content[:begin] + piece + content[end:]


@given(spoilt())
def test_no_refusal_of_a_roster_tells_a_tag_an_identifier_or_a_key(spoilt):
    listed, content, other = spoilt
    try:
        header, rows = read(other)
    except RegistryRefused as refusal:
        tells_nothing(
            refusal.detail + refusal.diagnosis + "".join(traceback.format_exception(refusal)), listed, content
        )
    else:
        assert header.line() + b"".join(roster_line(*row) for row in rows) == other


def tells_nothing(text, listed, content):
    """Find no part of a tag or rid that would be enough to look it up, no whole identifier, and no key."""
    for secret in re.findall(r'"(?:tag|rid)":"(\w+)"', content.decode()):
        assert not [place for place in range(len(secret) - 12) if secret[place : place + 12] in text]
    assert KEY.key.hex() not in text
    words = re.findall(r"[A-Z0-9]+", text)
    assert not [entry for entry in listed if len(entry.identifier.value) > 4 and entry.identifier.value in words]


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return SampleRegistry(tmp_path_factory.mktemp("sample") / "registry")


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_refusal_and_no_diagnostics_of_an_ingest_tell_any_either(sample, tmp_path_factory, caplog, data):
    caplog.set_level(logging.DEBUG)
    memory = MemoryRegistry()
    station = Station(sample, memory, memory, tmp_path_factory.mktemp("ingest"))
    content = sample.roster("DHS-ICE")
    begin, end = sorted(data.draw(st.tuples(*[st.integers(1, len(content))] * 2)))
    agent = sample.known("DHS-ICE")
    piece = data.draw(st.sampled_from([agent.value.encode(), content[begin:end] * 2, b""]))
    good = sample.newest("DHS-ICE")
    sample.publish_roster("DHS-ICE", content[:begin] + piece + content[end:])
    try:
        report = station.ingest()
    finally:
        sample.newest("DHS-ICE").unlink()
        assert sample.newest("DHS-ICE") == good
    text = "".join(refusal.reason for refusal in report.refusals) + caplog.text + repr(report)
    tags = re.findall(r'"(?:tag|rid)":"(\w+)"', content.decode())
    assert not [tag for tag in tags if tag[:12] in text]
    assert agent.value not in re.findall("[A-Z0-9]+", "".join(refusal.reason for refusal in report.refusals))
    key = sample.key("DHS-ICE").key
    assert key.hex() not in text
