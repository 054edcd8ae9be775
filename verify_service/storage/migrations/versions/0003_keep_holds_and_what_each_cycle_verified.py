"""Keep holds, and what each ingest cycle fetched and verified"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "roster_hold",
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("agency", sa.String(length=24), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("since", sa.String(length=24), nullable=False),
        sa.Column("hold", sa.Text(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("department", "agency", "sha256", name=op.f("pk_roster_hold")),
    )
    op.create_table(
        "agency_setback",
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("agency", sa.String(length=24), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("department", "agency", name=op.f("pk_agency_setback")),
    )
    op.execute("ALTER TABLE ingest_cycle RENAME COLUMN versions TO signed")
    op.add_column("ingest_cycle", sa.Column("held", sa.Text(), nullable=True))
    op.add_column("ingest_cycle", sa.Column("fetched_files", sa.Integer(), nullable=True))
    op.add_column("ingest_cycle", sa.Column("fetched_bytes", sa.BigInteger(), nullable=True))
    cycle = sa.table("ingest_cycle", *map(sa.column, ("department", "number", "signed")))
    for row in op.get_bind().execute(sa.select(cycle).where(cycle.c.signed.is_not(None))).all():
        # Whose signatures counted was not kept before.
        signed = {role: {"version": version, "keys": None} for role, version in json.loads(row.signed).items()}
        mine = (cycle.c.department == row.department, cycle.c.number == row.number)
        op.get_bind().execute(sa.update(cycle).where(*mine).values(signed=json.dumps(signed)))
