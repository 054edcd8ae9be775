"""Publish small synthetic registries, change them as a publisher or a thief would, and ingest them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from io import BytesIO

from tuf.api.metadata import Metadata, TargetFile

from tests.fakes.clock import SetClock
from tests.fakes.keys import sealed_vault, seeded_bytes
from verify_service.registry.blinding import parse_blinding_key_file
from verify_service.registry.identifier import Identifier
from verify_service.registry.ingest import Ingest
from verify_service.registry.keyring import Keyring
from verify_service.registry.profile import Profile
from verify_service.registry.publish import Publisher
from verify_service.registry.registry import Registry
from verify_service.registry.roster import RosterEntry, RosterHeader, blinded_lines, roster_line
from verify_service.registry.roster_lines import RosterReader
from verify_service.registry.signing_keys import SigningKeys
from verify_service.registry.synthesize import Wish, synthesize
from verify_service.signing import sha256_hex

DEPARTMENT = "LAPD"
# The first nine agencies have every enrolment level among them.
SMALL = Wish(agencies=9, entries=400)


class SampleRegistry:
    """A published registry whose keys are all at hand."""

    def __init__(self, folder, clock=None, wish=SMALL):
        self.folder = folder
        self.clock = clock or SetClock()
        synthesize(folder, wish, self.clock.now(), seeded_bytes())
        self.root = (folder / "metadata/1.root.json").read_bytes()
        self.keys = SigningKeys(folder / "private/keys")
        self.blinding_keys = parse_blinding_key_file((folder / "private/blinding-keys.json").read_bytes())

    @property
    def publisher(self):
        return Publisher(self.folder, self.keys, self.clock.now())

    def release(self):
        """Publish what was changed: a new snapshot and timestamp."""
        self.publisher.snapshot()
        self.publisher.timestamp()

    def known(self, agency, kind="badge", status="active"):
        known = json.loads((self.folder / "known-identifiers.json").read_bytes())["identifiers"]
        wanted = (agency, kind, status)
        return next(
            Identifier(kind, row["value"])
            for row in known
            if (row["agency"], row["kind"], row["status"]) == wanted and "same number" not in row["note"]
        )

    def shared(self):
        known = json.loads((self.folder / "known-identifiers.json").read_bytes())["identifiers"]
        return Identifier("badge", next(row["value"] for row in known if "same number" in row["note"]))

    def roster(self, agency):
        """The bytes of the newest roster of an agency."""
        role = json.loads(self.newest(agency).read_bytes())["signed"]["targets"]
        digest = role[f"rosters/{agency}/roster.jsonl"]["hashes"]["sha256"]
        return self.roster_file(agency, digest).read_bytes()

    def roster_file(self, agency, digest):
        return self.folder / f"targets/rosters/{agency}/{digest}.roster.jsonl"

    def newest(self, role):
        paths = (self.folder / "metadata").glob(f"*.{role}.json")
        return max(paths, key=lambda path: int(path.name.partition(".")[0]))

    def key(self, agency):
        return next(key for key in self.blinding_keys if key.agency == agency)

    def next_roster(self, agency, *identifiers, status="active", without=(), entries=(), **changes):
        """Return a roster that follows the newest: its entries but those ``without``, and these in their place.

        ``changes`` are to its header.
        """
        key = self.key(agency)
        listed = [*(RosterEntry(identifier, status, None, None) for identifier in identifiers), *entries]
        gone = {key.tag(identifier) for identifier in (*(entry.identifier for entry in listed), *without)}
        before = RosterReader(BytesIO(self.roster(agency)))
        kept = [roster_line(*row) for rows in before.blocks() for row in rows if row[0] not in gone]
        return self.followed(agency, [*kept, *blinded_lines(key, listed, seeded_bytes(5))], **changes)

    def small_roster(self, agency, *identifiers, **changes):
        """Return a roster that follows the newest and lists these identifiers alone."""
        entries = [RosterEntry(identifier, "active", None, None) for identifier in identifiers]
        return self.followed(agency, blinded_lines(self.key(agency), entries, seeded_bytes(5)), **changes)

    def rekeyed_roster(self, agency, key, *identifiers, least=1):
        """Return the roster that follows the newest in a new epoch, and lists every ``least``-th entry of it.

        These identifiers can be looked up in it; the others, which nobody here knows in clear, get some tag each.
        """
        known = {self.key(agency).tag(identifier): identifier for identifier in identifiers}
        rows = [row for rows in RosterReader(BytesIO(self.roster(agency))).blocks() for row in rows]
        kept = [row for place, row in enumerate(rows) if place % least == 0 or row[0] in known]
        lines = [
            roster_line(key.tag(known[tag]) if tag in known else sha256(key.key + tag).digest(), *row)
            for tag, *row in kept
        ]
        return self.followed(agency, lines, epoch=key.epoch, key_id=key.key_id)

    def followed(self, agency, lines, **changes):
        """Return a roster of these lines that follows the newest."""
        before = self.roster(agency)
        header = replace(
            RosterHeader.parse(before.partition(b"\n")[0] + b"\n"),
            prev_sha256=sha256_hex(before),
            count=len(lines),
            issued_at=self.clock.now(),
        )
        ordered = sorted(lines, key=lambda line: line.partition(b'"tag":')[2])
        return b"".join([replace(header, **{"seq": header.seq + 1, **changes}).line(), *ordered])

    def publish_roster(self, agency, content, lifetime=None):
        self.publisher.agency(agency, content, lifetime)
        self.release()

    def resign(self, role, change):
        """Publish the newest file of a role with a change to what it signs, properly signed."""
        metadata = Metadata.from_file(str(self.newest(role)))
        change(metadata.signed)
        metadata.signed.version += 1
        metadata.signatures.clear()
        for signer in self.keys.load(role):
            metadata.sign(signer, append=True)
        metadata.to_file(str(self.folder / f"metadata/{metadata.signed.version}.{role}.json"))
        self.release()

    def remove(self, agency):
        """Take an agency out; its role stays in the snapshot, since TUF's clients stop where one vanishes from it."""
        kept = Metadata.from_file(str(self.newest("snapshot"))).signed.meta[f"{agency}.json"]
        self.publisher.targets(profile for profile in self.profiles() if profile.agency != agency)
        self.publisher.snapshot()
        metadata = Metadata.from_file(str(self.newest("snapshot")))
        metadata.signed.meta[f"{agency}.json"] = kept
        metadata.sign(self.keys.load("snapshot")[0])
        metadata.to_file(str(self.newest("snapshot")))
        self.publisher.timestamp()

    def add_target(self, role, path, content=b"{}"):
        """Let a role sign for one more file."""

        def add(signed):
            signed.targets[path] = TargetFile.from_data(path, content, ["sha256"])

        self.resign(role, add)

    def profiles(self):
        """Every agency's profile, from the newest targets."""
        targets = json.loads(self.newest("targets").read_bytes())["signed"]["targets"]
        for path, target in targets.items():
            folder, _, name = path.rpartition("/")
            content = (self.folder / "targets" / folder / f"{target['hashes']['sha256']}.{name}").read_bytes()
            yield Profile.parse(content)


class Station:
    """A department's side: a store, a keyring, an ingest and the registry that answers."""

    def __init__(self, sample, store, keys, folder, department=DEPARTMENT):
        self.sample = sample
        self.clock = sample.clock
        self.store = store
        self.folder = folder
        self.department = department
        self.keyring = Keyring(keys, sealed_vault(department))
        self.keyring.take_in(department, sample.blinding_keys)
        self.registry = Registry(store, self.keyring)

    @property
    def trusted(self):
        """What TUF trusted last under the root that is pinned now."""
        return self.folder / sha256_hex(self.sample.root) / "metadata"

    def ingest(self, location=None, patience=None, progress=lambda *_: None):
        return Ingest(
            self.department,
            str(location or self.sample.folder),
            self.sample.root,
            self.folder,
            self.store,
            self.keyring,
            self.clock,
            patience,
        ).run(progress)

    def check(self, identifier, *agencies, later=timedelta(0)):
        asked = agencies or None
        return self.registry.check(self.department, identifier, asked, self.clock.now() + later).checks

    def result(self, identifier, agency, later=timedelta(0)):
        (check,) = self.check(identifier, agency, later=later)
        return check.result
