"""Who is denied is out within two seconds, though the token still holds, and in again as soon."""

from __future__ import annotations

import pytest

from tests.dpop_key import DpopKey
from tests.fakes.keys import sealed_vault
from verify_service.access.deny import Act
from verify_service.errors import NotAuthenticated, StorageUnavailable
from verify_service.web.dpop import Nonces, Shown

ACT = Act("60001", "2026-11-24T05:00:00.000Z", "the phone was stolen")
URL = "https://verify.example.gov/v1/trial"


@pytest.fixture
def phone(token, clock):
    key = DpopKey()
    bound = token(jkt=key.jkt)

    def shown():
        nonce = Nonces(sealed_vault()).current("LAPD", clock.now())
        return Shown(f"DPoP {bound}", key.proof(bound, "GET", URL, clock.now(), nonce), "GET", URL)

    return key, shown


@pytest.mark.parametrize("kind", ["subject", "client", "key"])
def test_who_is_denied_is_out_in_two_seconds_and_in_again(authenticator, denials, clock, phone, kind):
    key, shown = phone
    caller = authenticator.admit(shown()).caller
    value = {"subject": caller.subject, "client": caller.client_id, "key": key.jkt}[kind]
    denials.add("LAPD", kind, value, ACT)
    clock.advance(seconds=2)
    with pytest.raises(NotAuthenticated, match="Your access was withdrawn") as refused:
        authenticator.admit(shown())
    assert refused.value.error == "invalid_token"
    denials.lift("LAPD", kind, value, ACT)
    clock.advance(seconds=2)
    assert authenticator.admit(shown()).caller == caller


def test_another_kind_with_the_same_words_and_another_department_do_not_count(authenticator, denials, phone):
    key, shown = phone
    denials.add("LAPD", "subject", key.jkt, ACT)
    denials.add("LAPD", "client", key.jkt, ACT)
    denials.add("SFPD", "key", key.jkt, ACT)
    assert authenticator.admit(shown())


def test_the_list_is_read_every_two_seconds_and_not_at_every_request(authenticator, denials, clock, bearer):
    header = bearer()["Authorization"]
    for _ in range(5):
        authenticator.admit(Shown(header))
    assert denials.reads == 1
    clock.advance(seconds=2)
    authenticator.admit(Shown(header))
    assert denials.reads == 2
    clock.advance(hours=-1)
    authenticator.admit(Shown(bearer()["Authorization"]))
    assert denials.reads == 3


def test_while_the_list_cannot_be_read_nobody_gets_in(authenticator, denials, clock, bearer):
    authenticator.admit(Shown(bearer()["Authorization"]))

    def fail(_):
        raise StorageUnavailable("The database does not answer.")

    denials.standing = fail
    clock.advance(seconds=2)
    with pytest.raises(StorageUnavailable):
        authenticator.admit(Shown(bearer()["Authorization"]))
