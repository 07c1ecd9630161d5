"""A registered key remembers who invited it (law 6).

What is older than the invitations that are still kept has no inviter here; its ledger entry does.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column, and fill it where the invitation is still there."""
    op.add_column("callers", sa.Column("invited_by", sa.Text, nullable=False, server_default=""))
    op.execute(
        "UPDATE callers SET invited_by = coalesce((SELECT invitations.invited_by FROM invitations"
        " WHERE invitations.identity = callers.identity"
        " AND invitations.redeemed_at = callers.registered_at LIMIT 1), '')"
    )
