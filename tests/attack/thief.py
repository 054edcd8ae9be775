"""What a thief can do with a registry's keys, and what its owners do about it."""

from __future__ import annotations

import shutil

from tuf.api.metadata import Metadata, MetaFile

from tests.fakes.keys import seeded_bytes


def path_of(sample, role):
    return sample.folder / "metadata/timestamp.json" if role == "timestamp" else sample.newest(role)


def sign(sample, role, *signers, change=lambda signed: None):
    """Put in place the next version of a role with a change, signed by these signers alone, and return its path."""
    metadata = Metadata.from_file(str(path_of(sample, role)))
    metadata.signed.version += 1
    change(metadata.signed)
    metadata.signatures.clear()
    for signer in signers:
        metadata.sign(signer, append=True)
    name = "timestamp.json" if role == "timestamp" else f"{metadata.signed.version}.{role}.json"
    path = sample.folder / "metadata" / name
    metadata.to_file(str(path))
    return path


def announce(sample, role):
    """Let a new snapshot and timestamp name the newest file of a role, and else what they named before."""
    newest = sample.newest(role)

    def name(snapshot):
        version = int(newest.name.partition(".")[0])
        snapshot.meta[f"{role}.json"] = MetaFile.from_data(version, newest.read_bytes(), ["sha256"])

    sign(sample, "snapshot", *sample.keys.load("snapshot"), change=name)
    sample.publisher.timestamp()


def leap(signed):
    """Leave no version that could come after, for those who read versions as 32 bits."""
    signed.version = 2**31


def rotate(sample, role, seed):
    """Give a role new keys, and return the old ones; whoever names its keys has to publish them."""
    old = sample.keys.load(role)
    shutil.rmtree(sample.folder / "private/keys" / role)
    sample.keys.make(role, len(old), seeded_bytes(seed))
    return old
