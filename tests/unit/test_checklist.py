"""The checklist of policy ground §6: frozen, complete, and never pointing at someone for a missing roster."""

import json
from importlib.resources import files

import pytest

from verify_service.verification.checklist import checklist, meets

FROZEN = {"1": "006c993b8a6544afe60ede7fffa438b8c8e58bbd272a505739abd2818cc4af75"}
# Policy ground §6, the table's first three columns.
POLICY = {
    "scene-safe": "good_practice", "bwv-on": "departmental", "bwv-tag": "good_practice", "supervisor": "departmental",
    "trigger": "good_practice", "lead-credentials": "departmental", "lead-documented": "departmental",
    "registry-check": "good_practice", "callback": "good_practice", "compare": "good_practice",
    "tell-requester": "good_practice", "separate": "departmental", "no-participation": "law", "no-status": "law",
    "interpreter": "law", "command": "departmental", "immigration-point": "departmental",
    "crime-report": "departmental", "impersonation": "departmental", "force": "law", "report-force": "law",
    "medical": "departmental", "dependents": "good_practice", "destination": "good_practice",
    "evidence": "departmental", "inspector-general": "requested",
}  # fmt: skip
# What leads to a report against someone.
REPORTS = ("crime-report", "impersonation")


def test_every_version_ships_byte_for_byte():
    shipped = {file.name for file in files("verify_service.verification").joinpath("checklists").iterdir()}
    assert shipped == {f"{version}.json" for version in FROZEN}
    for version, digest in FROZEN.items():
        assert checklist(version).sha256 == digest


def test_every_item_of_the_policy_is_there_with_its_basis_and_sources():
    items = checklist().items
    assert {name: item["basis"] for name, item in items.items()} == POLICY
    document = json.loads(checklist().content)
    for item in items.values():
        assert item["sources"]
        assert all(document["sources"][number]["citation"] for number in item["sources"])
        assert item["applies_when"]["words"]


def test_it_is_a_draft_until_counsel_approves():
    assert checklist().approval == "draft, not reviewed by counsel"
    assert '"approval":"draft, not reviewed by counsel"' in checklist().attached(frozenset(), {})


def test_the_force_item_says_what_it_is_not():
    text = checklist().items["force"]["text"]
    for sentence in (
        "Excessive force only.",
        "Refusing to show identification is not force.",
        "This is not authority to stop a federal arrest.",
        "Whether the duty reaches federal agents is unresolved.",
    ):
        assert sentence in text


@pytest.mark.parametrize("item", REPORTS)
def test_no_report_against_someone_follows_from_a_roster_or_a_silence(item):
    condition = json.dumps(checklist().items[item]["applies_when"]["condition"])
    for word in ("not_listed", "inconclusive", "registry", "outcome", "unreachable", "not_possible"):
        assert word not in condition


def test_a_crime_report_needs_an_allegation_and_a_refusal():
    condition = checklist().items["crime-report"]["applies_when"]["condition"]
    facts = {"crime_alleged": True, "identification": "declined", "person_confirmed": False}
    assert meets(condition, facts)
    for name, other in (("crime_alleged", None), ("identification", "presented"), ("person_confirmed", True)):
        assert not meets(condition, {**facts, name: other})


def test_what_is_attached_is_the_document_with_answers():
    whole = checklist()
    applying = whole.applying({"identification": "presented", "held_number": True, "requested_by": "bystander"})
    assert {"registry-check", "callback", "tell-requester", "force"} <= applying
    assert not {"crime-report", "impersonation", "report-force", "dependents"} & applying
    shown = json.loads(whole.attached(applying, {"bwv-on": {"answer": "done"}}))
    assert [item["id"] for item in shown["items"]] == list(POLICY)
    by_id = {item["id"]: item for item in shown["items"]}
    assert by_id["bwv-on"]["answer"] == {"answer": "done"}
    assert by_id["scene-safe"]["answer"] is None
    assert {name for name, item in by_id.items() if item["applies"]} == applying
    assert by_id["no-status"]["sources"] == [{"title": "California Values Act", "citation": "Gov. Code 7284.6(a)(1)"}]
    assert shown["sha256"] == whole.sha256


def test_a_condition_that_is_none_is_refused():
    with pytest.raises(ValueError, match="not a condition"):
        meets({"when": "ever"}, {})
