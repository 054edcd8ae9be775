"""Find access events"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Events of before are found once `db rebuild-read-models` was run: a migration opens no record.
    op.create_table(
        "access_trail",
        sa.Column("department", sa.String(length=32), nullable=False),
        sa.Column("about", sa.LargeBinary(length=32), nullable=False),
        sa.Column("cursor", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log", sa.String(length=32), nullable=False),
        sa.Column("idx", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("department", "about", "cursor", name=op.f("pk_access_trail")),
    )
