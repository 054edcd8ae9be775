"""What holds for every input, not only for those that somebody thought of."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.fakes.keys import seeded_bytes
from tests.registries import SampleRegistry
from verify_service.clock import rfc3339
from verify_service.errors import InvalidRequest, RegistryRefused
from verify_service.registry.blinding import BlindingKey
from verify_service.registry.identifier import KINDS, Identifier, canonical_value
from verify_service.registry.inspection import inspect
from verify_service.registry.publication import Publication
from verify_service.registry.roster import STATUSES, RosterEntry, RosterHeader, blinded_lines, roster_line
from verify_service.registry.roster_lines import RosterReader
from verify_service.registry.source import open_source
from verify_service.registry.value_format import FormatMalformed, ValueFormat
from verify_service.signing import canonical_bytes, sha256_hex

KEY = BlindingKey("DHS-ICE", 1, bytes(32))
AT = datetime(2026, 11, 24, tzinfo=UTC)

values = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=64)
moments = st.datetimes(datetime(1970, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
spans = st.tuples(st.none() | moments, st.none() | moments).filter(
    lambda span: span[0] is None or span[1] is None or rfc3339(span[0]) <= rfc3339(span[1])
)


@st.composite
def entries(draw):
    kind = draw(st.sampled_from(KINDS))
    first, last = (None, None) if kind == "op_code" else draw(spans)
    return RosterEntry(Identifier(kind, draw(values)), draw(st.sampled_from(STATUSES)), first, last)


rosters = st.lists(entries(), max_size=40, unique_by=lambda entry: entry.identifier)


def published(listed):
    lines = blinded_lines(KEY, listed, seeded_bytes())
    header = RosterHeader(
        agency="DHS-ICE",
        seq=1,
        epoch=1,
        key_id=KEY.key_id,
        count=len(lines),
        prev_sha256=None,
        coverage=dict.fromkeys(KINDS, "complete"),
        issued_at=AT,
        synthetic=True,
    )
    return b"".join([header.line(), *lines])


def read(content, block_bytes=700):
    reader = RosterReader(BytesIO(content), block_bytes)
    return reader.header, [row for rows in reader.blocks() for row in rows]


@given(st.text(max_size=70))
def test_normalising_is_idempotent_and_agrees_with_unicodes_own(typed):
    try:
        value = canonical_value(typed, "/")
    except InvalidRequest:
        return
    assert canonical_value(value, "/") == value
    assert re.fullmatch("[A-Z0-9]{1,64}", value)
    assert value == re.sub(r"[ .\-/]", "", unicodedata.normalize("NFKC", typed).upper())


@given(values, st.text(" .-/", max_size=1))
def test_marks_and_case_make_no_difference(value, mark):
    assume(len(value) * 2 <= 64)
    assert canonical_value(mark.join(value.lower()), "/") == value


@given(values, values)
def test_two_identifiers_never_share_a_tag(first, second):
    tags = {KEY.tag(Identifier(kind, value)) for kind in KINDS for value in (first, second)}
    assert len(tags) == len(KINDS) * len({first, second})


@given(rosters, st.integers(1, 3000))
def test_what_the_publisher_writes_the_ingester_accepts_in_pieces_of_any_size(listed, block_bytes):
    content = published(listed)
    header, rows = read(content, block_bytes)
    assert header.line() + b"".join(roster_line(*row) for row in rows) == content
    found = {row[0]: row[1:5] for row in rows}
    assert found == {
        KEY.tag(entry.identifier): (
            entry.identifier.kind,
            entry.status,
            entry.not_before and rfc3339(entry.not_before),
            entry.expires and rfc3339(entry.expires),
        )
        for entry in listed
    }


@given(rosters)
def test_every_line_is_canonical_json(listed):
    for line in published(listed).splitlines():
        assert canonical_bytes(json.loads(line)) == line


@given(rosters, st.data())
def test_a_changed_byte_is_refused_or_still_says_exactly_what_it_reads(listed, data):
    content = bytearray(published(listed))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[place]))
    try:
        header, rows = read(bytes(content))
    except RegistryRefused:
        return
    # What is accepted has one form, so nothing in it was overlooked.
    assert header.line() + b"".join(roster_line(*row) for row in rows) == bytes(content)


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return SampleRegistry(tmp_path_factory.mktemp("sample") / "registry")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_change_to_a_published_roster_is_refused_and_harms_no_other(sample, tmp_path_factory, data):
    original = sample.roster("DHS-ICE")
    path = sample.roster_file("DHS-ICE", sha256_hex(original))
    begin, end = sorted(data.draw(st.tuples(*[st.integers(0, len(original))] * 2)))
    piece = data.draw(st.binary(max_size=8) | st.sampled_from([original[begin:end] * 2, original[end:]]))
    changed = original[:begin] + piece + original[end:]
    assume(changed != original)
    path.write_bytes(changed)
    try:
        folder = tmp_path_factory.mktemp("state")
        publication = Publication(open_source(str(sample.folder)), sample.root, folder, sample.clock.now())
        findings = {finding.agency: finding.fault for finding in inspect(publication).agencies}
    finally:
        path.write_bytes(original)
    assert [agency for agency, fault in findings.items() if fault] == ["DHS-ICE"]


@settings(max_examples=60)
@given(data=st.data())
def test_any_changed_byte_of_signed_metadata_stops_that_role(sample, tmp_path_factory, data):
    role = data.draw(st.sampled_from(["timestamp", "snapshot", "targets", "DHS-ICE"]))
    path = sample.folder / "metadata/timestamp.json" if role == "timestamp" else sample.newest(role)
    original = path.read_bytes()
    content = bytearray(original)
    signed = original.index(b'"signed"')
    content[data.draw(st.integers(signed, len(content) - 1))] ^= data.draw(st.integers(1, 127))
    path.write_bytes(content)
    try:
        folder = tmp_path_factory.mktemp("state")
        publication = Publication(open_source(str(sample.folder)), sample.root, folder, sample.clock.now())
        faults = [finding.agency for finding in inspect(publication).agencies if finding.fault]
        assert role == "DHS-ICE"
        assert faults == ["DHS-ICE"]
    except RegistryRefused:
        assert role != "DHS-ICE"
    finally:
        path.write_bytes(original)


@given(st.text("AZ09-[]{},12", max_size=24), values)
def test_every_accepted_format_is_a_quick_regular_expression(pattern, value):
    try:
        declared = ValueFormat.parse(pattern)
    except FormatMalformed:
        return
    assert declared.matches(value) == (re.fullmatch(pattern, value) is not None)
    assert declared.words()


def test_the_slowest_format_is_quick():
    slowest = ValueFormat.parse("[A-Z]{0,32}[A-Z]{0,31}9")
    started = datetime.now(UTC)
    assert not slowest.matches("A" * 64)
    assert datetime.now(UTC) - started < timedelta(seconds=0.5)
