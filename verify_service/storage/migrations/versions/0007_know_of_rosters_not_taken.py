"""Know of which agencies a newer roster was not taken"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("registry_state", sa.Column("not_taken", sa.Text(), nullable=True))
