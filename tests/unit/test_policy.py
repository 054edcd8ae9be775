"""The table of who may do what denies by default and says why."""

from __future__ import annotations

import pytest

from verify_service.access import policy
from verify_service.caller import Caller
from verify_service.errors import NotAllowed


def caller(role, *scopes):
    return Caller("https://login.example.gov", "u1", "38211", "LAPD", "Central", role, frozenset(scopes), "phone")


def test_an_operation_without_a_rule_is_nobodys():
    with pytest.raises(LookupError, match="deleteEverything has no rule"):
        policy.rule("deleteEverything")
    with pytest.raises(LookupError):
        policy.check("deleteEverything", caller("operator", *policy.SCOPES))


@pytest.mark.parametrize("role", policy.ROLES)
@pytest.mark.parametrize("operation", [name for name, rule in policy.RULES.items() if not rule.public])
def test_every_role_is_let_in_or_refused_as_the_table_says(operation, role):
    rule = policy.rule(operation)
    everything = caller(role, *policy.SCOPES)
    if role in rule.roles:
        policy.check(operation, everything)
    else:
        with pytest.raises(NotAllowed, match=f"your token says {role}"):
            policy.check(operation, everything)


@pytest.mark.parametrize("operation", [name for name, rule in policy.RULES.items() if rule.scope])
def test_the_scope_is_asked_for_beside_the_role(operation):
    rule = policy.rule(operation)
    others = set(policy.SCOPES) - {rule.scope}
    for role in rule.roles:
        with pytest.raises(NotAllowed, match=f"lacks the scope {rule.scope}"):
            policy.check(operation, caller(role, *others))


def test_the_words_name_who_may():
    with pytest.raises(NotAllowed) as refused:
        policy.check("addIncidentEvent", caller("auditor"))
    assert refused.value.detail == "This is for officer, dispatcher or supervisor; your token says auditor."


def test_a_public_operation_asks_nothing():
    policy.check("getHealth", caller("nobody"))


def test_no_rule_names_a_role_or_scope_that_does_not_exist():
    for rule in policy.RULES.values():
        assert rule.roles <= set(policy.ROLES)
        assert rule.scope is None or rule.scope in policy.SCOPES
        assert rule.public is not bool(rule.roles)


def test_every_rule_is_about_a_kind_of_object_that_its_roles_reach():
    for operation, rule in policy.RULES.items():
        assert rule.public is (rule.of is None), operation
        if rule.of is not None:
            assert rule.roles <= rule.of.reach.keys(), operation


@pytest.mark.parametrize(
    ("operation", "roles", "scope"),
    [
        ("submitVerification", {"officer", "dispatcher"}, "verify:submit"),
        ("issueCallbackWord", {"dispatcher"}, "verify:submit"),
        ("searchVerifications", {"officer", "dispatcher", "supervisor", "auditor"}, "case:read"),
        ("getIncidentReceipt", {"officer", "dispatcher", "supervisor", "auditor"}, "case:read"),
        ("addVerificationEvent", {"officer", "dispatcher", "supervisor"}, None),
        ("getRegistry", set(policy.ROLES), None),
    ],
)
def test_the_design_and_the_table_agree(operation, roles, scope):
    assert (policy.rule(operation).roles, policy.rule(operation).scope) == (frozenset(roles), scope)
