"""What a check answers, on which bytes it rests, and until when."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes.registry import MemoryRegistry
from tests.registries import DEPARTMENT, SampleRegistry, Station
from verify_service.clock import parse_rfc3339, rfc3339
from verify_service.errors import InvalidRequest
from verify_service.registry.check import RESULTS
from verify_service.registry.identifier import Identifier
from verify_service.registry.registry import Registry

ANY = Identifier("badge", "12345")
TOP = ("root", "timestamp", "snapshot", "targets")


@pytest.fixture
def station(tmp_path):
    memory = MemoryRegistry()
    made = Station(SampleRegistry(tmp_path / "registry"), memory, memory, tmp_path / "ingest")
    made.ingest()
    return made


def expiring(station, **ends):
    """Let single files of the edition that stands expire at other moments."""
    edition = station.store.current(DEPARTMENT)
    changes = {role: replace(getattr(edition, role), expires=end) for role, end in ends.items() if role in TOP}
    agencies = {
        code: replace(state, role=replace(state.role, expires=ends.get(code.replace("-", "_"), state.role.expires)))
        for code, state in edition.agencies.items()
    }
    station.store._editions[DEPARTMENT] = replace(edition, agencies=agencies, **changes)


@pytest.mark.parametrize(
    ("status", "result"),
    [
        ("active", "match_active"),
        ("suspended", "match_inactive"),
        ("separated", "match_inactive"),
        ("lost", "match_inactive"),
        ("expired", "match_inactive"),
        ("absent", "no_match"),
    ],
)
def test_an_entry_counts_as_its_standing_and_its_dates_say(station, status, result):
    assert station.result(station.sample.known("DHS-ICE", status=status), "DHS-ICE") == result


def test_an_entry_is_active_from_its_first_to_its_last_moment_and_not_beside(station):
    identifier = station.sample.known("DHS-ICE")
    number = station.store.current(DEPARTMENT).agencies["DHS-ICE"].roster.number
    tag = station.sample.key("DHS-ICE").tag(identifier)
    rows = station.store._rosters[DEPARTMENT, number][1]
    now, hair = station.clock.now(), timedelta(milliseconds=1)
    for first, last, result in [
        (now, now, "match_active"),
        (None, None, "match_active"),
        (now + hair, None, "match_inactive"),
        (None, now - hair, "match_inactive"),
    ]:
        rows[tag] = (*rows[tag][:3], first and rfc3339(first), last and rfc3339(last), rows[tag][5])
        assert station.result(identifier, "DHS-ICE") == result


def test_a_check_quotes_everything_that_it_rests_on(station):
    edition = station.store.current(DEPARTMENT)
    state = edition.agencies["DHS-ICE"]
    (check,) = station.check(station.sample.known("DHS-ICE"), "DHS-ICE")
    assert check.document() == {
        "agency": "DHS-ICE",
        "enrolment_level": 4,
        "result": "match_active",
        "kind": "badge",
        "coverage": "complete",
        "edition": 1,
        "profile_sha256": state.profile_sha256,
        "roster_sha256": state.roster.sha256,
        "roster_issued_at": "2026-11-24T05:04:09.000Z",
        "refreshed_at": "2026-11-24T05:04:09.000Z",
        "metadata": {
            **{role: {"version": 1, "sha256": getattr(edition, role).sha256} for role in TOP},
            "role": {"version": 1, "sha256": state.role.sha256},
        },
        "checked_at": "2026-11-24T05:04:09.000Z",
        "fresh_until": "2026-11-25T05:04:09.000Z",
        "synthetic": True,
        "op_code_activated": None,
    }
    assert list(check.document()) == list(type(check).__dataclass_fields__)
    assert check.result in RESULTS


def test_partial_coverage_is_told(station):
    (check,) = station.check(station.sample.known("DOJ-FBI", "credential"), "DOJ-FBI")
    assert (check.result, check.coverage) == ("match_active", "partial")


@pytest.mark.parametrize(
    ("agency", "kind", "level"),
    [
        ("DOI-NPS", "badge", 2),
        ("USPS-PIS", "badge", 1),
        ("PEACE-OIG", "badge", 0),
        ("TREAS-IRSCI", "badge", 3),
        ("DHS-ICE", "op_code", 4),
        ("DOJ-BOP", "credential", 4),
    ],
)
def test_an_agency_without_a_roster_for_the_kind_is_not_enrolled(station, agency, kind, level):
    (check,) = station.check(Identifier(kind, "12345"), agency)
    assert (check.result, check.coverage, check.enrolment_level) == ("agency_not_enrolled", None, level)


def test_an_op_code_counts_from_level_3_and_is_not_activated_yet(station):
    (check,) = station.check(station.sample.known("TREAS-IRSCI", "op_code"), "TREAS-IRSCI")
    assert (check.result, check.op_code_activated, check.enrolment_level) == ("match_active", False, 3)
    (check,) = station.check(station.sample.known("TREAS-IRSCI", "op_code", "absent"), "TREAS-IRSCI")
    assert (check.result, check.op_code_activated) == ("no_match", None)


def test_without_an_identifier_nothing_is_checked(station):
    (check,) = station.check(None, "DHS-ICE")
    assert (check.result, check.kind, check.coverage) == ("not_checked", None, None)
    assert check.roster_sha256 is not None
    assert station.check(None) == ()


@pytest.mark.parametrize("role", TOP)
def test_when_a_common_role_expires_everything_is_stale(station, role):
    end = station.clock.now() + timedelta(hours=1)
    expiring(station, **{role: end})
    identifier, just_before = station.sample.known("DHS-ICE"), timedelta(minutes=60, milliseconds=-1)
    assert station.result(identifier, "DHS-ICE", just_before) == "match_active"
    checks = station.check(identifier, *station.registry.agencies(DEPARTMENT), later=timedelta(hours=1))
    assert {check.result for check in checks} == {"registry_stale"}
    assert {check.fresh_until for check in checks} == {rfc3339(end)}


def test_when_an_agencys_role_expires_it_is_stale_alone(station):
    end = station.clock.now() + timedelta(hours=1)
    expiring(station, DHS_ICE=end, DOI_NPS=end)
    identifier, then = station.sample.shared(), timedelta(hours=1)
    assert station.result(identifier, "DHS-ICE", then) == "registry_stale"
    assert station.result(identifier, "DHS-CBP", then) == "match_active"
    # An agency that publishes nothing has nothing that can go stale.
    assert station.result(identifier, "DOI-NPS", then) == "agency_not_enrolled"


def test_never_an_answer_past_its_fresh_until(station):
    for check in station.check(ANY):
        at = parse_rfc3339(check.fresh_until) - station.clock.now()
        assert station.result(ANY, check.agency, at) == "registry_stale"


def test_before_the_first_ingest_everything_is_stale(tmp_path):
    memory = MemoryRegistry()
    station = Station(SampleRegistry(tmp_path / "registry"), memory, memory, tmp_path / "ingest")
    (check,) = station.check(ANY, "DHS-ICE")
    assert (check.result, check.edition, check.metadata, check.fresh_until) == ("registry_stale", None, None, None)
    assert station.check(None, "NOT-KNOWN-YET")[0].result == "not_checked"
    assert station.check(ANY) == ()
    assert station.registry.agencies(DEPARTMENT) == {}
    assert station.registry.edition(DEPARTMENT) is None


def test_without_an_agency_every_roster_answers_for_itself(station):
    results = {check.agency: check.result for check in station.check(station.sample.shared())}
    assert results == {
        "DHS-CBP": "match_active",
        "DHS-ICE": "match_active",
        "DOJ-BOP": results["DOJ-BOP"],
        "DOJ-FBI": "agency_not_enrolled",
        "DOJ-USMS": "agency_not_enrolled",
        "TREAS-IRSCI": "agency_not_enrolled",
    }


def test_the_tags_that_were_asked_are_returned_and_always_in_one_statement(station):
    for status in ("active", "absent"):
        identifier, before = station.sample.known("DHS-ICE", status=status), station.store.statements
        result = station.registry.check(DEPARTMENT, identifier, None, station.clock.now())
        assert station.store.statements == before + 1
        assert result.tags == {
            code: {"epoch": 1, "tag": station.sample.key(code).tag(identifier).hex(), "alternates": []}
            for code in ("DHS-CBP", "DHS-ICE", "DOJ-BOP")
        }


def test_a_number_that_is_easily_read_as_a_listed_one_is_a_possible_match_and_no_more(station):
    sample, listed = station.sample, Identifier("badge", "O12345")
    sample.publish_roster("DHS-ICE", sample.next_roster("DHS-ICE", listed, status="suspended"))
    station.ingest()
    assert station.result(listed, "DHS-ICE") == "match_inactive"
    for typed, result in (("Q12345", "possible_match"), ("D12345", "possible_match"), ("P12345", "no_match")):
        before = station.store.statements
        asked = station.registry.check(DEPARTMENT, Identifier("badge", typed), ["DHS-ICE"], station.clock.now())
        assert asked.checks[0].result == result
        assert station.store.statements == before + 1
    # A letter is no digit at an agency that numbers in digits, so nothing is asked there that cannot be.
    tags = station.registry.check(DEPARTMENT, Identifier("badge", "51234"), ["DHS-CBP"], station.clock.now()).tags
    assert tags["DHS-CBP"]["alternates"] == []
    # Asked of everyone, no match concludes anything, and a number close to one even less.
    assert "possible_match" not in {check.result for check in station.check(Identifier("badge", "Q12345"))}


def test_what_a_number_may_have_been_is_asked_whether_it_is_listed_or_not(station):
    ice = station.sample.key("DHS-ICE")
    result = station.registry.check(DEPARTMENT, Identifier("badge", "Q12345"), ["DHS-ICE"], station.clock.now())
    near = [ice.tag(Identifier("badge", value)).hex() for value in ("O12345", "D12345")]
    assert result.tags["DHS-ICE"]["alternates"] == near


def test_a_stale_roster_is_asked_all_the_same(station):
    expiring(station, timestamp=station.clock.now())
    result = station.registry.check(DEPARTMENT, station.sample.known("DHS-ICE"), ["DHS-ICE"], station.clock.now())
    assert (result.checks[0].result, list(result.tags)) == ("registry_stale", ["DHS-ICE"])


def test_an_agency_named_twice_answers_once(station):
    assert len(station.check(ANY, "DHS-ICE", "DHS-ICE")) == 1


def test_an_unknown_agency_is_refused_where_it_was_named(station):
    with pytest.raises(InvalidRequest) as refusal:
        station.registry.check(
            DEPARTMENT,
            ANY,
            ["DHS-ICE", "DHS-KGB"],
            station.clock.now(),
            pointers={"DHS-KGB": "/agent/home_agency"},
        )
    assert list(refusal.value.faults) == ["/agent/home_agency"]
    assert "GET /v1/agencies" in refusal.value.detail
    with pytest.raises(InvalidRequest) as refusal:
        station.check(None, "DHS-KGB")
    assert list(refusal.value.faults) == ["/agent/claimed_agency"]


def test_a_value_that_no_named_agency_can_have_issued_is_refused(station):
    with pytest.raises(InvalidRequest) as refusal:
        station.check(Identifier("badge", "1234567"), "DHS-ICE", "DHS-CBP")
    assert list(refusal.value.faults) == ["/identifier/value"]
    assert "DHS-ICE badge: up to 1 letter, 5 digits; DHS-CBP badge: 5 to 6 digits" in refusal.value.detail
    # One of the two declares no format for badges, and may have issued it.
    assert len(station.check(Identifier("badge", "1234567"), "DHS-ICE", "DOJ-BOP")) == 2
    assert station.result(Identifier("badge", "B12345"), "DHS-ICE") in {"no_match", "match_active"}
    # Nobody was named, so nobody's format applies.
    assert {check.agency for check in station.check(Identifier("badge", "1234567"))} >= {"DHS-ICE", "DHS-CBP"}


def test_a_registry_answers_with_keys_that_were_taken_in_after_it_started(station):
    fresh = Registry(station.store, station.keyring)
    assert fresh.check(DEPARTMENT, ANY, ["DHS-ICE"], station.clock.now()).checks[0].result in RESULTS
    assert list(fresh.agencies(DEPARTMENT)) == sorted(fresh.agencies(DEPARTMENT))
    assert fresh.edition(DEPARTMENT).synthetic
