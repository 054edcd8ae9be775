"""Alter what is kept of witnesses: the audit names size and witness."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from tests.fakes.witnesses import cosigned, cosigner
from tests.fault.test_audit import RECORDS, faults, run
from verify_service.storage import tables as t
from verify_service.storage.cosignature_store import CosignatureTables

WITNESS, STRANGER = cosigner(1, "ig.example/w"), cosigner(2, "ig.example/w")


def newest(service):
    """Return the size and note of the newest checkpoint."""
    checkpoint = list(service.log_store.checkpoints(RECORDS, published=False))[-1]
    return checkpoint.size, checkpoint.note


def keep_cosignature(service, by, size=None, *, over=None, ago=timedelta(0)):
    own, note = newest(service)
    over = over or note
    line = cosigned(over, by, moment=service.clock.now() - ago).removeprefix(over)
    CosignatureTables(service.database).keep(RECORDS, size or own, WITNESS.key.vkey, line, lambda _: True)


def test_a_witnesss_cosignature_is_no_fault_nor_is_its_clock_within_five_minutes(service):
    keep_cosignature(service, WITNESS, ago=timedelta(minutes=4))
    assert faults(service) == []


def test_a_cosignature_that_is_not_the_witnesss_is_named(service):
    keep_cosignature(service, STRANGER)
    size, _ = newest(service)
    assert faults(service) == [
        (size, "the cosignature of ig.example/w does not verify: its line is of another key"),
    ]


def test_a_cosignature_over_another_checkpoint_is_named(service):
    size, _ = newest(service)
    first = next(iter(service.log_store.checkpoints(RECORDS, published=True))).note
    keep_cosignature(service, WITNESS, over=first)
    assert faults(service) == [
        (size, "the cosignature of ig.example/w does not verify: The signature of ig.example/w does not fit the text."),
    ]


def test_a_cosignature_from_before_the_records_is_named(service):
    keep_cosignature(service, WITNESS, ago=timedelta(minutes=6))
    ((where, sentence),) = faults(service)
    assert where == newest(service)[0]
    assert sentence.startswith("the cosignature of ig.example/w is from before the checkpoint's records, of which the")


@pytest.mark.parametrize("size", [100, 100_000])
def test_a_cosignature_of_no_checkpoint_is_named(service, size):
    keep_cosignature(service, WITNESS)
    run(service, update(t.log_cosignature).values(size=size))
    assert (size, "the cosignature of ig.example/w is of a checkpoint that is not here") in faults(service)


def test_a_witnessed_checkpoint_whose_cosignatures_are_gone_is_named(service):
    keep_cosignature(service, WITNESS)
    run(service, delete(t.log_cosignature))
    size, _ = newest(service)
    assert faults(service) == [
        (size, "what is kept as witnessed has a cosignature that no witness is known to have made"),
    ]
