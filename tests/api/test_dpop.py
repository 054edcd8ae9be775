"""A token that is bound to a key serves with a proof of that key, made for this request, now, and once."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.api.conftest import PUBLIC_URL
from tests.api.trial import trial
from tests.dpop_key import DpopKey
from tests.fakes.keys import sealed_vault
from verify_service.errors import NotAuthenticated, StorageUnavailable
from verify_service.web.app import SHELL, create_app
from verify_service.web.dpop import Nonces, Shown, base64url, thumbprint

URL = f"{PUBLIC_URL}/v1/trial"


@pytest.fixture(scope="module")
def key():
    return DpopKey()


@pytest.fixture
def nonce(clock):
    return Nonces(sealed_vault()).current("LAPD", clock.now())


@pytest.fixture
def bound(token, key):
    return token(jkt=key.jkt)


@pytest.fixture
def prove(bound, key, clock, nonce):
    def make(method="GET", url=URL, **changed):
        return key.proof(bound, method, url, clock.now(), **{"nonce": nonce, **changed})

    return make


@pytest.fixture
def refusal(authenticator, bound):
    def error(proof, method="GET", url=URL, token=bound):
        with pytest.raises(NotAuthenticated) as refused:
            authenticator.admit(Shown(f"DPoP {token}", proof, method, url))
        return refused.value.error, refused.value.detail

    return error


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
def test_a_proof_of_the_tokens_key_says_who_calls_and_with_which_key(authenticator, token, clock, nonce, algorithm):
    key = DpopKey(algorithm)
    bound = token(jkt=key.jkt)
    proof = key.proof(bound, "GET", URL, clock.now(), nonce)
    admitted = authenticator.admit(Shown(f"DPoP {bound}", proof, "GET", URL))
    assert (admitted.caller.serial, admitted.caller.jkt, admitted.nonce) == ("38211", key.jkt, None)
    authenticator.admit(Shown(f"dpop  {bound} ", key.proof(bound, "GET", URL, clock.now(), nonce), "GET", URL))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"htm": "POST"}, "another method"),
        ({"htm": None}, "another method"),
        ({"htm": "get"}, "another method"),
        ({"htu": f"{URL}s"}, "another address"),
        ({"htu": "https://evil.example/v1/trial"}, "another address"),
        ({"htu": "http://verify.example.gov/v1/trial"}, "another address"),
        ({"htu": "https://verify.example.gov:444/v1/trial"}, "another address"),
        ({"htu": "https://user@verify.example.gov/v1/trial"}, "another address"),
        ({"htu": "https://[verify/v1/trial"}, "another address"),
        ({"htu": "/v1/trial"}, "another address"),
        ({"htu": 7}, "another address"),
        ({"htu": None}, "another address"),
        ({"ath": None}, "another access token"),
        ({"ath": "x" * 43}, "another access token"),
        ({"iat": None}, "lacks a usable iat"),
        ({"iat": True}, "lacks a usable iat"),
        ({"iat": "now"}, "lacks a usable iat"),
        ({"jti": None}, "lacks a usable jti"),
        ({"jti": ""}, "lacks a usable jti"),
        ({"jti": "x" * 257}, "lacks a usable jti"),
        ({"jti": 7}, "lacks a usable jti"),
    ],
)
def test_a_claim_that_is_missing_or_wrong_is_named(refusal, prove, changed, words):
    error, detail = refusal(prove(**changed))
    assert error == "invalid_dpop_proof"
    assert words in detail


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"typ": "JWT"}, "its typ must be dpop+jwt"),
        ({"typ": "at+jwt"}, "its typ must be dpop+jwt"),
        ({"crit": ["b64"]}, "extensions"),
        ({"jwk": None}, "public P-256 key"),
        ({"jwk": "x"}, "public P-256 key"),
        ({"jwk": {"kty": "oct", "k": "c2VjcmV0"}}, "public P-256 key"),
        ({"jwk": {"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"}}, "public P-256 key"),
        ({"jwk": {"kty": "EC", "crv": "P-256", "x": "AA"}}, "public P-256 key"),
        ({"jwk": {"kty": "EC", "crv": "P-256", "x": 7, "y": "AA"}}, "public P-256 key"),
    ],
)
def test_a_header_that_is_not_a_proofs_is_refused(refusal, prove, headers, words):
    error, detail = refusal(prove(headers=headers))
    assert error == "invalid_dpop_proof"
    assert words in detail


def test_a_private_key_in_the_proof_is_refused(refusal, prove, key):
    _, detail = refusal(prove(headers={"jwk": {**key.jwk, "d": "AAAA"}}))
    assert "gives its private key away" in detail


def test_an_algorithm_that_anybody_can_sign_with_is_refused(refusal, prove, key):
    shared = prove(headers={"jwk": {"kty": "oct", "k": "c2VjcmV0"}}, algorithm="HS256", key="x" * 32)
    assert "must be signed with one of ES256, EdDSA" in refusal(shared)[1]
    header = base64url(json.dumps({"alg": "none", "typ": "dpop+jwt", "jwk": key.jwk}).encode())
    claims = prove().split(".")[1]
    assert "must be signed with one of" in refusal(f"{header}.{claims}.c2ln")[1]


def test_a_stolen_token_does_not_serve_with_another_key(refusal, bound, clock, nonce):
    other = DpopKey()
    error, detail = refusal(other.proof(bound, "GET", URL, clock.now(), nonce))
    assert (error, "signed with another key than the access token is bound to" in detail) == ("invalid_token", True)


def test_a_key_that_is_only_named_does_not_sign(refusal, prove):
    assert "signature of the DPoP proof does not fit" in refusal(prove(key=DpopKey().private))[1]


@pytest.mark.parametrize("jwk", [{"x": "AA", "y": "AA"}, {"x": "!", "y": "ü"}, {"x": "", "y": ""}])
def test_a_point_that_is_no_key_is_refused(authenticator, token, clock, nonce, jwk):
    key = DpopKey()
    key.jwk |= jwk
    bound = token(jkt=thumbprint(key.jwk))
    with pytest.raises(NotAuthenticated, match="is no public key"):
        authenticator.admit(Shown(f"DPoP {bound}", key.proof(bound, "GET", URL, clock.now(), nonce), "GET", URL))


@pytest.mark.parametrize("proof", [None, "", "x", "a.b", "a.b.c.d", "ü.b.c", "a.b.c", "a" * 5000 + ".b.c"])
def test_what_is_no_proof_is_refused(refusal, proof):
    assert refusal(proof)[0] == "invalid_dpop_proof"


def test_two_proofs_in_one_request_are_refused(refusal, prove):
    # A server joins the values of two headers of one name with a comma.
    assert "must be one proof" in refusal(f"{prove()},{prove()}")[1]
    assert "must be one proof" in refusal(f"{prove()}, {prove()}")[1]


@pytest.mark.parametrize(
    ("htu", "url"),
    [
        ("HTTPS://Verify.Example.GOV:443/v1/trial?limit=5#top", URL),
        (f"{PUBLIC_URL}/v1/%74rial", URL),
        (f"{PUBLIC_URL}/v1/a%20b%2dc", f"{PUBLIC_URL}/v1/a b-c"),
        (PUBLIC_URL, f"{PUBLIC_URL}/"),
        ("http://127.0.0.1/x", "http://127.0.0.1:80/x"),
    ],
)
def test_addresses_are_compared_in_one_form(authenticator, bound, prove, htu, url):
    assert authenticator.admit(Shown(f"DPoP {bound}", prove(url=htu), "GET", url))


def test_a_clock_may_be_wrong_by_five_minutes_and_no_more(authenticator, refusal, bound, prove, clock):
    now = clock.now().timestamp()
    for iat in (now - 300, now + 300, now + 0.5):
        assert authenticator.admit(Shown(f"DPoP {bound}", prove(iat=iat), "GET", URL))
    for iat in (now - 301, now + 301):
        assert "5 minutes from now: set the clock" in refusal(prove(iat=iat))[1]


@pytest.mark.parametrize("nonce_sent", [None, "", "x" * 22, "ü"])
def test_without_a_nonce_of_ours_the_refusal_gives_one(authenticator, bound, prove, nonce, nonce_sent):
    with pytest.raises(NotAuthenticated) as refused:
        authenticator.admit(Shown(f"DPoP {bound}", prove(nonce=nonce_sent), "GET", URL))
    assert refused.value.challenge == {"nonce": nonce}


def test_a_nonce_serves_for_its_minute_and_the_next(authenticator, refusal, bound, key, clock, nonce):
    def ask():
        proof = key.proof(bound, "GET", URL, clock.now(), nonce)
        return authenticator.admit(Shown(f"DPoP {bound}", proof, "GET", URL)).nonce

    begun = clock.now().timestamp() % 60
    clock.advance(seconds=59 - begun)
    assert ask() is None
    clock.advance(seconds=1)
    newer = ask()
    assert newer not in {None, nonce}
    clock.advance(seconds=59)
    assert ask() == newer
    clock.advance(seconds=1)
    assert refusal(key.proof(bound, "GET", URL, clock.now(), nonce))[0] == "use_dpop_nonce"


def test_nonces_are_the_departments_own_and_each_minutes_own(clock):
    nonces = Nonces(sealed_vault("LAPD", "SFPD"))
    assert nonces.window("LAPD", nonces.current("LAPD", clock.now()), clock.now()) is not None
    first = nonces.current("LAPD", clock.now())
    clock.advance(minutes=1)
    assert nonces.current("LAPD", clock.now()) != first


def test_a_bound_token_does_not_serve_as_bearer_nor_an_unbound_one_with_a_proof(
    authenticator, refusal, bound, token, key, clock, nonce
):
    with pytest.raises(NotAuthenticated, match="bound to a key: send it as Authorization: DPoP"):
        authenticator.admit(Shown(f"Bearer {bound}"))
    unbound = token()
    error, detail = refusal(key.proof(unbound, "GET", URL, clock.now(), nonce), token=unbound)
    assert (error, "bound to no key" in detail) == ("invalid_token", True)


def test_only_where_the_development_issuer_serves_is_an_unbound_token_taken(admitting, served_issuer, token):
    strict = admitting(served_issuer.url, bearer=False)
    with pytest.raises(NotAuthenticated, match="Authorization: DPoP …, and a proof") as refused:
        strict.admit(Shown(f"Bearer {token()}"))
    assert refused.value.error is None


# Over HTTP.


@pytest.fixture
def sent(bound, prove):
    def headers(method="GET", url=URL, **changed):
        return {"Authorization": f"DPoP {bound}", "DPoP": prove(method, url, **changed)}

    return headers


def test_a_proof_serves_once(client, sent):
    headers = sent()
    assert client.get("/v1/trial?limit=5", headers=headers).json["limit"] == 5
    again = client.get("/v1/trial", headers=headers)
    assert again.status_code == 401
    assert 'error="invalid_dpop_proof"' in again.headers["WWW-Authenticate"]
    assert "served for another request already" in again.json["detail"]
    assert client.get("/v1/trial", headers=sent()).status_code == 200


def test_a_proof_of_a_refused_request_is_spent_too(client, sent, authenticator):
    store = authenticator._spent["LAPD"]._store
    for number, wrong in enumerate(({"json": {"label": ""}}, {"data": b"{"}), 1):
        headers = {**sent("POST"), "Idempotency-Key": "k"}
        assert client.post("/v1/trial", headers=headers, **wrong).status_code in {415, 422}
        assert len(store.spent) == number


def test_that_a_proof_cannot_be_spent_hides_no_other_refusal(client, sent, authenticator):
    def fail(*_):
        raise StorageUnavailable("Nothing was recorded.")

    authenticator._spent["LAPD"]._store.spend = fail
    headers = {**sent("POST"), "Idempotency-Key": "k"}
    assert client.post("/v1/trial", json={"label": ""}, headers=headers).status_code == 422
    assert client.get("/v1/trial", headers=sent()).status_code == 503


def test_the_refusal_without_a_nonce_gives_one_and_the_retry_is_answered(client, sent):
    first = client.get("/v1/trial", headers=sent(nonce=None))
    assert first.status_code == 401
    assert 'error="use_dpop_nonce"' in first.headers["WWW-Authenticate"]
    assert client.get("/v1/trial", headers=sent(nonce=first.headers["DPoP-Nonce"])).status_code == 200


def test_an_answer_brings_the_newer_nonce_also_where_it_refuses(client, sent, clock, nonce):
    assert "DPoP-Nonce" not in client.get("/v1/trial", headers=sent()).headers
    clock.advance(minutes=1)
    newer = Nonces(sealed_vault()).current("LAPD", clock.now())
    assert client.get("/v1/trial", headers=sent()).headers["DPoP-Nonce"] == newer
    assert client.get("/v1/trial?limit=x", headers=sent()).headers["DPoP-Nonce"] == newer


def test_the_host_that_a_request_names_is_not_believed(client, sent):
    headers = {**sent(url="https://evil.example/v1/trial"), "Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    refused = client.get("/v1/trial", headers=headers)
    assert (refused.status_code, "must be https://verify.example.gov/v1/trial" in refused.json["detail"]) == (401, True)


def test_the_challenge_names_the_scheme_that_was_used_first(client, bearer, token, key):
    bound = client.get("/v1/trial", headers={"Authorization": f"Bearer {token(jkt=key.jkt)}"})
    assert bound.headers["WWW-Authenticate"].startswith('Bearer realm="verify-service", error="invalid_token"')
    assert bound.headers["WWW-Authenticate"].endswith('DPoP realm="verify-service", algs="ES256 EdDSA"')


def test_without_the_development_issuer_only_dpop_is_offered(backend, admitting, served_issuer, bearer, sent):
    strict = replace(backend, authenticator=admitting(served_issuer.url, bearer=False))
    client = create_app(strict, [*SHELL, trial]).test_client()
    refused = client.get("/v1/trial", headers=bearer())
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"] == 'DPoP realm="verify-service", algs="ES256 EdDSA"'
    assert client.get("/v1/trial", headers=sent()).status_code == 200
