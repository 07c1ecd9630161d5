"""The credential of a grant: looked into before it opens, produced after, and killed at its end.

A secret is produced after the commit that spent the use. A password is sealed in the vault before
the role gets it, so that whatever happens in between, closing can prove it dead. Should a close
overtake the production, the production undoes itself, and a sweep at the grant's end does so even
if this process died.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from locum.issue import postgresql_role, static_secret
from locum.issue.authority_openbao import OpenBaoAuthority
from locum.issue.generate import new_password
from locum.laws.life_cycle import Moved, Settle, transition
from locum.ledger.entry import Entry
from locum.model.names import RequestId
from locum.model.path import Path, PostgresqlRole, StaticSecret
from locum.model.refusal import LocumError, MalformedInput, NotFound, Unavailable
from locum.model.request import (
    Closed,
    CloseReason,
    Grant,
    Open,
    Reviewed,
    ask_of,
    grant_of,
    settled,
)
from locum.model.secret import Secret
from locum.service.activate import Opened, close_grant
from locum.service.caller import Proven
from locum.service.certificates import issue_after, yields_certificate
from locum.service.observe import observe_path
from locum.service.record import (
    claim_of,
    declared_then,
    keep,
    record,
    request_row,
)
from locum.service.wiring import Locum
from locum.store.port import Transaction
from locum.store.records import Row, Task


class Credential(msgspec.Struct, frozen=True):
    """What is delivered once.

    Args:
        variable: the environment variable that `locum run` puts the secret into.
        inject: further variables that its user needs; no secrets.
    """

    kind: str
    secret: Secret
    variable: str
    inject: Mapping[str, str]
    ends_at: datetime


def prepare(locum: Locum, path: Path, subject: str, proven: Proven) -> None:
    """Look before opening or taking: is the primary down, can the vault and the target be reached.

    Raises:
        Unavailable: something cannot be; nothing is opened, and that is on the record.
    """
    try:
        observe_path(locum, path)
        prepare_target(locum, path)
    except LocumError as error:
        entry = Entry(
            "activation.unavailable",
            locum.clock(),
            key=proven.jkt,
            subject=subject,
            path=str(path.name),
            facts={"fact": error.fact},
        )
        locum.store.act(lambda transaction: record(transaction, entry)).result()
        raise


def prepare_target(locum: Locum, path: Path) -> None:
    """Check that the vault and the target could be used now.

    Raises:
        Unavailable: with what to do about it.
    """
    match path.target:
        case PostgresqlRole(role, name):
            locum.vault.ready()
            database = locum.estate.now.databases[name]
            postgresql_role.preflight(database, role, locum.vault.read(database.admin_secret))
        case StaticSecret():
            locum.vault.ready()
            static_secret.reveal(path.target, locum.vault)
        case None:
            return


def produce(locum: Locum, opened: Opened) -> Credential:
    """Produce the credential of a use that is committed.

    Raises:
        Unavailable: it could not be; the grant is closed, because its use is spent.
    """
    grant = grant_of(opened.row.state)
    if grant is None or not opened.taken:
        raise MalformedInput("No use was spent.", "Activate the request first.")
    if opened.secret is not None:
        return Credential("leased-token", opened.secret, "LOCUM_TOKEN", {}, grant.ends_at)
    if opened.certificate:
        return _certificate(opened.certificate, grant)
    try:
        credential = _made(locum, opened, grant)
    except LocumError as error:
        _close_if_open(locum, ask_of(opened.row.state).id)
        raise Unavailable(
            f"The credential could not be produced: {error.fact} The grant is closed.",
            f"{error.remedy} Then ask anew.",
        ) from None
    return credential


def _certificate(chain: str, grant: Grant) -> Credential:
    return Credential("backup-certificate", Secret(chain), "", {}, grant.ends_at)


def _made(locum: Locum, opened: Opened, grant: Grant) -> Credential:
    path = opened.path
    if opened.asked is not None and isinstance(locum.authority, OpenBaoAuthority):
        return _certificate(issue_after(locum, opened.asked, grant, locum.authority), grant)
    match path.target:
        case PostgresqlRole(role, name):
            database = locum.estate.now.databases[name]
            admin = locum.vault.read(database.admin_secret)
            password = new_password(locum.rng)
            locum.vault.write(_kept(grant), password)
            postgresql_role.open_role(database, role, admin, password, grant.ends_at)
            if not _still_open(locum, grant):
                postgresql_role.close_role(database, role, admin, locum.rng)
                raise Unavailable("The grant was closed meanwhile.", "")
            where = {
                "PGHOST": database.host,
                "PGPORT": str(database.port),
                "PGDATABASE": database.dbname,
                "PGUSER": role,
                "PGSSLMODE": database.sslmode,
            }
            return Credential("vaulted-secret", password, "PGPASSWORD", where, grant.ends_at)
        case StaticSecret(_, variable):
            secret = static_secret.reveal(path.target, locum.vault)
            return Credential("vaulted-secret", secret, variable, {}, grant.ends_at)
        case None:
            raise Unavailable(f"{path.name} has no target.", "Declare a `target`.")


def settle(locum: Locum, task: Task) -> None:
    """Kill the credential of a closed grant, prove it dead, and put that on the record.

    Raises:
        LocumError: not done yet; the outbox tries again, for ever.
    """
    row, path = _row_and_path(locum, task)
    grant = grant_of(row.state)
    if grant is None or isinstance(row.state, Open) or settled(row.state):
        return
    closed = row.state.closed if isinstance(row.state, Reviewed) else row.state
    if isinstance(closed, Closed) and closed.used:
        _kill(locum, path, grant)

    def dead(transaction: Transaction) -> float:
        now = locum.clock()
        current = request_row(transaction, ask_of(row.state).id)
        moved = transition(current.state, Settle(), now)
        if isinstance(moved, Moved) and isinstance(closed, Closed):
            keep(locum, transaction, moved, path, now, was=current, caller=None)
            return (now - closed.at).total_seconds()
        return 0.0

    locum.metrics.died(locum.store.act(dead).result())


def sweep(locum: Locum, task: Task) -> None:
    """At a grant's hard end: make sure that no production was left behind by a dead process."""
    row, path = _row_and_path(locum, task)
    if isinstance(row.state, Open) or not isinstance(path.target, PostgresqlRole):
        return
    claim = (
        claim_of(row.state, path) or f"postgresql-role:{path.target.database}/{path.target.role}"
    )

    def held(transaction: Transaction) -> bool:
        return any(
            claim_of(one.state, declared_then(locum, transaction, ask_of(one.state).declaration))
            == claim
            for one in transaction.open_grants()
        )

    if not locum.store.look(held):
        database = locum.estate.now.databases[path.target.database]
        admin = locum.vault.read(database.admin_secret)
        postgresql_role.close_role(database, path.target.role, admin, locum.rng)


def revoke_elsewhere(locum: Locum, task: Task) -> None:
    """Revoke a certificate that was signed for a grant which closed before it was recorded."""
    if isinstance(locum.authority, OpenBaoAuthority):
        locum.authority.revoke(msgspec.json.decode(task.payload, type=dict[str, str])["serial"])


def _revoke_signed(locum: Locum, grant: Grant, authority: OpenBaoAuthority) -> None:
    for row in locum.store.look(lambda transaction: transaction.certificates_of(grant.id)):
        authority.revoke(row.serial)
        if authority.revoked(row.serial) is None:
            raise Unavailable(
                f"OpenBao does not say that {row.serial} is revoked.", "It is tried again."
            )


def _kill(locum: Locum, path: Path, grant: Grant) -> None:
    if isinstance(locum.authority, OpenBaoAuthority) and yields_certificate(path):
        _revoke_signed(locum, grant, locum.authority)
        return
    match path.target:
        case PostgresqlRole(role, name):
            database = locum.estate.now.databases.get(name)
            if database is None:
                raise Unavailable(
                    f"The estate no longer declares the database {name}.",
                    "Declare it again until the role is dead.",
                )
            admin = locum.vault.read(database.admin_secret)
            postgresql_role.close_role(database, role, admin, locum.rng)
            try:
                old = locum.vault.read(_kept(grant))
            except NotFound:
                return
            postgresql_role.prove_dead(database, role, old)
            locum.vault.forget(_kept(grant))
        case StaticSecret():
            static_secret.settle(path.target, locum.hooks, locum.vault)
        case None:
            return


def _row_and_path(locum: Locum, task: Task) -> tuple[Row, Path]:
    def find(transaction: Transaction) -> tuple[Row, Path]:
        row = request_row(transaction, RequestId(task.subject))
        return row, declared_then(locum, transaction, ask_of(row.state).declaration)

    return locum.store.look(find)


def _still_open(locum: Locum, grant: Grant) -> bool:
    row = locum.store.look(lambda transaction: transaction.request_of(grant.id))
    return row is not None and isinstance(row.state, Open)


def _close_if_open(locum: Locum, request: RequestId) -> None:
    def close(transaction: Transaction) -> None:
        row = request_row(transaction, request)
        if isinstance(row.state, Open):
            close_grant(locum, transaction, row, CloseReason.FAILED, None)

    locum.store.act(close).result()


def _kept(grant: Grant) -> str:
    return f"grants/{grant.id}"
