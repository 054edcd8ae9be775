"""Whoever steals one blinding key opens one agency's roster of one epoch, and no other: shown by trying them all."""

import json

from tests.fakes.keys import seeded_bytes
from tests.registries import SampleRegistry
from verify_service.registry.blinding import KEY_BYTES, BlindingKey
from verify_service.registry.identifier import Identifier

AGENCY = "DHS-ICE"
EVERY_BADGE = [f"{number:05d}" for number in range(10**5)]


def opened(key, roster):
    """Try every badge of five digits with a key on a roster, and return those that it lists."""
    entries = [json.loads(line) for line in roster.splitlines()[1:]]
    tags = {bytes.fromhex(entry["tag"]) for entry in entries if entry["t"] == "badge"}
    return [value for value in EVERY_BADGE if key.tag(Identifier("badge", value)) in tags]


def test_a_stolen_key_opens_one_agencys_roster_of_one_epoch_and_no_other(tmp_path):
    sample = SampleRegistry(tmp_path / "registry")
    stolen = sample.key(AGENCY)
    rosters = {(key.agency, key.epoch): sample.roster(key.agency) for key in sample.blinding_keys}
    theirs = opened(stolen, rosters[AGENCY, 1])
    next_key = BlindingKey(AGENCY, 2, seeded_bytes(11)(KEY_BYTES))
    listed = [Identifier("badge", value) for value in theirs]
    rosters[AGENCY, 2] = sample.rekeyed_roster(AGENCY, next_key, *listed)

    # The thief may pretend that the key is the other agency's, as which it would blind.
    found = {place: opened(BlindingKey(place[0], place[1], stolen.key), roster) for place, roster in rosters.items()}
    assert [place for place, values in found.items() if values] == [(AGENCY, 1)]
    badges = rosters[AGENCY, 1].count(b'"t":"badge"')
    assert len(theirs) == badges > 20
    # What closes the next epoch's roster is its key alone, for it lists the same badges.
    assert opened(next_key, rosters[AGENCY, 2]) == theirs
    assert len(rosters) == len(sample.blinding_keys) + 1 > 4
