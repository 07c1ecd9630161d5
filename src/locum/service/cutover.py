"""Cutover: the new primary is seen in use, and the backup dies with that commit (law 4).

It is told by the holder of the new certificate, who proves it by using it; or by somebody whose
word counts, who saw it; or Locum sees it served. Each way the certificate must be the identity's
own, and newer than the one that the grant was opened with.
"""

from __future__ import annotations

import ssl
from functools import partial

import structlog

from locum.evidence.endpoint import served_certificate
from locum.laws.cutover import replaced
from locum.laws.permits import Refusal
from locum.model.certificate import CertificateFacts
from locum.model.names import GrantId
from locum.model.path import Path
from locum.model.presenter import Presenter
from locum.model.refusal import Breach, Law, LocumError, MalformedInput, TransitionNotAllowed
from locum.model.request import CloseReason, Open, ask_of, grant_of
from locum.service.activate import close_grant
from locum.service.caller import Caller, Proven, admit, demand_own
from locum.service.close import concerned
from locum.service.presenters import presented
from locum.service.record import declared_then, grant_row, record_refusal
from locum.service.wiring import Locum
from locum.store.port import Transaction
from locum.store.records import Row

_log = structlog.get_logger("locum.cutover")


def cutover_told(
    locum: Locum, transaction: Transaction, proven: Proven, grant: GrantId
) -> Row | Refusal:
    """Close a grant because its identity calls with the new primary certificate.

    Raises:
        NotFound: no such grant, or another identity's.
        MalformedInput: the caller presented no certificate.
        TransitionNotAllowed: it is not open.
    """
    now, estate = locum.clock(), locum.estate.now
    caller = admit(transaction, estate, proven, now, spend=True, workloads=True)
    row = grant_row(transaction, grant)
    demand_own(caller, ask_of(row.state).path)
    if caller.primary is None:
        raise MalformedInput(
            "A cutover is told with the new primary certificate.",
            "Call over mTLS with it, or send `certificate` and `seen` as somebody who saw it.",
        )
    closed = _cut(locum, transaction, row, caller.primary, caller, "told over mTLS")
    return _rested(transaction, closed, proven.presenter)


def cutover_seen(
    locum: Locum,
    transaction: Transaction,
    proven: Proven,
    grant: GrantId,
    presenter: Presenter,
    seen: str,
) -> Row | Refusal:
    """Close a grant because a guard, or a person concerned, saw the new certificate in use.

    Args:
        presenter: whose the certificate is, which was seen.
        seen: what saw it, in the caller's words.

    Raises:
        NotFound: no such grant.
        TransitionNotAllowed: it is not open.
    """
    now, estate = locum.clock(), locum.estate.now
    caller = admit(transaction, estate, proven, now, spend=True, workloads=True)
    row = grant_row(transaction, grant)
    asked = ask_of(row.state)
    path = declared_then(locum, transaction, asked.declaration)
    if caller.identity not in path.cutover.guards | concerned(path, estate):
        return _refused(
            transaction,
            row,
            caller,
            Breach(
                Law.ONLY_WHEN_SHUT,
                f"The word of {caller.identity} does not count for a cutover of {asked.path}.",
                "Call over mTLS with the new certificate, or declare the guard: "
                "`cutover: {guards: [...]}`.",
                "cutover.guards",
            ),
            locum,
        )
    if presenter.identity != asked.path.identity or presenter.facts is None:
        return _refused(
            transaction,
            row,
            caller,
            Breach(
                Law.ONLY_WHEN_SHUT,
                f"The certificate is not one of {asked.path.identity}.",
                "Send the certificate that was seen in use.",
                "cutover",
            ),
            locum,
        )
    closed = _cut(locum, transaction, row, presenter.facts, caller, f"seen by {seen}")
    return _rested(transaction, closed, presenter)


def _rested(
    transaction: Transaction, closed: Row | Refusal, presenter: Presenter | None
) -> Row | Refusal:
    """Let ACME accounts of the path rest on the new primary, which the cutover has shown."""
    if isinstance(closed, Row) and presenter is not None and presenter.certificate:
        pem = ssl.DER_cert_to_PEM_cert(presenter.certificate)
        transaction.acme_primary(ask_of(closed.state).path, pem)
    return closed


def close_if_served(locum: Locum, path: Path) -> int:
    """Look at what the path's endpoint serves, and close the grants that it shows to be over.

    Returns:
        How many were closed; none where the endpoint, or whose its certificate is, cannot be told.
    """
    rule, now = path.cutover, locum.clock()
    try:
        der = served_certificate(rule.endpoint, rule.server_name)
        presenter = presented(locum, der, now, "server")
    except LocumError as error:
        _log.info("cutover.unseen", path=str(path.name), error=str(error))
        return 0
    facts = presenter.facts
    if presenter.identity != path.name.identity or facts is None:
        return 0
    page = locum.store.look(
        lambda transaction: transaction.requests(state="open", path=path.name, limit=200)
    )
    closed = 0
    for row in page.rows:
        grant = grant_of(row.state)
        if grant is not None and not replaced(grant, facts, is_backup=False, now=now):
            probed = partial(
                cutover_probed, locum, grant=grant.id, facts=facts, where=rule.endpoint
            )
            closed += locum.store.act(probed).result()
    return closed


def cutover_probed(
    locum: Locum, transaction: Transaction, *, grant: GrantId, facts: CertificateFacts, where: str
) -> bool:
    """Close a grant because Locum saw the new certificate served; tells whether it did.

    Args:
        facts: the certificate that the endpoint serves, which is the identity's.
    """
    row = grant_row(transaction, grant)
    if not isinstance(row.state, Open):
        return False
    return isinstance(_cut(locum, transaction, row, facts, None, f"served at {where}"), Row)


def _cut(
    locum: Locum,
    transaction: Transaction,
    row: Row,
    facts: CertificateFacts,
    caller: Caller | None,
    seen: str,
) -> Row | Refusal:
    if not isinstance(row.state, Open):
        raise TransitionNotAllowed("The grant is not open.", "Look at it: `locum status`.")
    ours = transaction.certificate(facts.serial)
    backup = ours is not None and ours.fingerprint == facts.fingerprint
    breaches = replaced(row.state.grant, facts, is_backup=backup, now=locum.clock())
    if breaches:
        refusal = Refusal(breaches)
        if caller is not None:
            record_refusal(
                transaction,
                refusal,
                row.state.grant.id,
                row.state.ask.path,
                caller,
                locum.clock(),
            )
        return refusal
    told = {"seen": seen, "primary": facts.fingerprint}
    return close_grant(locum, transaction, row, CloseReason.CUTOVER, caller, facts=told)


def _refused(
    transaction: Transaction, row: Row, caller: Caller, breach: Breach, locum: Locum
) -> Refusal:
    refusal, asked = Refusal((breach,)), ask_of(row.state)
    record_refusal(transaction, refusal, asked.id, asked.path, caller, locum.clock())
    return refusal
