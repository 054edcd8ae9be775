"""Name the tables of the logs, the kept replies and the read models; ``registry_tables`` adds the registry's.

Every row carries its department. What is sealed stands as (key_id, wrapped_key, sealed …), opened by the vault alone.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _department() -> Column[str]:
    return Column("department", String(32), primary_key=True)


def _log() -> Column[str]:
    return Column("log", String(32), primary_key=True)


def _sealed(*parts: str) -> list[Column[object]]:
    columns: list[Column[object]] = [
        Column("key_id", String(64), nullable=False),
        Column("wrapped_key", LargeBinary, nullable=False),
    ]
    return columns + [Column(part, LargeBinary, nullable=False) for part in parts]


# A log's end; its row is the lock that makes appends of all processes one history.
log_head = Table(
    "log_head",
    metadata,
    _department(),
    _log(),
    Column("origin", Text, nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),
    Column("peaks", LargeBinary, nullable=False),
    Column("published", BigInteger, nullable=False),
    Column("before", BigInteger, nullable=False),
    Column("successor", String(32)),
    # The ids of the keys that sign from here on, the oldest first; null while it is the first key alone.
    Column("key_ids", String(64)),
)

# One row a leaf. It stays when its record is expunged.
log_entry = Table(
    "log_entry",
    metadata,
    _department(),
    _log(),
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("entry", LargeBinary(33), nullable=False),
    Column("subject", String(64)),
    Column("seq", Integer),
    UniqueConstraint("department", "subject", "seq", "log"),
)

record = Table(
    "record",
    metadata,
    _department(),
    _log(),
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    *_sealed("sealed", "fields"),
)

log_tile = Table(
    "log_tile",
    metadata,
    _department(),
    _log(),
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
)

log_checkpoint = Table(
    "log_checkpoint",
    metadata,
    _department(),
    _log(),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),
    Column("published_at", String(24)),
    # The note with the cosignatures that made the quorum.
    Column("witnessed", Text),
)

# What each witness signed over a checkpoint, the first of it.
log_cosignature = Table(
    "log_cosignature",
    metadata,
    _department(),
    _log(),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("vkey", Text, primary_key=True),
    Column("line", Text, nullable=False),
)

# Replies by the blind index of (caller, route, key), so that a retry gets its first answer.
idempotency = Table(
    "idempotency",
    metadata,
    _department(),
    Column("request", LargeBinary(32), primary_key=True),
    Column("fingerprint", LargeBinary(32), nullable=False),
    Column("replied_at", String(24), nullable=False),
    *_sealed("reply"),
    # Whose contents are in it, and with which it is destroyed.
    Column("subject", String(64)),
    Index(None, "department", "subject"),
)

# DPoP proofs that were used, until they would be refused for their age.
spent_proof = Table(
    "spent_proof",
    metadata,
    _department(),
    Column("mark", LargeBinary(32), primary_key=True),
    Column("expires", BigInteger, nullable=False),
    Index(None, "department", "expires"),
)

# Who is or was locked out, and who said so when and why.
denial = Table(
    "denial",
    metadata,
    _department(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("value", Text, nullable=False),
    *(Column(f"added_{part}", Text, nullable=False) for part in ("by", "at", "reason")),
    *(Column(f"lifted_{part}", Text) for part in ("by", "at", "reason")),
)

# Orders to expunge, before and after they were carried out.
expunge_order = Table(
    "expunge_order",
    metadata,
    _department(),
    Column("id", String(36), primary_key=True),
    *_sealed("content"),
)

# How a verification and its statements belong together: primary data, not a read model.
statement_link = Table(
    "statement_link",
    metadata,
    _department(),
    Column("verification", String(36), primary_key=True),
    Column("receipt_number", String(32), nullable=False, unique=True),
    Column("code_sha256", String(64), nullable=False, unique=True),
    Column("pending", Boolean, nullable=False),
    Column("seq", Integer, nullable=False),
)

# Further codes for a statement's page, beside the one of its link: primary data too.
requester_code = Table(
    "requester_code",
    metadata,
    _department(),
    Column("code_sha256", String(64), primary_key=True),
    Column("verification", String(36), nullable=False),
    Index(None, "department", "verification"),
)

# Which verification bears an identifier, by its blind index.
search_key = Table(
    "search_key",
    metadata,
    _department(),
    Column("verification", String(36), primary_key=True),
    Column("identifier", LargeBinary(32), primary_key=True),
    Index(None, "department", "identifier"),
)

# Until when an agency's operation code is active, by its blind index: what the last `op_code_activated` says.
op_code_activation = Table(
    "op_code_activation",
    metadata,
    _department(),
    Column("code", LargeBinary(32), primary_key=True),
    Column("until", String(24), nullable=False),
)

# Read models: folded from the records, with which the audit compares them.
verification = Table(
    "verification",
    metadata,
    _department(),
    Column("id", String(36), primary_key=True),
    Column("incident", String(36), nullable=False),
    Column("opened_idx", BigInteger, nullable=False),
    Column("opened_at", String(24), nullable=False),
    Column("officer", LargeBinary(32), nullable=False),
    Column("command", String(64)),
    Column("agency", String(32), nullable=False),
    Column("outcome", String(32), nullable=False),
    Column("case_sealed", Boolean, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("prev", String(64), nullable=False),
    *_sealed("state"),
    Index(None, "department", "opened_idx"),
    Index(None, "department", "incident", "opened_idx"),
    Index(None, "department", "officer", "opened_idx"),
)

incident = Table(
    "incident",
    metadata,
    _department(),
    Column("id", String(36), primary_key=True),
    Column("number", String(32)),
    Column("command", String(64)),
    Column("seq", Integer, nullable=False),
    Column("prev", String(64), nullable=False),
    *_sealed("state"),
    UniqueConstraint("department", "number"),
)

incident_officer = Table(
    "incident_officer",
    metadata,
    _department(),
    Column("incident", String(36), primary_key=True),
    Column("officer", LargeBinary(32), primary_key=True),
    Index(None, "department", "officer", "incident"),
)

# By whom and what an access event is found, as blind indexes; `cursor` counts the entries of the logs before it too.
access_trail = Table(
    "access_trail",
    metadata,
    _department(),
    Column("about", LargeBinary(32), primary_key=True),
    Column("cursor", BigInteger, primary_key=True, autoincrement=False),
    Column("log", String(32), nullable=False),
    Column("idx", BigInteger, nullable=False),
)

# What kind of event an entry is; `log_entry` says whose.
event = Table(
    "event",
    metadata,
    _department(),
    _log(),
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(48), nullable=False),
    Column("received_at", String(24), nullable=False),
)
