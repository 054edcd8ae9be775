"""A policy file says whom to trust, as C2SP tlog-policy has it, and is refused with the line that is wrong."""

from __future__ import annotations

import pytest

from tests.fakes.clock import START
from tests.fakes.keys import ORIGIN, signer
from tests.fakes.witnesses import cosigned, cosigner
from verify_service.errors import PolicyMalformed, QuorumMissing, SignatureInvalid
from verify_service.record_log.checkpoint import Checkpoint
from verify_service.record_log.cosignature import WitnessKey
from verify_service.record_log.term import Bound, Term
from verify_service.record_log.trust import TrustPolicy

NOTE = Checkpoint(ORIGIN, 7, bytes(32)).sign(signer())
ONE, TWO, THREE, FOUR = (cosigner(number) for number in range(1, 5))
AT = "2026-11-24T10:00:00Z"
LOG = f"log {signer().key.vkey}\n"
WITNESSES = "".join(f"witness {name} {by.key.vkey}\n" for name, by in zip("abcd", (ONE, TWO, THREE, FOUR), strict=True))
HEAD = LOG + WITNESSES


@pytest.mark.parametrize(
    ("quorum", "enough", "too_few"),
    [
        ("quorum a\n", [(ONE,), (ONE, TWO)], [(), (TWO,)]),
        ("group g any a b\nquorum g\n", [(ONE,), (TWO,)], [(), (THREE,)]),
        ("group g all a b\nquorum g\n", [(ONE, TWO)], [(ONE,), (TWO, THREE)]),
        ("group g 2 a b c\nquorum g\n", [(ONE, THREE), (ONE, TWO, THREE)], [(ONE,), (ONE, FOUR)]),
        ("group g 2 a b c\ngroup h all g d\nquorum h\n", [(ONE, TWO, FOUR)], [(ONE, TWO, THREE), (ONE, FOUR)]),
        ("quorum none\n", [(), (ONE,)], []),
    ],
)
def test_a_quorum_is_what_the_policy_says(quorum, enough, too_few):
    policy = TrustPolicy.parse(HEAD + quorum)
    for cosigners in enough:
        assert len(policy.accept(cosigned(NOTE, *cosigners)).cosigned) == len(cosigners)
    for cosigners in too_few:
        with pytest.raises(QuorumMissing, match="ask for a receipt that is witnessed"):
            policy.accept(cosigned(NOTE, *cosigners))


def test_the_time_of_a_cosignature_is_read_and_signed_for():
    policy = TrustPolicy.parse(HEAD + "quorum a\n")
    note = cosigned(NOTE, ONE)
    assert policy.accept(note).cosigned == {"a": START}
    name, _, line = note.splitlines()[-1].rpartition(" ")
    key_id, later = ONE.key.key_id, int(START.timestamp()) + 1
    spoiled = forged(line, later.to_bytes(8, "big"))
    with pytest.raises(SignatureInvalid):
        policy.accept(f"{NOTE}{name} {spoiled}\n")
    with pytest.raises(SignatureInvalid, match="does not say when"):
        policy.accept(f"{NOTE}{name} {forged(line, bytes(8))}\n")
    with pytest.raises(SignatureInvalid, match="does not say when"):
        policy.accept(f"{NOTE}{name} {forged(line, bytes([255]) * 8)}\n")
    assert key_id == WitnessKey.parse(ONE.key.vkey).key_id


def forged(line, time):
    import base64  # noqa: PLC0415

    raw = base64.b64decode(line)
    return base64.b64encode(raw[:4] + time + raw[12:]).decode()


def test_a_cosignature_of_another_checkpoint_proves_nothing():
    policy = TrustPolicy.parse(HEAD + "quorum a\n")
    other = cosigned(Checkpoint(ORIGIN, 8, bytes(32)).sign(signer()), ONE).splitlines(keepends=True)[-1]
    with pytest.raises(SignatureInvalid, match=r"witness.example/w1"):
        policy.accept(NOTE + other)


def test_a_log_cannot_stand_in_for_a_witness():
    log_as_witness = f"{LOG}witness a {ONE.key.vkey}\nquorum a\n"
    with pytest.raises(QuorumMissing):
        TrustPolicy.parse(log_as_witness).accept(NOTE + NOTE.splitlines(keepends=True)[-1])


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("quorum nobody\n", "names no witness or group"),
        ("quorum a\nquorum a\n", "no such line here"),
        ("group g 2 a\nquorum g\n", "cannot be asked"),
        ("group g 0 a\nquorum g\n", "cannot be asked"),
        ("group g 01 a\nquorum g\n", "cannot be asked"),
        ("group g any\nquorum none\n", "no such line here"),
        ("group g any a a\nquorum g\n", "counts once"),
        ("group g any a\ngroup h all a g\nquorum h\n", "counts once"),
        ("group g any h\ngroup h any a\nquorum g\n", "names no witness or group"),
        ("group a any b\nquorum a\n", "is taken"),
        ("group none any b\nquorum none\n", "is taken"),
        (f"witness e {ONE.key.vkey}\nquorum a\n", "same public key"),
        (f"witness e {signer().key.vkey}\nquorum a\n", "type 0x04"),
        (f"{LOG}quorum a\n", "same public key"),
        (f"log {ONE.key.vkey}\nquorum a\n", "type 0x01"),
        (f"until {signer().key.vkey} 3 yesterday\nquorum a\n", "not an RFC 3339 time"),
        (f"until {signer().key.vkey} 3 2026-11-24T10:00:00\nquorum a\n", "not an RFC 3339 time"),
        (f"until {signer().key.vkey} 03 {AT}\nquorum a\n", "not a plain decimal"),
        (f"until {signer('other.example').key.vkey} 3 {AT}\nquorum a\n", "no log line above it"),
        (f"until {signer().key.vkey} 3 {AT}\nuntil {signer().key.vkey} 4 {AT}\nquorum a\n", "leave one `until`"),
        (f"until {signer().key.vkey} 3 {AT}\nafter {signer().key.vkey} 4 {AT}\nquorum a\n", "before it begins"),
        ("quorum a\r\n", "control character"),
        ("group g any a\u2003b\nquorum g\n", "names no witness or group"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused_with_its_line(lines, says):
    with pytest.raises(PolicyMalformed, match=says) as refused:
        TrustPolicy.parse(HEAD + lines)
    assert refused.value.detail.startswith("Line ")


def test_a_policy_without_a_quorum_is_none():
    with pytest.raises(PolicyMalformed, match="no quorum line"):
        TrustPolicy.parse(HEAD)


def test_what_is_written_is_read_back_without_addresses():
    text = f"# our logs\n\n\t{LOG}until {signer().key.vkey} 9 {AT}\n"
    text += f"witness a {ONE.key.vkey} https://w.example/\nwitness b {TWO.key.vkey}\n"
    policy = TrustPolicy.parse(text + "group g all a b\nquorum g\n")
    assert policy.witnesses["a"].url == "https://w.example/"
    again = TrustPolicy.parse(policy.text())
    assert (again.logs, again.terms, again.groups, again.quorum) == (policy.logs, policy.terms, policy.groups, "g")
    assert policy.terms == {signer().key: Term(until=Bound(9, AT))}
    assert [w.url for w in again.witnesses.values()] == [None, None]
