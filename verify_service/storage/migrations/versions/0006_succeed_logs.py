"""Succeed logs"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("log_head", sa.Column("before", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("log_head", sa.Column("successor", sa.String(length=32), nullable=True))
