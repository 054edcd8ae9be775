"""The issuer's keys follow its rotation, and outlast its outage for a day."""

from __future__ import annotations

import json
import threading
import time
from datetime import timedelta

import pytest
from flask import Flask, redirect

from tests.fakes.clock import SetClock
from verify_service.errors import Unavailable
from verify_service.web import issuer_keys
from verify_service.web.issuer_keys import IssuerKeys, fetch_url, in_background

DISCOVERY = "/.well-known/openid-configuration"


def down(environ, start_response):
    start_response("503 Down", [("Content-Length", "0")])
    return []


def find(keys, issuer):
    return keys.find(issuer.issuer._jwk["kid"], "ES256")


def test_keys_are_fetched_when_first_needed_and_kept(keys, served_issuer):
    assert served_issuer.requests == []
    assert find(keys, served_issuer) is find(keys, served_issuer)
    assert served_issuer.requests == [DISCOVERY, "/jwks"]


def test_a_rotated_key_is_found_at_once(keys, served_issuer):
    before = find(keys, served_issuer)
    served_issuer.rotate()
    after = find(keys, served_issuer)
    assert after is not None
    assert not keys.holds(before)
    assert keys.holds(after)


def test_unknown_ids_do_not_make_us_knock_at_every_request(keys, served_issuer, clock):
    find(keys, served_issuer)
    for _ in range(50):
        assert keys.find("invented", "ES256") is None
        clock.advance(milliseconds=100)
    assert len(served_issuer.requests) == 4
    clock.advance(seconds=26)
    keys.find("invented", "ES256")
    assert len(served_issuer.requests) == 6


def test_a_new_keys_token_is_put_off_not_refused_while_others_invent_ids(keys, served_issuer, clock):
    find(keys, served_issuer)
    assert keys.find("invented", "ES256") is None
    served_issuer.rotate()
    with pytest.raises(Unavailable, match="not known yet"):
        find(keys, served_issuer)
    assert keys.find("invented", "ES256") is None
    clock.advance(seconds=30)
    assert find(keys, served_issuer) is not None


def test_an_unknown_keys_token_is_put_off_while_the_issuer_is_away(keys, served_issuer, clock):
    find(keys, served_issuer)
    served_issuer.answer = down
    for _ in range(3):
        with pytest.raises(Unavailable, match="not known yet"):
            keys.find("new or invented", "ES256")
        clock.advance(seconds=20)
    served_issuer.answer = None
    clock.advance(seconds=30)
    assert keys.find("new or invented", "ES256") is None


def test_a_key_is_for_its_algorithm_alone(keys, served_issuer):
    assert keys.find(served_issuer.issuer._jwk["kid"], "RS256") is None


def test_keys_are_refreshed_aside_every_five_minutes(keys, served_issuer, clock):
    old = find(keys, served_issuer)
    served_issuer.rotate()
    clock.advance(minutes=4, seconds=59)
    assert keys.holds(old)
    clock.advance(seconds=1)
    keys.check()
    assert not keys.holds(old)


def test_while_the_issuer_is_down_the_last_keys_serve_for_a_day_and_no_longer(keys, served_issuer, clock):
    key = find(keys, served_issuer)
    served_issuer.stop()
    clock.advance(hours=23, minutes=59)
    assert keys.holds(key)
    assert find(keys, served_issuer) == key
    clock.advance(minutes=1)
    with pytest.raises(Unavailable, match="cannot be asked for its keys"):
        keys.holds(key)
    with pytest.raises(Unavailable):
        keys.check()


def test_how_long_stale_keys_serve_is_the_operators_to_say(served_issuer, clock):
    keys = IssuerKeys(served_issuer.url, clock, stale_for=timedelta(hours=4), start=lambda work: work())
    key = find(keys, served_issuer)
    served_issuer.stop()
    clock.advance(hours=3, minutes=59)
    assert keys.holds(key)
    clock.advance(minutes=1)
    with pytest.raises(Unavailable):
        keys.holds(key)


def test_an_outage_finds_the_keys_of_a_worker_that_nobody_asked_yet(keys, served_issuer, clock):
    passed = []

    def sleep(seconds):
        passed.append(seconds)
        clock.advance(seconds=seconds)
        if len(passed) == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        keys.keep_fresh(sleep)
    assert served_issuer.requests == [DISCOVERY, "/jwks"] * 2
    assert passed == [300, 300]
    served_issuer.stop()
    assert find(keys, served_issuer) is not None


def test_a_broken_issuer_is_asked_again_after_a_pause(keys, served_issuer, clock):
    served_issuer.answer = down
    for _ in range(5):
        with pytest.raises(Unavailable):
            keys.check()
    assert len(served_issuer.requests) == 1
    served_issuer.answer = None
    clock.advance(seconds=10)
    keys.check()


def answering(documents):
    return IssuerKeys("https://login.example.gov", SetClock(), fetch=documents.__getitem__)


GOOD = {"issuer": "https://login.example.gov", "jwks_uri": "https://login.example.gov/keys"}
# RFC 8037 appendix A.2.
JWKS = {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}


@pytest.mark.parametrize(
    ("configuration", "keys"),
    [
        ({**GOOD, "issuer": "https://evil.example"}, JWKS),
        ({**GOOD, "jwks_uri": "http://login.example.gov/keys"}, JWKS),
        ({**GOOD, "jwks_uri": "file:///etc/passwd"}, JWKS),
        ({"issuer": GOOD["issuer"]}, JWKS),
        ([], JWKS),
        (GOOD, {"keys": []}),
        (GOOD, {"keys": {}}),
        (GOOD, []),
    ],
)
def test_documents_that_are_not_this_issuers_are_not_believed(configuration, keys):
    documents = {
        "https://login.example.gov/.well-known/openid-configuration": json.dumps(configuration).encode(),
        "https://login.example.gov/keys": json.dumps(keys).encode(),
    }
    with pytest.raises(Unavailable):
        answering(documents).check()
    believed = {
        "https://login.example.gov/.well-known/openid-configuration": json.dumps(GOOD).encode(),
        "https://login.example.gov/keys": json.dumps(JWKS).encode(),
    }
    answering(believed).check()


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b'{"issuer": 1e999}', b"\xff"])
def test_a_hostile_answer_breaks_nothing(body):
    with pytest.raises(Unavailable):
        IssuerKeys("https://login.example.gov", SetClock(), fetch=lambda _: body).check()


def test_an_answer_that_is_moved_too_large_or_missing_is_not_taken(served_issuer):
    app = Flask(__name__)
    app.add_url_rule("/moved", view_func=lambda: redirect("/fine"), endpoint="moved")
    app.add_url_rule("/fine", view_func=lambda: "x" * issuer_keys.LARGEST_ANSWER, endpoint="fine")
    app.add_url_rule("/large", view_func=lambda: "x" * (issuer_keys.LARGEST_ANSWER + 1), endpoint="large")
    served_issuer.answer = app
    assert fetch_url(served_issuer.url + "/fine")
    for path in ("/moved", "/large", "/missing"):
        with pytest.raises(OSError):
            fetch_url(served_issuer.url + path)


def test_loopback_is_asked_without_the_proxy_of_the_outside_world(served_issuer, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert b"jwks_uri" in fetch_url(served_issuer.url + DISCOVERY)


def refused(keys):
    with pytest.raises(Unavailable):
        keys.check()


def test_one_caller_fetches_and_the_others_are_soon_told_to_come_back():
    asked, go_on = threading.Event(), threading.Event()

    def slow(_):
        asked.set()
        go_on.wait(5)
        raise OSError

    clock = SetClock()
    keys = IssuerKeys("https://login.example.gov", clock, fetch=slow)
    first = threading.Thread(target=refused, args=[keys])
    first.start()
    asked.wait(5)
    clock.advance(seconds=10)
    started = time.monotonic()
    refused(keys)
    waited = time.monotonic() - started
    go_on.set()
    first.join()
    assert issuer_keys.OTHERS_WAIT_SECONDS <= waited < 1


def test_a_refresh_aside_keeps_nobody_waiting(served_issuer, clock):
    keys = IssuerKeys(served_issuer.url, clock, start=in_background)
    old = find(keys, served_issuer)
    served_issuer.rotate()
    clock.advance(minutes=5)
    assert keys.holds(old)
    deadline = time.monotonic() + 5
    while keys.holds(old) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not keys.holds(old)
