"""Name the tables of the registry: rosters, editions, ingest cycles and the highest versions seen."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from verify_service.storage.tables import metadata

__all__ = [
    "agency_setback",
    "blinding_key",
    "edition",
    "edition_roster",
    "high_water",
    "ingest_cycle",
    "metadata",
    "registry_file",
    "registry_notice",
    "registry_state",
    "roster",
    "roster_entry",
    "roster_hold",
]

SHA256 = String(64)
AGENCY = String(24)
# Times are RFC 3339 UTC texts with milliseconds: they sort as they are, and are quoted as they are.
TIME = String(24)

# What was signed: TUF metadata by role name, and profiles. A record quotes it by digest for decades.
registry_file = Table(
    "registry_file",
    metadata,
    Column("department", String, nullable=False),
    Column("sha256", SHA256, nullable=False),
    Column("kind", String, nullable=False),
    Column("content", LargeBinary, nullable=False),
    PrimaryKeyConstraint("department", "sha256"),
)

# Each roster once, by content; `header` is its first line. `loaded` tells whether all of it is here.
roster = Table(
    "roster",
    metadata,
    Column("department", String, nullable=False),
    Column("number", Integer, nullable=False, autoincrement=False),
    Column("agency", AGENCY, nullable=False),
    Column("sha256", SHA256, nullable=False),
    Column("header", Text, nullable=False),
    Column("loaded", Boolean, nullable=False),
    PrimaryKeyConstraint("department", "number"),
    UniqueConstraint("department", "agency", "sha256"),
)

# All that a line says, so that a roster's bytes can be written again from it. Clustered by its key on SQLite: a roster
# arrives in the order of its tags, so every row is written at the end. It has no foreign key, which would cost a
# look-up for each of some hundred thousand rows.
roster_entry = Table(
    "roster_entry",
    metadata,
    Column("department", String, nullable=False),
    Column("roster", Integer, nullable=False),
    Column("tag", LargeBinary(32), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("status", String(10), nullable=False),
    Column("not_before", TIME),
    Column("expires", TIME),
    Column("rid", LargeBinary(8), nullable=False),
    PrimaryKeyConstraint("department", "roster", "tag"),
    sqlite_with_rowid=False,
)

edition = Table(
    "edition",
    metadata,
    Column("department", String, nullable=False),
    Column("number", Integer, nullable=False, autoincrement=False),
    Column("cycle", Integer, nullable=False),
    PrimaryKeyConstraint("department", "number"),
)

edition_roster = Table(
    "edition_roster",
    metadata,
    Column("department", String, nullable=False),
    Column("edition", Integer, nullable=False),
    Column("agency", AGENCY, nullable=False),
    Column("profile_sha256", SHA256, nullable=False),
    Column("roster", Integer),
    PrimaryKeyConstraint("department", "edition", "agency"),
    ForeignKeyConstraint(["department", "edition"], ["edition.department", "edition.number"]),
    ForeignKeyConstraint(["department", "profile_sha256"], ["registry_file.department", "registry_file.sha256"]),
    ForeignKeyConstraint(["department", "roster"], ["roster.department", "roster.number"]),
)

# One row a department: the edition that stands and its present freshness. `version` rises with every change, so that
# readers see in one short statement whether what they hold is still true. JSON: `signed` has per role its version,
# SHA-256 and expiry, `not_taken` lists the agencies whose newest publication was refused or is held.
registry_state = Table(
    "registry_state",
    metadata,
    Column("department", String, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("edition", Integer, nullable=False),
    Column("refreshed_at", TIME, nullable=False),
    Column("signed", Text, nullable=False),
    Column("not_taken", Text),
    Column("pinned_root", SHA256),
    PrimaryKeyConstraint("department"),
    ForeignKeyConstraint(["department", "edition"], ["edition.department", "edition.number"]),
)

# One row a cycle. `ended_at` stays null where the program was killed, `edition` where everything was refused. JSON:
# `signed` has per role its version and the ids of the keys whose signatures counted, `refused` and `held` lists.
ingest_cycle = Table(
    "ingest_cycle",
    metadata,
    Column("department", String, nullable=False),
    Column("number", Integer, nullable=False, autoincrement=False),
    Column("started_at", TIME, nullable=False),
    Column("ended_at", TIME),
    Column("edition", Integer),
    Column("signed", Text),
    Column("refused", Text),
    Column("held", Text),
    Column("fetched_files", Integer),
    Column("fetched_bytes", BigInteger),
    PrimaryKeyConstraint("department", "number"),
)

# The last refusal or hold of each agency, in one row, so that telling it does not mean reading every cycle.
agency_setback = Table(
    "agency_setback",
    metadata,
    Column("department", String, nullable=False),
    Column("agency", AGENCY, nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("at", TIME, nullable=False),
    Column("held", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    PrimaryKeyConstraint("department", "agency"),
)

# Rosters that wait, or waited, for a person; `hold` is JSON. `approved` is null until one decided, and never changes
# then. No row is ever removed.
roster_hold = Table(
    "roster_hold",
    metadata,
    Column("department", String, nullable=False),
    Column("agency", AGENCY, nullable=False),
    Column("sha256", SHA256, nullable=False),
    Column("since", TIME, nullable=False),
    # The cycle that met it last; what an agency replaced since is met no more.
    Column("cycle", Integer, nullable=False, server_default="0"),
    Column("hold", Text, nullable=False),
    Column("approved", Boolean),
    Column("reason", Text),
    Column("decided_by", String),
    Column("decided_at", TIME),
    PrimaryKeyConstraint("department", "agency", "sha256"),
)

# What cycles took and a thief would change too: `subject` is the agency whose held number it is, empty for the pinned
# root; `was` and `now` are the numbers, or the roots' SHA-256.
registry_notice = Table(
    "registry_notice",
    metadata,
    Column("department", String, nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("subject", AGENCY, nullable=False),
    Column("at", TIME, nullable=False),
    Column("was", SHA256),
    Column("now", SHA256),
    PrimaryKeyConstraint("department", "cycle", "subject"),
)

# The highest version of each role ever verified under a pinned root (its SHA-256, empty where it was not kept yet), so
# that an old state is refused even where TUF's folder is lost.
high_water = Table(
    "high_water",
    metadata,
    Column("department", String, nullable=False),
    Column("pinned_root", SHA256, nullable=False),
    Column("role", String(24), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("sha256", SHA256, nullable=False),
    Column("keys", SHA256, nullable=False),
    PrimaryKeyConstraint("department", "pinned_root", "role"),
)

# Sealed by the vault; never removed, since a record quotes the epoch of its tag.
blinding_key = Table(
    "blinding_key",
    metadata,
    Column("department", String, nullable=False),
    Column("agency", AGENCY, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("key_id", String, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    PrimaryKeyConstraint("department", "agency", "epoch"),
)
