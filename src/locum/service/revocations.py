"""Revocation as relying parties see it: lists, answers, and what is new, all from the store.

A certificate is revoked in the commit that closes its grant. OCSP reads that row at each question.
A list is kept until something was revoked, or until half its life is over; whether something was is
looked up at most every `LOOKED`. So any replica answers, and what was closed is refused at once.
Source: RFC 5280 §5, RFC 6960, RFC 9654.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import msgspec

from locum.issue.authority import IssuingAuthority, Responder, responder
from locum.issue.ocsp import OcspAsk, Status, answer_ocsp, matches, refuse_ocsp
from locum.issue.revocation_list import Revoked, build_crl
from locum.service.wiring import Locum
from locum.store.records import CertificateMark, CertificateRow

LOOKED = timedelta(milliseconds=50)
LIST_LIFE = timedelta(minutes=5)
ANSWER_LIFE = timedelta(minutes=1)
LATE = timedelta(minutes=5)
"""How long a certificate stays on the lists past its own end, for clocks that are behind."""

DELTA_STEP = timedelta(hours=1)
_RESPONDER_LIFE = timedelta(days=2)


class Listed(msgspec.Struct, frozen=True):
    """A revocation list as it stands."""

    der: bytes
    number: int
    this_update: datetime
    next_update: datetime
    mark: CertificateMark


class Answer(msgspec.Struct, frozen=True):
    """An OCSP answer; `until` is how long it may be kept, `None` where it may change at once."""

    der: bytes
    until: datetime | None


class Revocations:
    """What the built-in authority says of its certificates.

    Args:
        locum: whose store says what is revoked.
        authority: what signs.
    """

    def __init__(self, locum: Locum, authority: IssuingAuthority) -> None:
        self._locum, self._authority = locum, authority
        self._lists: dict[str, Listed] = {}
        self._looked: tuple[datetime, CertificateMark] | None = None
        self._responder: tuple[datetime, Responder] | None = None
        self._building = threading.Lock()

    def complete(self) -> Listed:
        """The list of every revoked certificate."""
        return self._list("complete", None)

    def shard(self, number: int) -> Listed:
        """One part of the list, by the number that certificates point to."""
        return self._list(f"shard {number}", number)

    def delta(self) -> Listed:
        """What was revoked since the last full hour, to be read with a complete list since then."""
        return self._list("delta", None)

    def answer(self, ask: OcspAsk) -> Answer:
        """Answer a question about one certificate, from what is committed now."""
        now = self._locum.clock()
        if not matches(ask, self._authority):
            return Answer(refuse_ocsp("unauthorized"), None)
        row = self._locum.store.look(lambda transaction: transaction.certificate(f"{ask.serial:x}"))
        this, following = _second(now), _second(now) + ANSWER_LIFE
        made = self._responding(now)
        status, at, reason = _standing(row)
        der = answer_ocsp(made, ask, status, at, reason, this_update=this, next_update=following)
        final = status == "revoked" and ask.nonce is None
        return Answer(der, following if final else None)

    def _responding(self, now: datetime) -> Responder:
        made = self._responder
        if made is None or not timedelta(0) <= now - made[0] < _RESPONDER_LIFE / 2:
            made = self._responder = (
                now,
                responder(self._authority, now, life=_RESPONDER_LIFE),
            )
        return made[1]

    def _mark(self, now: datetime) -> CertificateMark:
        looked = self._looked
        if looked is None or not timedelta(0) <= now - looked[0] < LOOKED:
            mark = self._locum.store.look(
                lambda transaction: transaction.revocation_mark(now - LATE)
            )
            looked = self._looked = (now, mark)
        return looked[1]

    def _list(self, kind: str, shard: int | None) -> Listed:
        now = self._locum.clock()
        mark = self._mark(now)
        kept = self._lists.get(kind)
        if kept is not None and _stands(kept, mark, now):
            return kept
        with self._building:
            kept = self._lists.get(kind)
            if kept is None or not _stands(kept, mark, now):
                kept = self._lists[kind] = self._build(kind, shard, mark, now)
            return kept

    def _build(self, kind: str, shard: int | None, mark: CertificateMark, now: datetime) -> Listed:
        base = _hour(now) if kind == "delta" else None
        since = None if base is None else base - LATE
        found = self._locum.store.look(
            lambda transaction: transaction.revoked_certificates(
                now - LATE, shard=shard, since=since
            )
        )
        url = self._locum.pki_url
        number, this = int(now.timestamp() * 1_000_000), _second(now)
        der = build_crl(
            self._authority,
            [Revoked(int(serial, 16), at, reason) for serial, _, at, reason in found],
            number=number,
            this_update=this,
            next_update=this + LIST_LIFE,
            partition_url=None if shard is None else f"{url}/pki/crl/{shard}.der",
            base=None if base is None else int(base.timestamp() * 1_000_000),
            freshest_url=f"{url}/pki/delta.der" if kind == "complete" else None,
        )
        return Listed(der, number, this, this + LIST_LIFE, mark)


def _standing(row: CertificateRow | None) -> tuple[Status, datetime | None, str | None]:
    if row is None:
        return "unknown", None, None
    if row.revoked_at is None:
        return "good", None, None
    return "revoked", row.revoked_at, row.reason


def _stands(kept: Listed, mark: CertificateMark, now: datetime) -> bool:
    """Whether a list may be given out still; a clock that was set back makes a new one."""
    return kept.mark == mark and timedelta(0) <= now - kept.this_update < LIST_LIFE / 2


def _second(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def _hour(at: datetime) -> datetime:
    return datetime.fromtimestamp(at.timestamp() // 3600 * 3600, UTC)
