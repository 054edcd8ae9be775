"""Attacks 8 to 14, 16 and 23 on the registry: too few keys, others' keys, and delegations that reach too far."""

import json
import shutil

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import DelegatedRole, Delegations, Key, SuccinctRoles

from tests.attack.thief import announce, rotate, sign
from verify_service.registry.agency import roster_path


def test_r08_fewer_signatures_than_the_threshold_are_refused_for_that_agency(besieged, sample):
    sign(sample, "DHS-ICE", *sample.keys.load("DHS-ICE")[:1])
    besieged.refuses_ice("was signed by 1/2 keys")


def test_r08_fewer_signatures_than_the_authoritys_threshold_are_refused(besieged, sample):
    sign(sample, "targets", *sample.keys.load("targets")[:1])
    sample.release()
    besieged.refuses_all("was signed by 1/2 keys")


def test_r08_one_signature_that_stands_twice_is_refused(besieged, sample):
    path = sign(sample, "DHS-ICE", *sample.keys.load("DHS-ICE")[:1])
    metadata = json.loads(path.read_bytes())
    metadata["signatures"] *= 2
    path.write_bytes(json.dumps(metadata).encode())
    besieged.refuses_ice("is refused by TUF")


@pytest.mark.parametrize("written", [str, str.upper])
def test_r08_one_key_under_two_names_does_not_count_twice(besieged, sample, written):
    (first, *_) = sample.keys.load("DHS-ICE")

    def name_it_twice(signed):
        public = {"public": written(first.public_key.keyval["public"])}
        second = Key.from_dict("f" * 64, {**first.public_key.to_dict(), "keyval": public})
        signed.delegations.keys[second.keyid] = second
        signed.delegations.roles["DHS-ICE"].keyids.append(second.keyid)

    sample.resign("targets", name_it_twice)
    path = sign(sample, "DHS-ICE", first)
    metadata = json.loads(path.read_bytes())
    metadata["signatures"] += [{**metadata["signatures"][0], "keyid": "f" * 64}]
    path.write_bytes(json.dumps(metadata).encode())
    besieged.refuses_ice("one has two names")


def test_r08_an_authority_with_one_key_under_two_names_is_refused(besieged, sample):
    (first, *_) = sample.keys.load("targets")

    def name_it_twice(signed):
        second = Key.from_dict("f" * 64, first.public_key.to_dict())
        signed.keys[second.keyid] = second
        signed.roles["targets"].keyids.append(second.keyid)

    sample.resign("root", name_it_twice)
    besieged.refuses_all("one has two names")


def test_r09_an_agency_signed_by_anothers_keys_is_refused(besieged, sample):
    sign(sample, "DHS-ICE", *sample.keys.load("DHS-CBP"))
    besieged.refuses_ice("was signed by 0/2 keys")


def test_r10_an_agency_that_lists_anothers_roster_beside_its_own_is_refused(besieged, sample):
    sample.add_target("DHS-ICE", roster_path("DHS-CBP"))
    besieged.refuses_ice("signs for other files than its roster")


@pytest.mark.parametrize(
    ("paths", "terminating"),
    [
        (["rosters/*/*"], True),
        (["rosters/*/roster.jsonl"], True),
        (["rosters/DHS-?CE/roster.jsonl"], True),
        (["rosters/DHS-ICE/roster.jsonl", "rosters/DHS-CBP/roster.jsonl"], True),
        (["rosters/DHS-CBP/roster.jsonl", "rosters/DHS-CBP/roster.jsonl"], True),
        (["rosters/DHS-CBP/roster.jsonl"], False),
        (["rosters/DHS-ICE/roster.jsonl"], True),
    ],
)
def test_r11_a_delegation_that_reaches_further_than_its_agency_stops_everything(besieged, sample, paths, terminating):
    def widen(signed):
        role = signed.delegations.roles["DHS-CBP"]
        signed.delegations.roles["DHS-CBP"] = DelegatedRole("DHS-CBP", role.keyids, 2, terminating, paths)

    sample.resign("targets", widen)
    besieged.refuses_all("'DHS-CBP' something else")


def test_r11_a_delegation_by_the_digest_of_a_path_stops_everything(besieged, sample):
    def widen(signed):
        role = signed.delegations.roles["DHS-CBP"]
        signed.delegations.roles["DHS-CBP"] = DelegatedRole("DHS-CBP", role.keyids, 2, True, path_hash_prefixes=[""])

    sample.resign("targets", widen)
    besieged.refuses_all("'DHS-CBP' something else")


def test_r11_hash_bins_stop_everything(besieged, sample):
    def widen(signed):
        keys = signed.delegations.keys
        signed.delegations = Delegations(keys, succinct_roles=SuccinctRoles(list(keys)[:3], 2, 4, "bin"))

    sign(sample, "targets", *sample.keys.load("targets"), change=widen)
    announce(sample, "targets")
    besieged.refuses_all("hash bins instead of to agencies by name")


def test_r11_a_pattern_that_stands_before_all_agencies_stops_everything(besieged, sample):
    def put_first(signed):
        ours = signed.delegations.roles
        first = DelegatedRole("AAA", ours["DHS-CBP"].keyids, 2, False, ["rosters/*/*"])
        signed.delegations.roles = {"AAA": first, **ours}

    sign(sample, "targets", *sample.keys.load("targets"), change=put_first)
    announce(sample, "targets")
    besieged.refuses_all("'AAA' something else")


def test_r12_an_agency_cannot_publish_another_ones_roster(besieged, sample):
    theirs = sample.next_roster("DHS-CBP", sample.known("DHS-CBP", status="lost"))
    sample.publish_roster("DHS-ICE", theirs)
    besieged.refuses_ice("says that it is of DHS-CBP")


def test_r12_not_even_one_that_is_stored_already(besieged, sample):
    sample.publish_roster("DHS-ICE", sample.roster("DHS-CBP"))
    besieged.refuses_ice("says that it is of DHS-CBP")


def test_r13_a_revoked_key_no_longer_counts_and_the_new_one_does(besieged, sample):
    first, _, revoked = sample.keys.load("DHS-ICE")
    new = CryptoSigner.generate_ed25519()

    def replace_the_third(signed):
        signed.revoke_key(revoked.public_key.keyid, "DHS-ICE")
        signed.add_key(new.public_key, "DHS-ICE")

    sample.resign("targets", replace_the_third)
    sign(sample, "DHS-ICE", first, revoked)
    besieged.refuses_ice("was signed by 1/2 keys")
    sign(sample, "DHS-ICE", first, new)
    sample.release()
    assert besieged.ingest().refusals == []


def test_r14_a_root_that_the_old_roots_keys_did_not_sign_is_not_followed(besieged, sample):
    rotate(sample, "root", 9)
    sample.publisher.root()
    besieged.refuses_all("was signed by 0/3 keys")


def test_r14_not_even_where_too_few_of_the_old_ones_did(besieged, sample):
    old = rotate(sample, "root", 9)
    sample.publisher.root()
    new = sample.keys.load("root")
    sample.newest("root").unlink()

    def name_the_new_ones(signed):
        for signer in old:
            signed.revoke_key(signer.public_key.keyid, "root")
        for signer in new:
            signed.add_key(signer.public_key, "root")

    sign(sample, "root", *new, *old[:2], change=name_the_new_ones)
    besieged.refuses_all("was signed by 2/3 keys")


def drop_ice(snapshot):
    del snapshot.meta["DHS-ICE.json"]


def test_r16_an_agency_is_not_dropped_by_who_stole_the_online_keys(besieged, sample):
    sign(sample, "snapshot", *sample.keys.load("snapshot"), change=drop_ice)
    sample.publisher.timestamp()
    besieged.refuses_all("missing info for 'DHS-ICE.json'")


def test_r16_not_even_where_the_folder_was_wiped(besieged, sample):
    shutil.rmtree(besieged.folder)
    sign(sample, "snapshot", *sample.keys.load("snapshot"), change=drop_ice)
    sample.publisher.timestamp()
    (refusal,) = besieged.ingest().refusals
    assert refusal.agency == "DHS-ICE"
    assert besieged.result(besieged.agent, "DHS-ICE") == "match_active"


def test_r23_an_agency_that_lets_others_sign_for_it_is_refused(besieged, sample):
    def share(signed):
        keys = {signer.public_key.keyid: signer.public_key for signer in sample.keys.load("DHS-CBP")}
        shared = DelegatedRole("SHARED", list(keys), 1, True, [roster_path("DHS-ICE")])
        signed.delegations = Delegations(keys, {"SHARED": shared})

    sample.resign("DHS-ICE", share)
    besieged.refuses_ice("delegates to others, which is not allowed")
