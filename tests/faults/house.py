"""A Locum in one process without a face: the real verbs on a store, for people with known keys."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from locum.estate.document import Document
from locum.estate.loading import Loaded, load_lawful
from locum.evidence.trust_sources import TrustSources
from locum.issue.vault import Vault
from locum.ledger.anchor import FileAnchor
from locum.ledger.note import Signer
from locum.model.cause import Cause, Evidence
from locum.model.estate import Estate
from locum.model.names import GrantId, IdentityName, PathName, RequestId
from locum.model.request import CloseReason, Verdict, ask_of
from locum.model.secret import Secret
from locum.service.activate import Opened, activate_request, take_credential
from locum.service.ask import Asked, make_request
from locum.service.caller import Proven
from locum.service.close import close_by_caller
from locum.service.decide import Decision, decide_request
from locum.service.people import invite, register_key
from locum.service.review import review_grant
from locum.service.sequencer import Sequencer
from locum.service.wiring import EstateInForce, Locum
from locum.store.port import Store, Transaction
from locum.store.records import CallerKey, Row
from locum.store.sql_ledger import check_seal

T = TypeVar("T")
Clock = Callable[[], datetime]
Verb = Callable[[Transaction], T]
KEY_LIFE = timedelta(days=90)
SEAL_KEY = b"s" * 32
PEOPLE = ("alice", "bob", "carol", "dana", "erin")
TOKEN = PathName.parse("ci/deploy")
ROLE = PathName.parse("orders-db-admin/break-glass")
_PEOPLE = "\n".join(
    f"  {name}: {{ kind: human, owner: {name}@example.com, "
    "primary: { method: passkey-device-bound } }"
    for name in PEOPLE
)
_ESTATE = """version: 1
groups:
  administrators: [alice]
  leads: [alice, bob, carol]
  security: [dana]
databases:
  orders-db:
    host: 127.0.0.1
    port: {port}
    dbname: postgres
    admin: locum_admin
    admin_secret: orders-db-admin-password
    sslmode: disable
identities:
{people}
  ci:
    kind: workload
    owner: build-team
    primary:
      method: oidc-workload-token
      authority: {{ audiences: [deploy], environment: production }}
    fallbacks:
      deploy:
        method: leased-token
        causes: [outage]
        approvals: {{ of: leads, need: 2, within: 30m }}
        limits: {{ ttl: 30m, uses: 2 }}
        review: {{ by: security, within: 24h }}
        drill: {{ every: 90d }}
        owner: build-team
        reason: deploy while the workload identity provider is down
        until: 2099-12-31
  orders-db-admin:
    kind: workload
    owner: orders-team
    primary:
      method: oidc-workload-token
      authority: {{ audiences: [orders-db], environment: production }}
    fallbacks:
      break-glass:
        method: vaulted-secret
        target: {{ postgresql-role: orders_admin, database: orders-db }}
        causes: [outage]
        approvals: {{ of: leads, need: 2, within: 30m }}
        limits: {{ ttl: 30m }}
        review: {{ by: security, within: 24h }}
        drill: {{ every: 90d }}
        owner: orders-team
        reason: repair orders while the workload identity provider is down
        until: 2099-12-31
"""


def estate_at(folder: Path, now: datetime, port: int = 5432) -> Estate:
    """Write the estate into a folder and read it."""
    file = folder / "estate.yaml"
    file.write_text(_ESTATE.format(port=port, people=_PEOPLE))
    return load_lawful(file, now).estate


@dataclass(frozen=True)
class House:
    """The verbs of a Locum, each as a call that waits for its commit."""

    locum: Locum
    sequencer: Sequencer

    @property
    def store(self) -> Store:
        return self.locum.store

    def do(self, verb: Verb[T]) -> T:
        return self.store.act(verb).result()

    def people(self) -> None:
        """Register a key for everybody."""
        now = self.locum.clock()
        for name in PEOPLE:
            self.register(CallerKey(f"key-{name}", IdentityName(name), b"{}", now, now + KEY_LIFE))

    def register(self, key: CallerKey) -> None:
        self.do(lambda transaction: transaction.add_caller(key))

    def ask(self, proven: Proven, reason: str = "INC-1", path: PathName = TOKEN) -> Verb[Row]:
        asked = Asked(path, Cause.OUTAGE, reason, Evidence("INC-1"))
        return lambda transaction: make_request(self.locum, transaction, proven, asked)  # type: ignore[return-value]

    def approve(self, proven: Proven, row: Row) -> Verb[Row]:
        asked = ask_of(row.state)
        return lambda transaction: decide_request(  # type: ignore[return-value]
            self.locum, transaction, proven, asked.id, Decision.APPROVE, asked.digest(), "seen"
        )

    def activate(self, proven: Proven, request: RequestId, take: bool = True) -> Verb[Opened]:
        return lambda transaction: activate_request(  # type: ignore[return-value]
            self.locum, transaction, proven, request, take=take, prepared=True
        )

    def take(self, proven: Proven, grant: GrantId) -> Verb[Opened]:
        return lambda transaction: take_credential(self.locum, transaction, proven, grant)  # type: ignore[return-value]

    def close(self, proven: Proven, grant: GrantId) -> Verb[Row]:
        return lambda transaction: close_by_caller(
            self.locum, transaction, proven, grant, CloseReason.REVOKED, "done"
        )

    def review(self, proven: Proven, grant: GrantId) -> Verb[Row]:
        return lambda transaction: review_grant(  # type: ignore[return-value]
            self.locum, transaction, proven, grant, Verdict.EMERGENCY, "as announced"
        )

    def invite(self, proven: Proven, person: str) -> Verb[tuple[Secret, datetime]]:
        return lambda transaction: invite(
            self.locum, transaction, proven, IdentityName(person), frozenset()
        )

    def redeem(self, code: Secret, jkt: str) -> Verb[CallerKey]:
        return lambda transaction: register_key(
            self.locum, transaction, code, jkt, b"{}", "127.0.0.1"
        )

    def ready_request(self, path: PathName = TOKEN) -> RequestId:
        """A request of alice that bob and carol approved."""
        row = self.do(self.ask(proof("alice"), path=path))
        self.do(self.approve(proof("bob"), row))
        self.do(self.approve(proof("carol"), row))
        return ask_of(row.state).id

    def opened(self, path: PathName = TOKEN) -> Opened:
        """A grant of alice, its credential taken once."""
        return self.do(self.activate(proof("alice"), self.ready_request(path)))


def proof(person: str, jti: str = "") -> Proven:
    """A proof that nobody used before, unless a test names one."""
    return Proven(f"key-{person}", jti or secrets.token_hex(12), "127.0.0.1")


def grant_id(request: RequestId) -> GrantId:
    """The grant that a request becomes."""
    return GrantId("gr_" + request.removeprefix("rq_"))


def house_of(
    store: Store,
    estate: Estate,
    clock: Clock,
    anchor: Path,
    private: Ed25519PrivateKey,
    vault: Vault | None = None,
) -> House:
    """Put a Locum together on a store."""
    in_force, trust = EstateInForce(Loaded(estate, Document({}, {}))), TrustSources(clock)
    locum = Locum(store, in_force, vault, clock, os.urandom, anchor.parent, trust)  # type: ignore[arg-type]
    sequencer = Sequencer(
        store,
        Signer("locum.example/ledger", private),
        FileAnchor(anchor),
        lambda number, entry, seal: check_seal(SEAL_KEY, number, entry, seal),
        lambda entry: None,
    )
    return House(locum, sequencer)
