"""Alter what is stored, one thing at a time: the audit names each, with its place, and mends nothing."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import delete, select, update

from verify_service.errors import LogRefused
from verify_service.evidence.audit import audit
from verify_service.record_log.checkpoint import Checkpoint
from verify_service.record_log.log import LogId
from verify_service.record_log.merkle import Peaks, leaf_hash
from verify_service.record_log.proposal import record_place
from verify_service.storage import registry_tables
from verify_service.storage import tables as t
from verify_service.storage.rows import sealed_of, sealed_row

RECORDS = LogId("LAPD", "records")


def place(service, index=1):
    return record_place(RECORDS, row(service, t.log_entry, *at(t.log_entry, index)).entry)


def faults(service):
    report = audit(service.audit_source(), service.vault, service.marks())
    return [(fault.where, fault.sentence) for fault in report.faults]


def run(service, *statements):
    with service.database.write() as connection:
        for statement in statements:
            connection.execute(statement)


def at(table, index):
    return table.c.department == "LAPD", table.c.log == "records", table.c.idx == index


def row(service, table, *conditions):
    with service.database.read() as connection:
        return connection.execute(select(table).where(*conditions)).one()


def test_a_whole_history_has_no_fault(service):
    assert faults(service) == []
    assert audit(service.audit_source(), service.vault, service.marks()).sizes == {
        "LAPD/records": 259,
        "LAPD/access": 1,
    }


@pytest.mark.parametrize("index", [1, 200, 257])
def test_l06_an_altered_record(service, index):
    content = bytearray(row(service, t.record, *at(t.record, index)).sealed)
    content[40] ^= 1
    run(service, update(t.record).where(*at(t.record, index)).values(sealed=bytes(content)))
    assert any(where == index and "does not open" in sentence for where, sentence in faults(service))


def test_l06_a_record_sealed_anew_by_someone_with_the_keys(service):
    log = service.logs.records("LAPD")
    content, _ = log.record(1)
    forged = bytes(32) + content.replace(b"identifier_listed", b"verified")
    sealed = service.vault.seal("LAPD", place(service), (forged, b"{}"))
    run(service, update(t.record).where(*at(t.record, 1)).values(**sealed_row(sealed, "sealed", "fields")))
    assert (1, "the record is not what the log committed to") in faults(service)


def test_l06_a_sealed_field_replaced_by_someone_with_the_keys(service):
    sealed = sealed_of(row(service, t.record, *at(t.record, 1)), "sealed", "fields")
    content, fields = service.vault.open("LAPD", place(service), sealed)
    other = {digest: {**field, "value": "B0000"} for digest, field in json.loads(fields).items()}
    anew = service.vault.seal("LAPD", place(service), (content, json.dumps(other).encode()))
    run(service, update(t.record).where(*at(t.record, 1)).values(**sealed_row(anew, "sealed", "fields")))
    assert (1, "a sealed field is not what its digest says") in faults(service)


def test_l07_a_deleted_record(service):
    run(service, delete(t.record).where(*at(t.record, 1)))
    found = faults(service)
    assert any(where == 1 and "no expunge names it" in sentence for where, sentence in found)


def test_l06_an_altered_leaf(service):
    run(service, update(t.log_entry).where(*at(t.log_entry, 2)).values(entry=b"\x01" + bytes(32)))
    found = faults(service)
    sentences = {sentence for _, sentence in found}
    assert any(where == 2 and "does not open" in sentence for where, sentence in found)
    assert "a signed checkpoint is not of this history" in sentences
    assert "tile 0/0 is not the tree's" in sentences
    assert any("the head is not the tree" in sentence for sentence in sentences)


def test_l08_a_deleted_leaf(service):
    run(service, delete(t.log_entry).where(*at(t.log_entry, 5)))
    assert (5, "a leaf is missing: the next row is entry 6") in faults(service)


def test_l08_two_leaves_in_each_others_place(service):
    first, second = (row(service, t.log_entry, *at(t.log_entry, index)).entry for index in (10, 11))
    run(
        service,
        update(t.log_entry).where(*at(t.log_entry, 10)).values(entry=second),
        update(t.log_entry).where(*at(t.log_entry, 11)).values(entry=first),
    )
    found = faults(service)
    for index in (10, 11):
        assert any(where == index and "does not open" in sentence for where, sentence in found)


def test_l06_a_leaf_that_names_another_subject(service):
    run(service, update(t.log_entry).where(*at(t.log_entry, 1)).values(subject="verification:other"))
    assert (1, "the row names another subject or place than its record") in faults(service)


def test_l06_an_altered_tile(service):
    run(service, update(t.log_tile).where(t.log_tile.c.level == 0).values(content=bytes(8192)))
    assert faults(service) == [(None, "tile 0/0 is not the tree's")]


def test_l06_an_altered_head(service):
    head = t.log_head.c.log == "records"
    run(service, update(t.log_head).where(head).values(peaks=bytes(7)))
    assert (259, "the head is not the tree of its 259 leaves") in faults(service)
    run(service, update(t.log_head).where(head).values(peaks=bytes(32 * 3)))
    assert (259, "the head is not the tree of its 259 leaves") in faults(service)


def test_l09_a_truncated_log(service):
    shorter = Peaks()
    for entry in service.log_store.entries(RECORDS, 0, 257):
        shorter = shorter.append(leaf_hash(entry))
    run(
        service,
        *(delete(t.log_entry).where(*at(t.log_entry, index)) for index in (257, 258)),
        update(t.log_head).where(t.log_head.c.log == "records").values(size=257, peaks=shorter.pack()),
    )
    found = faults(service)
    assert any("past the end of the log" in sentence for _, sentence in found)
    with pytest.raises(LogRefused, match="set back"):
        service.check_logs()


def test_l10_a_log_that_was_set_back_whole_is_told_by_the_mark_alone(service):
    service.high_water(RECORDS).path.unlink()
    ahead = service.log_store.head(RECORDS).peaks
    for entry in (b"a", b"b"):
        ahead = ahead.append(leaf_hash(entry))
    service.high_water(RECORDS).create(ahead)
    assert faults(service) == [(259, "the log ends here, but 261 entries were promised")]


def test_l11_a_log_with_another_history_than_the_promised_one(service):
    other = Peaks()
    for number in range(200):
        other = other.append(leaf_hash(bytes([number])))
    service.high_water(RECORDS).path.unlink()
    service.high_water(RECORDS).create(other)
    assert faults(service) == [(200, "the log is not the one that was promised: see this host's high-water mark")]


def test_a_host_without_a_mark_says_what_was_not_checked(service):
    service.high_water(RECORDS).path.unlink()
    report = audit(service.audit_source(), service.vault, service.marks())
    assert report.ok
    assert report.document()["high_water"] == {"LAPD/records": None, "LAPD/access": 1}
    assert "no high-water mark of LAPD/records" in "\n".join(report.sentences())


def test_l06_an_altered_checkpoint(service):
    note = row(service, t.log_checkpoint, t.log_checkpoint.c.size == 256, t.log_checkpoint.c.log == "records").note
    published = t.log_checkpoint.c.size == 256
    run(service, update(t.log_checkpoint).where(published).values(note=note.replace("\n256\n", "\n255\n")))
    assert any(where == 256 and "does not verify" in sentence for where, sentence in faults(service))


def test_l11_a_fork_that_was_validly_signed(service):
    forged = service.log_keys(RECORDS).signer().sign(Checkpoint(service.origin(RECORDS), 256, bytes(32)))
    run(service, update(t.log_checkpoint).where(t.log_checkpoint.c.size == 256).values(note=forged))
    assert (256, "a signed checkpoint is not of this history") in faults(service)


def test_an_altered_state(service):
    found = row(service, t.verification, t.verification.c.opened_idx == 1)
    place = f"verification/{found.id}"
    state = json.loads(service.vault.open("LAPD", place, sealed_of(found, "state"))[0])
    state["explanation"] = "All is well."
    sealed = service.vault.seal("LAPD", place, (json.dumps(state).encode(),))
    run(service, update(t.verification).where(t.verification.c.id == found.id).values(**sealed_row(sealed, "state")))
    assert faults(service) == [(None, f"the read model of verification:{found.id} is not what its records add up to")]


@pytest.mark.parametrize("table", [t.verification, t.incident], ids=str)
def test_a_state_that_does_not_open(service, table):
    ref = row(service, t.log_entry, *at(t.log_entry, 1 if table is t.verification else 0)).subject
    mine = table.c.id == ref.partition(":")[2]
    state = row(service, table, mine).state
    run(service, update(table).where(mine).values(state=state[:-1] + bytes([state[-1] ^ 1])))
    assert faults(service) == [(None, f"the read model of {ref} is not what its records add up to")]


@pytest.mark.parametrize("column", ["outcome", "agency"])
def test_an_altered_search_column(service, column):
    found = row(service, t.verification, t.verification.c.opened_idx == 1)
    run(service, update(t.verification).where(t.verification.c.id == found.id).values({column: "other"}))
    assert faults(service) == [(None, f"what verification:{found.id} is searched by is not what it says")]


def test_a_deleted_and_an_invented_read_model(service):
    found = row(service, t.verification, t.verification.c.opened_idx == 1)
    run(service, delete(t.verification).where(t.verification.c.id == found.id))
    assert faults(service) == [(None, f"the read model lacks verification:{found.id}")]


def test_an_altered_and_a_deleted_event_row(service):
    run(service, update(t.event).where(*at(t.event, 1)).values(kind="concluded"))
    assert faults(service) == [(1, "the event read model is not what the record says")]
    run(service, delete(t.event).where(*at(t.event, 1)))
    assert (1, "the event read model is not what the record says") in faults(service)


def test_an_altered_event_row_behind_a_record_that_does_not_open(service):
    run(service, delete(t.record).where(*at(t.record, 1)), update(t.event).where(*at(t.event, 3)).values(kind="other"))
    found = [fault for fault in faults(service) if "event read model" in fault[1]]
    assert found == [
        (1, "the event read model has a row that no record that opens has"),
        (3, "the event read model is not what the record says"),
    ]


def test_a_statement_link_that_counts_wrongly(service):
    run(service, update(t.statement_link).values(seq=7))
    assert any("statement:" in sentence for _, sentence in faults(service))


def test_registry_files_and_rosters_that_records_quote(service):
    quoted = json.loads(service.logs.records("LAPD").record(1)[0])["body"]["computed"]["checks"][0]
    file = registry_tables.registry_file.c.sha256 == quoted["metadata"]["timestamp"]["sha256"]
    run(service, update(registry_tables.registry_file).where(file).values(content=b"{}"))
    assert any(quoted["metadata"]["timestamp"]["sha256"] in sentence for _, sentence in faults(service))
    run(service, delete(registry_tables.registry_file).where(file))
    assert any("is not kept" in sentence for _, sentence in faults(service))
    entry = registry_tables.roster_entry
    run(service, update(entry).where(entry.c.status == "suspended").values(status="active"))
    assert any("roster" in sentence for _, sentence in faults(service))


def test_an_audit_changes_nothing(service):
    with service.database.read() as connection:
        before = connection.exec_driver_sql("SELECT count(*) FROM record").scalar()
    faults(service)
    with service.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM record").scalar() == before


def test_states_that_no_longer_fit_in_memory_are_folded_anew(service, monkeypatch):
    monkeypatch.setattr("verify_service.evidence.audit.OPEN_STATES", 1)
    assert faults(service) == []
