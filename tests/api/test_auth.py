"""Only a token that this service's issuer made for this service, here and now, makes a caller."""

from __future__ import annotations

import base64
import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from tests.api.conftest import AUDIENCE
from verify_service.caller import Caller
from verify_service.errors import NotAllowed, NotAuthenticated, Unavailable
from verify_service.web.dpop import Shown
from verify_service.web.issuer_keys import IssuerKeys


@pytest.fixture
def refusal(authenticator):
    def words(token):
        with pytest.raises(NotAuthenticated) as refused:
            authenticator.admit(Shown(f"Bearer {token}"))
        return refused.value.detail

    return words


def test_a_good_token_says_who_calls(authenticator, served_issuer, sign):
    expected = Caller(
        issuer=served_issuer.url,
        subject="u1",
        serial="38211",
        department="LAPD",
        command="Central Area",
        role="officer",
        scopes=frozenset({"verify:submit", "case:read"}),
        client_id="phone",
    )
    assert authenticator.admit(Shown(f"Bearer {sign()}")).caller == expected
    assert (
        authenticator.admit(Shown(f"bearer  {sign(aud=['other', AUDIENCE], command=None, nbf=0)} ")).caller.command
        is None
    )
    assert authenticator.admit(Shown(f"Bearer {sign(headers={'typ': 'application/at+jwt'})}")).caller == expected


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "DPoP ", "Basic dTpw"])
def test_without_a_token_the_challenge_names_no_error(authenticator, header):
    with pytest.raises(NotAuthenticated, match="Authorization: Bearer") as refused:
        authenticator.admit(Shown(header))
    assert refused.value.error is None


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"iss": "https://evil.example"}, "another issuer's"),
        ({"iss": None}, "another issuer's"),
        ({"aud": "https://other.example"}, f"ask for one with aud {AUDIENCE}"),
        ({"aud": None}, "for another service"),
        ({"aud": ["a", "b"]}, "for another service"),
        ({"aud": {}}, "for another service"),
        ({"exp": None}, "lacks a usable exp"),
        ({"exp": "tomorrow"}, "lacks a usable exp"),
        ({"exp": True}, "lacks a usable exp"),
        ({"iat": None}, "lacks a usable iat"),
        ({"nbf": "x"}, "lacks a usable nbf"),
        ({"jti": None}, "lacks a usable jti"),
        ({"sub": None}, "lacks a usable sub"),
        ({"sub": 5}, "lacks a usable sub"),
        ({"serial": 38211}, "lacks a usable serial"),
        ({"serial": ""}, "lacks a usable serial"),
        ({"serial": "x" * 257}, "lacks a usable serial"),
        ({"serial": "3\n8"}, "lacks a usable serial"),
        ({"department": None}, "lacks a usable department"),
        ({"role": None}, "lacks a usable role"),
        ({"client_id": None}, "lacks a usable client_id"),
        ({"command": 3}, "lacks a usable command"),
        ({"command": "C" * 65}, "lacks a usable command"),
        ({"serial": "382 11"}, "lacks a usable serial"),
        ({"scope": ["case:read"]}, "must be one text"),
        ({"cnf": {"jkt": "x"}}, "bound in a way that is not known here"),
        ({"cnf": {"jkt": 7}}, "bound in a way that is not known here"),
        ({"cnf": {}}, "bound in a way that is not known here"),
        ({"cnf": "x"}, "bound in a way that is not known here"),
        ({"cnf": {"x5t#S256": "x" * 43}}, "bound in a way that is not known here"),
        ({"cnf": {"jkt": "x" * 43, "x5t#S256": "x" * 43}}, "bound in a way that is not known here"),
        ({"cnf": {"jkt": "x" * 43}}, "bound to a key: send it as Authorization: DPoP"),
    ],
)
def test_a_claim_that_is_missing_or_wrong_is_named(refusal, sign, changed, words):
    assert words in refusal(sign(**changed))


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"typ": "JWT"}, "typ must be at+jwt"),
        ({"typ": None}, "typ must be at+jwt"),
        ({"typ": "id+jwt"}, "typ must be at+jwt"),
        ({"crit": ["exp"]}, "extensions"),
        ({"kid": "other"}, "a key that the issuer does not publish"),
    ],
)
def test_a_header_that_is_not_an_access_tokens_is_refused(refusal, sign, headers, words):
    assert words in refusal(sign(headers=headers))


def test_times_are_judged_by_our_clock_with_thirty_seconds_for_the_start_and_none_for_the_end(
    authenticator, refusal, sign, clock
):
    now = clock.now().timestamp()
    assert authenticator.admit(Shown(f"Bearer {sign(iat=now + 30, nbf=now + 30)}")).caller
    assert "valid only in 31 seconds" in refusal(sign(iat=now + 31))
    assert "valid only in 2 minutes" in refusal(sign(nbf=now + 150))
    assert authenticator.admit(Shown(f"Bearer {sign(exp=now + 0.5)}")).caller
    assert "expired 0 seconds ago: sign in again" in refusal(sign(exp=now))
    assert "expired 1 second ago" in refusal(sign(exp=now - 1))
    assert refusal(sign(exp=now - 3 * 60)) == "The access token expired 3 minutes ago: sign in again."
    assert "expired 1 hour ago" in refusal(sign(exp=now - 3600))
    assert "expired 2 days ago" in refusal(sign(exp=now - 2 * 86400))


def unsigned(header, claims="{}"):
    segments = (base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in (header, claims))
    return ".".join(segments) + ".c2ln"


HOSTILE = {
    "no token": "x",
    "two segments": "a.b",
    "four segments": "a.b.c.d",
    "an empty signature": unsigned('{"alg":"none","typ":"at+jwt","kid":"k"}').removesuffix("c2ln"),
    "other characters": "a.b.ü",
    "a long token": "a" * 9000 + ".b.c",
    "no base64": "a.b.c",
    "no JSON": unsigned("{"),
    "no object": unsigned("[]"),
    "5,000 brackets": unsigned("[" * 5000),
    "a header given twice": unsigned('{"alg":"none","alg":"ES256","typ":"at+jwt","kid":"k"}'),
    "5,000 digits": unsigned('{"alg":' + "1" * 4000 + "}"),
    "no algorithm": unsigned('{"typ":"at+jwt","kid":"k"}'),
    "none": unsigned('{"alg":"none","typ":"at+jwt","kid":"k"}'),
    "HS256": unsigned('{"alg":"HS256","typ":"at+jwt","kid":"k"}'),
    "ES384": unsigned('{"alg":"ES384","typ":"at+jwt","kid":"k"}'),
    "a list as algorithm": unsigned('{"alg":["ES256"],"typ":"at+jwt","kid":"k"}'),
    "a number as typ": unsigned('{"alg":"ES256","typ":7,"kid":"k"}'),
    "no key id": unsigned('{"alg":"ES256","typ":"at+jwt"}'),
    "an object as key id": unsigned('{"alg":"ES256","typ":"at+jwt","kid":{}}'),
}


@pytest.mark.parametrize("token", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_token_is_refused_and_breaks_nothing(refusal, token):
    assert refusal(token)


def test_a_good_token_that_is_written_otherwise_or_is_too_long_is_refused(refusal, sign):
    assert "cannot be read" in refusal(sign() + "=")
    assert "cannot be read" in refusal(sign(extra="x" * 8192))


def test_a_public_key_does_not_serve_as_a_shared_secret(refusal, served_issuer, sign, clock):
    public = served_issuer.issuer._key.public_key()
    token = sign().rsplit(".", 1)[0]
    assert "does not fit" in refusal(f"{token}.{base64.urlsafe_b64encode(b'x' * 64).decode().rstrip('=')}")
    assert "does not fit" in refusal(sign(key=ec.generate_private_key(ec.SECP256R1())))
    secret = json.dumps(jwt.algorithms.ECAlgorithm.to_jwk(public))
    assert "must be signed with one of" in refusal(sign(key=secret, algorithm="HS256"))


def test_altered_claims_do_not_fit_the_signature(refusal, sign):
    header, _, signature = sign().split(".")
    claims = sign(role="supervisor").split(".")[1]
    assert "does not fit" in refusal(f"{header}.{claims}.{signature}")


def test_another_department_or_an_unknown_role_is_not_served(authenticator, sign):
    with pytest.raises(NotAllowed, match="department is not served here"):
        authenticator.admit(Shown(f"Bearer {sign(department='LASD')}"))
    with pytest.raises(NotAllowed, match="role is not known here: it must be one of officer, dispatcher"):
        authenticator.admit(Shown(f"Bearer {sign(role='chief')}"))


def test_a_remembered_token_ends_when_it_says(authenticator, sign, clock):
    token = f"Bearer {sign()}"
    assert authenticator.admit(Shown(token)).caller is authenticator.admit(Shown(token)).caller
    clock.advance(seconds=299)
    authenticator.admit(Shown(token))
    clock.advance(seconds=1)
    with pytest.raises(NotAuthenticated, match="expired 0 seconds ago"):
        authenticator.admit(Shown(token))


def test_a_remembered_token_ends_with_its_key(authenticator, served_issuer, sign, clock):
    token = f"Bearer {sign(exp=clock.now().timestamp() + 3600)}"
    authenticator.admit(Shown(token))
    served_issuer.rotate()
    clock.advance(minutes=5)
    # The first call after five minutes refreshes the keys aside, and the next sees that its own is gone.
    for _ in range(2):
        try:
            authenticator.admit(Shown(token))
        except NotAuthenticated as error:
            refused = error
    assert "does not publish" in refused.detail


def test_only_the_latest_tokens_are_remembered(served_issuer, admitting, sign):
    authenticator = admitting(served_issuer.url, remember=2)
    first, second, third = (f"Bearer {sign(jti=str(n))}" for n in range(3))
    callers = [authenticator.admit(Shown(token)).caller for token in (first, second)]
    assert authenticator.admit(Shown(first)).caller is callers[0]
    authenticator.admit(Shown(third))
    assert authenticator.admit(Shown(first)).caller is callers[0]
    assert authenticator.admit(Shown(second)).caller is not callers[1]


@pytest.mark.parametrize(
    ("algorithm", "make"),
    [
        ("RS256", lambda: rsa.generate_private_key(65537, 2048)),
        ("PS256", lambda: rsa.generate_private_key(65537, 2048)),
        ("EdDSA", ed25519.Ed25519PrivateKey.generate),
    ],
)
def test_other_issuers_algorithms_are_taken(admitting, clock, algorithm, make, sign):
    private = make()
    public = jwt.get_algorithm_by_name(algorithm).to_jwk(private.public_key(), as_dict=True)
    authenticator, token = with_published(admitting, clock, [{**public, "kid": "k1"}], sign, private, algorithm)
    assert authenticator.admit(Shown(f"Bearer {token}")).caller.serial == "38211"


def with_published(admitting, clock, jwks, sign, private, algorithm):
    """An authenticator of an issuer that publishes these keys, and a token that one of them should verify."""
    url = "https://login.example.gov"
    documents = {
        f"{url}/.well-known/openid-configuration": {"issuer": url, "jwks_uri": f"{url}/keys"},
        f"{url}/keys": {"keys": jwks},
    }
    keys = IssuerKeys(url, clock, fetch=lambda address: json.dumps(documents[address]).encode())
    authenticator = admitting(url, keys=keys)
    return authenticator, sign(iss=url, headers={"kid": "k1"}, key=private, algorithm=algorithm)


@pytest.mark.parametrize(
    "change",
    [
        {"use": "enc"},
        {"alg": "PS256"},
        {"kid": None},
        {"n": "!"},
        {"n": None},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "EC"},
        {"crv": "P-256"},
    ],
)
def test_a_published_key_that_is_not_for_this_is_passed_over(admitting, clock, sign, change):
    private = rsa.generate_private_key(65537, 2048)
    public = jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
    other = jwt.algorithms.OKPAlgorithm().to_jwk(ed25519.Ed25519PrivateKey.generate().public_key(), as_dict=True)
    unfit = {name: value for name, value in {**public, "kid": "k1", **change}.items() if value is not None}
    authenticator, token = with_published(admitting, clock, [7, unfit, {**other, "kid": "k2"}], sign, private, "RS256")
    with pytest.raises(NotAuthenticated, match="does not publish"):
        authenticator.admit(Shown(f"Bearer {token}"))


def test_a_private_key_that_the_issuer_lets_slip_is_not_trusted(admitting, clock, sign):
    private = ed25519.Ed25519PrivateKey.generate()
    leaked = {**jwt.algorithms.OKPAlgorithm().to_jwk(private, as_dict=True), "kid": "k1"}
    assert "d" in leaked
    authenticator, token = with_published(admitting, clock, [leaked], sign, private, "EdDSA")
    with pytest.raises(Unavailable):
        authenticator.admit(Shown(f"Bearer {token}"))


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_a_short_rsa_key_is_passed_over(admitting, clock, sign):
    private = rsa.generate_private_key(65537, 1024)  # noqa: S505 - Its size is what is refused.
    public = jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
    authenticator, token = with_published(admitting, clock, [{**public, "kid": "k1"}], sign, private, "RS256")
    with pytest.raises(Unavailable):
        authenticator.admit(Shown(f"Bearer {token}"))
