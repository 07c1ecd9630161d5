"""Backup certificates: each with its grant, and when it was revoked.

Serial numbers, fingerprints and keys are lower-case hexadecimal; instants are microseconds since
1970 UTC.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "certificates",
        sa.Column("serial", sa.Text, primary_key=True),
        sa.Column("grant_id", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        sa.Column("not_before", sa.BigInteger, nullable=False),
        sa.Column("not_after", sa.BigInteger, nullable=False),
        sa.Column("shard", sa.Integer, nullable=False),
        sa.Column("revoked_at", sa.BigInteger),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("certificates_of_grant", "certificates", ["grant_id"])
    revoked = sa.text("revoked_at IS NOT NULL")
    op.create_index(
        "certificates_revoked",
        "certificates",
        ["not_after", "revoked_at", "shard"],
        sqlite_where=revoked,
        postgresql_where=revoked,
    )
