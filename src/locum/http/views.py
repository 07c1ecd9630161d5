"""What the API shows of requests, grants and paths; never a secret."""

from __future__ import annotations

from datetime import datetime

import msgspec

from locum.laws.declaration import Finding
from locum.model.cause import Window
from locum.model.names import Digest
from locum.model.path import Path
from locum.model.request import (
    Closed,
    Open,
    Requested,
    Reviewed,
    State,
    approvals_of,
    ask_of,
    grant_of,
    name_of,
    settled,
)
from locum.service.credential import Credential
from locum.store.records import CertificateRow


class RequestView(msgspec.Struct, frozen=True):
    """A request as the API shows it. `needs` says what is missing before it opens."""

    id: str
    state: str
    path: str
    cause: str
    reason: str
    incident: str | None
    requester: str
    digest: Digest
    needs: list[str]
    approvals: list[str]
    asked_at: datetime
    lapses_at: datetime
    grant: str | None
    window: Window | None = None


class ReviewView(msgspec.Struct, frozen=True):
    """A review as the API shows it."""

    by: str
    at: datetime
    verdict: str
    comment: str


class GrantView(msgspec.Struct, frozen=True):
    """A grant as the API shows it. `dead` tells whether its credential was seen to be dead."""

    id: str
    request: str
    state: str
    path: str
    cause: str
    proof: str
    requester: str
    approvals: list[str]
    opened_at: datetime
    ends_at: datetime
    uses: int
    used: int
    closed_at: datetime | None
    how: str | None
    dead: bool
    review_due: datetime | None
    review: ReviewView | None


class CredentialView(msgspec.Struct, frozen=True):
    """A delivered credential: the only answer that carries a secret, and only once.

    Args:
        kind: the method that it is of, e.g. `leased-token`.
        inject: the environment variables that hold it, by name.
    """

    kind: str
    value: str
    inject: dict[str, str]
    expires_at: datetime


class OpenedView(msgspec.Struct, frozen=True):
    """An opened grant with its credential, or without where it is taken later or was before."""

    grant: GrantView
    credential: CredentialView | None


class PathView(msgspec.Struct, frozen=True):
    """A declared path and how it stands."""

    path: str
    method: list[str]
    causes: list[str]
    owner: str
    until: datetime
    strength: str
    primary_strength: str
    blocked_by: list[str]
    drill_due: bool


class FindingView(msgspec.Struct, frozen=True):
    """A finding of the estate or of what is running."""

    path: str
    severity: str
    law: int
    fact: str
    remedy: str
    field: str
    clauses: list[str]


class Page(msgspec.Struct, frozen=True):
    """A page of something; `next` is the cursor of the following page."""

    items: list[RequestView]
    next: str | None


class GrantPage(msgspec.Struct, frozen=True):
    """A page of grants; `next` is the cursor of the following page."""

    items: list[GrantView]
    next: str | None


def request_view(state: State, path: Path | None) -> RequestView:
    """Show a request; `path` is its declaration, to say what it needs."""
    ask, approvals, grant = ask_of(state), approvals_of(state), grant_of(state)
    needs: list[str] = []
    if isinstance(state, Requested) and path is not None and path.approvals is not None:
        missing = path.approvals.need - len(approvals)
        needs.append(f"{missing} more of {path.approvals.of} to approve {ask.digest()}")
    if name_of(state) == "ready":
        needs.append(f"{ask.requester} to activate it before {ask.lapses_at.isoformat()}")
    return RequestView(
        ask.id,
        name_of(state),
        str(ask.path),
        ask.cause.value,
        ask.reason,
        ask.evidence.incident,
        ask.requester,
        ask.digest(),
        needs,
        [approval.by for approval in approvals],
        ask.asked_at,
        ask.lapses_at,
        None if grant is None else grant.id,
        ask.evidence.window,
    )


def grant_view(state: State) -> GrantView:
    """Show a grant.

    Raises:
        ValueError: the request was never opened; the caller looked it up by another id.
    """
    ask, grant = ask_of(state), grant_of(state)
    if grant is None:
        raise ValueError("the request was never opened")
    closed = state.closed if isinstance(state, Reviewed) else state
    ended = closed if isinstance(closed, Closed) else None
    review = state.review if isinstance(state, Reviewed) else None
    return GrantView(
        grant.id,
        ask.id,
        name_of(state),
        str(ask.path),
        ask.cause.value,
        grant.proof,
        ask.requester,
        [approval.by for approval in approvals_of(state)],
        grant.opened_at,
        grant.ends_at,
        grant.uses,
        closed.used if isinstance(closed, Open | Closed) else 0,
        None if ended is None else ended.at,
        None if ended is None else ended.how.value,
        settled(state),
        None if ended is None else ended.review_due,
        None
        if review is None
        else ReviewView(review.by, review.at, review.verdict.value, review.comment),
    )


class CertificateView(msgspec.Struct, frozen=True):
    """A backup certificate as the API shows it; serial and fingerprint (SHA-256) in hexadecimal."""

    serial: str
    fingerprint: str
    not_before: datetime
    not_after: datetime
    revoked_at: datetime | None
    reason: str


def certificate_view(row: CertificateRow) -> CertificateView:
    """Show a backup certificate."""
    return CertificateView(
        row.serial, row.fingerprint, row.not_before, row.not_after, row.revoked_at, row.reason
    )


def finding_view(finding: Finding) -> FindingView:
    """Show a finding."""
    breach = finding.breach
    return FindingView(
        str(finding.path),
        finding.severity,
        int(breach.law),
        breach.fact,
        breach.remedy,
        breach.field,
        list(breach.clauses),
    )


def credential_view(credential: Credential) -> CredentialView:
    """Show a credential: the one place where a secret becomes part of an answer."""
    return CredentialView(
        credential.kind,
        credential.secret.reveal(),
        dict(credential.inject)
        | ({credential.variable: credential.secret.reveal()} if credential.variable else {}),
        credential.ends_at,
    )
