"""Leased tokens at use: live, or not. The answer is worked out from the clock at every call."""

from __future__ import annotations

from locum.issue.generate import parse_token, token_hash
from locum.model.estate import Estate
from locum.model.refusal import MalformedInput
from locum.model.request import CloseReason, Open
from locum.service.activate import close_grant
from locum.service.caller import Proven, admit
from locum.service.wiring import Locum
from locum.store.port import Transaction
from locum.store.records import Token


def introspect_token(
    locum: Locum, transaction: Transaction, proven: Proven, text: str
) -> Token | None:
    """The live token, or `None` where it is unknown, revoked, past its end, or its holder is gone.

    Raises:
        Unauthenticated: the asking resource server is not admitted.
    """
    estate = locum.estate.now
    admit(transaction, estate, proven, locum.clock(), spend=False)
    found = _find(transaction, text)
    if found is None or found.revoked_at is not None or not _holder_stands(found, estate):
        return None
    return found if locum.clock() < found.expires_at else None


def revoke_token(locum: Locum, transaction: Transaction, proven: Proven, text: str) -> None:
    """Close the grant of a token that the caller holds; anything else changes nothing.

    Raises:
        Unauthenticated: the caller is not admitted.
    """
    caller = admit(transaction, locum.estate.now, proven, locum.clock(), spend=True)
    found = _find(transaction, text)
    if found is None or found.identity != caller.identity:
        return
    row = transaction.request_of(found.grant)
    if row is not None and isinstance(row.state, Open):
        close_grant(locum, transaction, row, CloseReason.REVOKED, caller)


def _find(transaction: Transaction, text: str) -> Token | None:
    try:
        return transaction.token(token_hash(parse_token(text)))
    except MalformedInput:
        return None


def _holder_stands(token: Token, estate: Estate) -> bool:
    holder = estate.identities.get(token.identity)
    return holder is not None and not holder.disabled
