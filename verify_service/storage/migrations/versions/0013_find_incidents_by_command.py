"""Find incidents by command"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Their supervisors see incidents of before once `db rebuild-read-models` was run: the command is sealed.
    op.add_column("incident", sa.Column("command", sa.String(length=64), nullable=True))
