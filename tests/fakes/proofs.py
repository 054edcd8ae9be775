"""Spent proofs in memory, for what is asked of one process alone."""

from __future__ import annotations


class MemoryProofs:
    def __init__(self):
        self.spent = {}

    def spend(self, department, proofs):
        unspent = {proof.mark: (department, proof) for proof in proofs if (department, proof.mark) not in self.spent}
        self.spent.update({(department, mark): proof.expires for mark, (_, proof) in unspent.items()})
        return set(unspent)

    def forget(self, department, expired_before):
        self.spent = {key: ends for key, ends in self.spent.items() if key[0] != department or ends >= expired_before}
