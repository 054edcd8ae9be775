"""Check a log in a folder, and proofs about it, with tlog-scales: python -m tests.third_party.scales VKEY DIR <proofs.

The proofs are lines as tlogcheck.go reads them. None is believed: tlog-scales makes each anew from the tiles, compares
it, and checks it against the roots that it computes.
"""

from __future__ import annotations

import sys
from base64 import b64decode

from tlog_scales.backend import make_backend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey
from tlog_scales.tiles import leaf_hash


def main(vkey, folder):
    reader = TilesReader(make_backend(folder))
    checkpoint = reader.get_checkpoint()
    checkpoint.verify(Vkey.from_string(vkey))
    if checkpoint.size:
        assert reader.calculate_root_hash() == checkpoint.root_hash
    count = 0
    for line in sys.stdin:
        kind, size, other, *path = line.split()
        size, other, path = int(size), int(other), [b64decode(node) for node in path]
        root = reader.mth(0, size)
        if kind == "inclusion":
            proof = reader.get_inclusion_proof(other, size)
            proof.check(leaf_hash(reader.get_entry(other)), root)
        else:
            proof = reader.get_consistency_proof(other, size)
            proof.check(reader.mth(0, other), root)
        assert proof.node_hashes == path, line
        count += 1
    sys.stdout.write(f"{checkpoint.size} {count}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
