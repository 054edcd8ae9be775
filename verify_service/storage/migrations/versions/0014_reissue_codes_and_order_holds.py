"""Reissue codes for the requester's page, and know which hold was met last"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "requester_code",
        sa.Column("department", sa.String(length=32), nullable=False),
        sa.Column("code_sha256", sa.String(length=64), nullable=False),
        sa.Column("verification", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("department", "code_sha256", name=op.f("pk_requester_code")),
    )
    op.create_index(op.f("ix_requester_code_department_verification"), "requester_code", ["department", "verification"])
    # The next cycle says it of whatever still waits.
    op.add_column("roster_hold", sa.Column("cycle", sa.Integer(), nullable=False, server_default="0"))
