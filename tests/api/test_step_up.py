"""What a stolen phone must not do asks for a sign-in that is recent and strong, and says how to get one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.api.trial import Kept
from verify_service.caller import Caller
from verify_service.errors import NotAuthenticated
from verify_service.web.api import Reply, Routes
from verify_service.web.app import SHELL, create_app
from verify_service.web.dpop import Shown
from verify_service.web.step_up import StepUp

STEP_UP = StepUp(("phr", "phrh"), timedelta(minutes=15))
grave = Routes("grave", "What asks for more than a token.")


@grave.operation("orderExpunge", "POST", "/v1/grave", reply=Reply(200, Kept()), step_up=True)
def order(*, caller):
    """Do what cannot be undone."""
    return {"label": caller.serial}


@pytest.fixture
def client(backend):
    return create_app(backend, [*SHELL, grave]).test_client()


def test_a_recent_strong_sign_in_is_let_through_until_it_is_too_old(client, bearer, clock):
    header = bearer("supervisor")
    assert client.post("/v1/grave", headers=header).status_code == 200
    clock.advance(minutes=15)
    assert client.post("/v1/grave", headers=header).status_code == 200
    clock.advance(seconds=1)
    refused = client.post("/v1/grave", headers=header)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith(
        'Bearer realm="verify-service", error="insufficient_user_authentication", '
        'error_description="This needs a sign-in of the last 15 minutes: sign in again.", acr_values="phr phrh", '
        'max_age="900"'
    )
    assert client.post("/v1/grave", headers=bearer("supervisor")).status_code == 200


@pytest.mark.parametrize("weak", [{"acr": None}, {"acr": "pwd"}, {"acr": "phr phrh"}])
def test_a_weak_sign_in_is_told_which_would_do(client, bearer, weak):
    refused = client.post("/v1/grave", headers=bearer("supervisor", **weak))
    assert refused.status_code == 401
    assert "stronger sign-in" in refused.json["detail"]
    assert 'acr_values="phr phrh", max_age="900"' in refused.headers["WWW-Authenticate"]


def test_a_token_that_does_not_tell_when_is_refused(client, sign):
    header = {"Authorization": f"Bearer {sign(role='supervisor', scope='case:decide', acr='phr')}"}
    assert "sign-in of the last 15 minutes" in client.post("/v1/grave", headers=header).json["detail"]


def test_who_may_not_at_all_is_not_sent_to_sign_in_again(client, bearer):
    assert client.post("/v1/grave", headers=bearer("officer", acr=None)).status_code == 403


@pytest.mark.parametrize("when", ["now", True, []])
def test_a_time_that_is_none_is_refused(authenticator, sign, when):
    with pytest.raises(NotAuthenticated, match="usable auth_time"):
        authenticator.admit(Shown(f"Bearer {sign(auth_time=when)}"))


def test_claims_may_have_other_names(admitting, served_issuer, sign, keys):
    named = {"serial": "employee_number", "department": "org", "role": "job", "command": "unit", "scope": "scp"}
    token = sign(
        serial=None, department=None, role=None, command=None, scope=None,
        employee_number="38211", org="LAPD", job="officer", unit="Central Area", scp="case:read",
    )  # fmt: skip
    caller = admitting(served_issuer.url, claims=named).admit(Shown(f"Bearer {token}")).caller
    assert caller == Caller(
        issuer=served_issuer.url,
        subject="u1",
        serial="38211",
        department="LAPD",
        command="Central Area",
        role="officer",
        scopes=frozenset({"case:read"}),
        client_id="phone",
    )
    with pytest.raises(NotAuthenticated, match="lacks a usable employee_number"):
        admitting(served_issuer.url, claims=named).admit(Shown(f"Bearer {sign()}"))
