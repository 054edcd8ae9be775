"""A sealed value that is missing is a fault, and nothing else is taken for it."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from tests.deployment import loaded
from tests.service.test_expunge import KEY, audited
from tests.service.test_follow_up import problem
from verify_service.record_log.log import LogId
from verify_service.record_log.proposal import record_place
from verify_service.record_log.record import pack_fields, unpack_fields
from verify_service.storage.rows import sealed_of, sealed_row
from verify_service.storage.tables import log_entry, record

RECORDS = LogId("LAPD", "records")


@pytest.fixture
def noted(deployment, known):
    answer = loaded(deployment.submit("DHS-ICE", known(), key=KEY, note="Tall."))
    deployment.follow(answer, "interrupted", interrupted={"reason": "left_scene"})
    return answer


def without(deployment, index, value):
    """Seal a record anew without one of its values, as a thief of the vault's keys could."""
    at = record.c.department == "LAPD", record.c.log == "records", record.c.idx == index
    with deployment.service.database.write() as connection:
        row = connection.execute(select(record).where(*at)).one()
        entry = connection.scalar(
            select(log_entry.c.entry).where(log_entry.c.log == "records", log_entry.c.idx == index)
        )
        place, parts = record_place(RECORDS, entry), ("sealed", "fields")
        content, packed = deployment.service.vault.open("LAPD", place, sealed_of(row, *parts))
        kept = [field for field in unpack_fields(packed).values() if field.value != value]
        sealed = deployment.service.vault.seal("LAPD", place, (content, pack_fields(kept)))
        connection.execute(update(record).where(*at).values(sealed_row(sealed, *parts)))


def test_a_sealed_value_that_is_missing_without_an_order_is_a_fault(deployment, noted):
    assert audited(deployment).ok, audited(deployment).sentences()
    without(deployment, noted["events"][0]["log"]["index"], "Tall.")
    sentences = audited(deployment).sentences()
    assert "a sealed value of the record is missing and no expunge names it" in " ".join(sentences)


def test_an_identifier_that_is_gone_is_not_looked_up_as_another(deployment, noted, known):
    without(deployment, noted["events"][0]["log"]["index"], known())
    corrected = {"corrects_seq": 0, "facts": {"agent": {"claimed_agency": "DHS-CBP"}}}
    answer = deployment.follow(noted, "corrected", corrected=corrected)
    assert problem(answer, 422, "/corrected/facts/identifier")
