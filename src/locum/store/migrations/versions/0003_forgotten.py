"""What is remembered of spent proofs after they were deleted: until when they could be sent again.

One row for each five minutes of ends. Instants are microseconds since 1970 UTC.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "forgotten_proofs",
        sa.Column("span", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("until", sa.BigInteger, nullable=False),
    )
