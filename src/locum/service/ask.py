"""Ask: somebody requests that a path be opened, for a cause, with evidence."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from locum.laws.life_cycle import ask as begin
from locum.laws.opening import decide_ask
from locum.laws.permits import Refusal
from locum.laws.rotation_window import scheduled_window
from locum.model.cause import Cause, Evidence, Window
from locum.model.estate import Estate, Identity
from locum.model.names import PathName, RequestId
from locum.model.path import Path
from locum.model.refusal import MalformedInput, NotFound
from locum.model.request import Ask
from locum.service.caller import Proven, admit, demand_own
from locum.service.record import declare, keep, past_of, record_refusal
from locum.service.wiring import Locum
from locum.store.port import Transaction
from locum.store.records import Row

LONGEST_REASON = 2_000


class Asked(msgspec.Struct, frozen=True):
    """What a caller asks for."""

    path: PathName
    cause: Cause
    reason: str
    evidence: Evidence = Evidence()


def find_path(estate: Estate, name: PathName) -> tuple[Identity, Path]:
    """The declared path and its identity.

    Raises:
        NotFound: the estate in force declares no such path.
    """
    path = estate.path(name)
    if path is None:
        raise NotFound(f"The estate declares no path {name}.", "List them: `locum status`.")
    return estate.identities[name.identity], path


def make_request(
    locum: Locum, transaction: Transaction, proven: Proven, asked: Asked
) -> Row | Refusal:
    """Make a request, or record that it was refused.

    Returns:
        The request's row: `Requested`, or `Ready` where the path declares no approvals; or the
        refusal, which is returned and not raised so that its ledger entry is committed.

    Raises:
        MalformedInput: no reason, or one too long.
        NotFound: no such path.
    """
    now, estate = locum.clock(), locum.estate.now
    caller = admit(transaction, estate, proven, now, spend=True, workloads=True)
    demand_own(caller, asked.path)
    if not 0 < len(asked.reason.strip()) <= LONGEST_REASON:
        raise MalformedInput(
            f"`reason` must have 1 to {LONGEST_REASON} characters.",
            'Say why, e.g. "orders are stuck, INC-2041".',
        )
    identity, path = find_path(estate, asked.path)
    past = past_of(transaction, asked.path, now)
    evidence = _with_window(asked, path, now)
    decision = decide_ask(
        path, identity, caller.identity, asked.cause, estate, past, now, evidence.window
    )
    if isinstance(decision, Refusal):
        record_refusal(transaction, decision, str(asked.path), asked.path, caller, now)
        return decision
    request = Ask(
        new_request_id(locum, now),
        asked.path,
        asked.cause,
        asked.reason,
        evidence,
        caller.identity,
        caller.jkt,
        decision.declaration,
        now,
        decision.lapses_at,
    )
    declare(transaction, path, decision.declaration)
    need = 0 if path.approvals is None else path.approvals.need
    return keep(
        locum,
        transaction,
        begin(decision, request, need),
        path,
        now,
        was=None,
        caller=caller,
        words=asked.reason,
        facts={"ask": request.digest(), "cause": asked.cause.value},
    )


def _with_window(asked: Asked, path: Path, now: datetime) -> Evidence:
    """The evidence, with the schedule's window where a rotation names none of its own."""
    evidence = asked.evidence
    if asked.cause is not Cause.PLANNED_ROTATION:
        if evidence.window is not None:
            raise MalformedInput(
                "A window belongs to the cause `planned-rotation`.", "Leave `window` out."
            )
        return evidence
    window = evidence.window
    if window is None:
        window = scheduled_window(path, now)
    elif window.opens.tzinfo is None or window.until.tzinfo is None:
        raise MalformedInput(
            "The window's times have no offset from UTC.",
            "Write them as RFC 3339 has it, e.g. 2026-12-01T02:00:00Z.",
        )
    else:
        window = Window(window.opens.astimezone(UTC), window.until.astimezone(UTC))
    return msgspec.structs.replace(evidence, window=window)


def new_request_id(locum: Locum, now: datetime) -> RequestId:
    """A request's id: `rq_`, its time in milliseconds so that ids sort, and 10 random bytes."""
    return RequestId(f"rq_{int(now.timestamp() * 1000):012x}{locum.rng(10).hex()}")
