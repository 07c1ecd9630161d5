"""The spine: requests, callers, tokens, tasks, sealed secrets and the ledger.

Instants are microseconds since 1970 UTC. One schema for SQLite and PostgreSQL.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_instant = sa.BigInteger
_bytes = sa.LargeBinary
_counter = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "requests",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("grant_id", sa.Text, unique=True),
        sa.Column("claim", sa.Text, unique=True),
        sa.Column("due_at", _instant),
        sa.Column("review_due", _instant),
        sa.Column("closed_at", _instant),
        sa.Column("unsettled", sa.Boolean, nullable=False),
        sa.Column("body", _bytes, nullable=False),
    )
    op.create_index("requests_by_path", "requests", ["path", "id"])
    op.create_index(
        "requests_due",
        "requests",
        ["due_at"],
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    for name, columns, where in (
        ("requests_open", ["path", "id"], "state = 'open'"),
        ("requests_standing", ["path"], "review_due IS NOT NULL OR unsettled"),
        ("requests_drilled", ["path", "closed_at"], "cause = 'drill'"),
    ):
        op.create_index(
            name,
            "requests",
            columns,
            sqlite_where=sa.text(where),
            postgresql_where=sa.text(where),
        )
    op.create_table(
        "declarations",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("body", _bytes, nullable=False),
    )
    op.create_table(
        "callers",
        sa.Column("jkt", sa.Text, primary_key=True),
        sa.Column("identity", sa.Text, nullable=False, index=True),
        sa.Column("jwk", _bytes, nullable=False),
        sa.Column("registered_at", _instant, nullable=False),
        sa.Column("expires_at", _instant, nullable=False),
        sa.Column("conditions", sa.Text, nullable=False),
        sa.Column("revoked_at", _instant),
    )
    op.create_table(
        "invitations",
        sa.Column("code_hash", _bytes, primary_key=True),
        sa.Column("identity", sa.Text, nullable=False),
        sa.Column("invited_by", sa.Text, nullable=False),
        sa.Column("created_at", _instant, nullable=False),
        sa.Column("expires_at", _instant, nullable=False, index=True),
        sa.Column("conditions", sa.Text, nullable=False),
        sa.Column("redeemed_at", _instant),
    )
    op.create_table(
        "proofs",
        sa.Column("jkt", sa.Text, primary_key=True),
        sa.Column("jti", sa.Text, primary_key=True),
        sa.Column("until", _instant, nullable=False, index=True),
    )
    op.create_table(
        "tokens",
        sa.Column("token_hash", _bytes, primary_key=True),
        sa.Column("grant_id", sa.Text, nullable=False, index=True),
        sa.Column("identity", sa.Text, nullable=False),
        sa.Column("jkt", sa.Text, nullable=False),
        sa.Column("issued_at", _instant, nullable=False),
        sa.Column("expires_at", _instant, nullable=False),
        sa.Column("revoked_at", _instant),
    )
    op.create_table(
        "answers",
        sa.Column("caller", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("request_digest", _bytes, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("body", _bytes, nullable=False),
        sa.Column("until", _instant, nullable=False, index=True),
    )
    op.create_table(
        "tasks",
        sa.Column("id", _counter, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("payload", _bytes, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("created_at", _instant, nullable=False),
        sa.Column("due_at", _instant, nullable=False, index=True),
        sa.Column("claimed_until", _instant),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("last_error", sa.Text, nullable=False),
    )
    op.create_table(
        "sealed",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("envelope", _bytes, nullable=False),
    )
    op.create_table(
        "disclosures",
        sa.Column("commitment", sa.Text, primary_key=True),
        sa.Column("salt", _bytes, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
    )
    op.create_table(
        "heartbeat",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", _instant, nullable=False),
    )
    op.create_table(
        "ledger_pending",
        sa.Column("id", _counter, primary_key=True, autoincrement=True),
        sa.Column("entry", _bytes, nullable=False),
        sa.Column("seal", _bytes, nullable=False),
        sa.Column("at", _instant, nullable=False),
    )
    op.create_table(
        "ledger_entries",
        sa.Column("idx", _counter, primary_key=True, autoincrement=False),
        sa.Column("entry", _bytes, nullable=False),
    )
    op.create_table(
        "ledger_tiles",
        sa.Column("level", sa.Integer, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True),
        sa.Column("data", _bytes, nullable=False),
    )
    op.create_table(
        "ledger_checkpoints",
        sa.Column("size", _counter, primary_key=True, autoincrement=False),
        sa.Column("note", _bytes, nullable=False),
    )
