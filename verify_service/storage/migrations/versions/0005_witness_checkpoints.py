"""Witness checkpoints"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "log_cosignature",
        sa.Column("department", sa.String(length=32), nullable=False),
        sa.Column("log", sa.String(length=32), nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("vkey", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("department", "log", "size", "vkey", name=op.f("pk_log_cosignature")),
    )
    op.add_column("log_checkpoint", sa.Column("witnessed", sa.Text(), nullable=True))
