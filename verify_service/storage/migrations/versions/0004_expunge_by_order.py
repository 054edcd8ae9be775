"""Expunge by order"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("idempotency", sa.Column("subject", sa.String(length=64), nullable=True))
    op.create_index(op.f("ix_idempotency_department_subject"), "idempotency", ["department", "subject"])
    op.create_table(
        "expunge_order",
        sa.Column("department", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("department", "id", name=op.f("pk_expunge_order")),
    )
