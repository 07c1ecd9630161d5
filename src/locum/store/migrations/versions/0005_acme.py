"""ACME: the keys that bind an account, accounts, and orders (RFC 8555).

A binding key itself is nowhere: it follows from its name. Instants are microseconds since 1970 UTC.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "acme_bindings",
        sa.Column("kid", sa.Text, primary_key=True),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("certificate", sa.Text, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("spent_at", sa.BigInteger),
    )
    op.create_table(
        "acme_accounts",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("jkt", sa.Text, nullable=False, unique=True),
        sa.Column("jwk", sa.LargeBinary, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("certificate", sa.Text, nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("deactivated_at", sa.BigInteger),
    )
    op.create_index("acme_accounts_of_path", "acme_accounts", ["path"])
    op.create_table(
        "acme_orders",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("names", sa.Text, nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("key", sa.Text, nullable=False, server_default=""),
    )
    op.create_index("acme_orders_of_account", "acme_orders", ["account", "made_at"])
