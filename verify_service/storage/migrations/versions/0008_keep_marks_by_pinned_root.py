"""Keep marks by pinned root, and what changed of what is trusted"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("registry_state", sa.Column("pinned_root", sa.String(length=64), nullable=True))
    op.create_table(
        "registry_notice",
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=24), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("was", sa.String(length=64), nullable=True),
        sa.Column("now", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("department", "cycle", "subject", name=op.f("pk_registry_notice")),
    )
    before = sa.table("high_water", *map(sa.column, ("department", "role", "version", "sha256", "keys")))
    # Under which root these were seen was not kept before; SQLite cannot change a table's key.
    kept = [{**row, "pinned_root": ""} for row in op.get_bind().execute(sa.select(before)).mappings()]
    op.drop_table("high_water")
    marks = op.create_table(
        "high_water",
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("pinned_root", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=24), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("keys", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("department", "pinned_root", "role", name=op.f("pk_high_water")),
    )
    op.bulk_insert(marks, kept)
