"""How far the lake of an embedded line is, so that what waits for it can be counted."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("lines", sa.Column("stored", sa.BigInteger(), nullable=True))
