"""The store's interface: the verbs that the service needs, and nothing generic.

Contract for every implementation (one suite of tests runs on all of them):

- **Atomic.** All that one act does through its `Transaction` is kept, or nothing of it.
- **Durable.** An act's result is given back only after its commit is on stable storage.
- **Shared commits.** Acts that wait at the same time may share one commit; one that raises is
  undone alone (savepoint), and the others go on.
- **The write is the claim.** Single use, versions, approval counts and exclusive grants are a
  compare-and-set in a statement; the loser gets `Conflict`.
- **Errors.** `Conflict` (try again), `StorageError` (not kept; disk, database or clock), and
  `Unconfirmed` (no word within the time limit, or the commit itself broke off: it may be kept).
  No other exception of a driver gets out.
- **Concurrency.** `act` and `look` may be called from any thread. An act's function is
  synchronous, does no I/O but through its transaction, and may run more than once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import Protocol, TypeVar

from locum.model.acme import AcmeAccount, AcmeBinding, AcmeOrder
from locum.model.names import Digest, GrantId, IdentityName, PathName, RequestId
from locum.model.request import State
from locum.store.records import (
    Answer,
    CallerKey,
    CertificateMark,
    CertificateRow,
    Invitation,
    Outcome,
    PathFacts,
    Row,
    Sealed,
    Task,
    Token,
)

T = TypeVar("T")


class Transaction(Protocol):
    """What an act may read and write; a reading one refuses writes."""

    # requests
    def request(self, request: RequestId) -> Row | None:
        """The request; locked against other acts until this one ends."""
        ...

    def request_of(self, grant: GrantId) -> Row | None:
        """The request that became this grant; locked likewise."""
        ...

    def add_request(self, state: State) -> None:
        """Keep a new request, as version 1. Raises `Conflict` where the id exists."""
        ...

    def save_request(self, state: State, version: int, claim: str | None) -> None:
        """Replace the request's state if it still has `version`, as `version + 1`.

        Args:
            claim: what only one live grant may hold (an exclusive path's name); `None` for none.
                Freed by the save that passes `None`.

        Raises:
            Conflict: the version is another by now, or the claim is held by another grant.
        """
        ...

    def requests(
        self,
        *,
        grants_only: bool = False,
        state: str | None = None,
        path: PathName | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Outcome:
        """Requests newest first, by cursor. Raises `MalformedInput` for a cursor not given out."""
        ...

    def due(self, now: datetime, limit: int) -> tuple[RequestId, ...]:
        """Requests that time alone changes by `now`: to lapse, or whose grant's end is reached."""
        ...

    def open_grants(self) -> tuple[Row, ...]:
        """Every open grant."""
        ...

    def path_facts(self, path: PathName, now: datetime) -> PathFacts:
        """What the past of a path says about opening it again."""
        ...

    def declare(self, declaration: Digest, body: bytes) -> None:
        """Keep a path's declaration under its digest; keeping it twice is no error."""
        ...

    def declaration(self, declaration: Digest) -> bytes | None:
        """The declaration of that digest."""
        ...

    # callers
    def invite(self, invitation: Invitation) -> None:
        """Keep an invitation."""
        ...

    def redeem(self, code_hash: bytes, now: datetime) -> Invitation | None:
        """Spend an invitation that is unspent and unexpired; `None` where there is none such."""
        ...

    def withdraw_invitation(self, code_hash: bytes, now: datetime) -> bool:
        """End an invitation that is unspent and unexpired; tells whether there was one."""
        ...

    def add_caller(self, key: CallerKey) -> None:
        """Register a key. Raises `Conflict` where its thumbprint is registered already."""
        ...

    def caller(self, jkt: str) -> CallerKey | None:
        """The registered key of that thumbprint, revoked or not."""
        ...

    def callers_of(self, identity: IdentityName) -> tuple[CallerKey, ...]:
        """Every key ever registered for an identity (EVT-1)."""
        ...

    def revoke_caller(self, jkt: str, now: datetime) -> None:
        """Revoke a key; revoking twice keeps the first instant."""
        ...

    def claim_proof(self, jkt: str, jti: str, until: datetime, now: datetime) -> None:
        """Spend a DPoP proof's `jti`, which could be sent again until `until`.

        Raises `Conflict` where it is spent (RFC 9449 §11.1), and `StorageError` where `now` is so
        far before what was pruned that it may have been spent and forgotten.
        """
        ...

    # tokens
    def add_token(self, token: Token) -> None:
        """Keep a leased token."""
        ...

    def token(self, token_hash: bytes) -> Token | None:
        """The leased token of that hash."""
        ...

    def revoke_tokens(self, grant: GrantId, now: datetime) -> int:
        """Revoke every token of a grant; gives how many were live."""
        ...

    # certificates
    def add_certificate(self, certificate: CertificateRow) -> None:
        """Keep an issued certificate. Raises `Conflict` where its key or serial had one before."""
        ...

    def certificate(self, serial: str) -> CertificateRow | None:
        """The issued certificate of that serial number, in hexadecimal."""
        ...

    def certificate_of_key(self, key: str) -> CertificateRow | None:
        """The certificate that was issued for that public key, by the key's SHA-256."""
        ...

    def certificates_of(self, grant: GrantId) -> tuple[CertificateRow, ...]:
        """Every certificate of a grant, the oldest first."""
        ...

    def revoke_certificates(self, grant: GrantId, now: datetime, reason: str) -> tuple[str, ...]:
        """Revoke every certificate of a grant; gives the serial numbers of those that were not."""
        ...

    def revoked_certificates(
        self, alive_at: datetime, *, shard: int | None = None, since: datetime | None = None
    ) -> tuple[tuple[str, str, datetime, str], ...]:
        """Revoked certificates whose end lies after `alive_at`: serial, fingerprint, when, why.

        Args:
            shard: only those of one part of the list.
            since: only those revoked after it.
        """
        ...

    def revocation_mark(self, alive_at: datetime) -> CertificateMark:
        """What differs whenever the revoked certificates with an end after `alive_at` do."""
        ...

    # acme
    def add_acme_binding(self, binding: AcmeBinding, now: datetime) -> None:
        """Keep a binding key's name, and forget those whose time is over."""
        ...

    def spend_acme_binding(self, kid: str, now: datetime) -> AcmeBinding | None:
        """Spend a binding key that is unspent and unexpired; `None` where there is none such."""
        ...

    def add_acme_account(self, account: AcmeAccount) -> None:
        """Keep a new account. Raises `Conflict` where its key has one already."""
        ...

    def acme_account(self, account: str) -> AcmeAccount | None:
        """The account of that id, deactivated or not."""
        ...

    def acme_account_of_key(self, jkt: str) -> AcmeAccount | None:
        """The account of the key of that thumbprint, deactivated or not."""
        ...

    def change_acme_key(self, account: AcmeAccount, jkt: str, jwk: bytes) -> None:
        """Give an account another key.

        Raises `Conflict` where it has another one by now, or the new one has an account.
        """
        ...

    def deactivate_acme_account(self, account: str, now: datetime) -> bool:
        """End an account; tells whether it was not ended before."""
        ...

    def acme_primary(self, path: PathName, certificate: str) -> None:
        """Let every account of a path rest on another primary certificate (PEM) from now on."""
        ...

    def add_acme_order(self, order: AcmeOrder) -> None:
        """Keep a new order."""
        ...

    def acme_order(self, order: str) -> AcmeOrder | None:
        """The order of that id; locked against other acts until this one ends."""
        ...

    def acme_orders_of(self, account: str, limit: int) -> tuple[AcmeOrder, ...]:
        """An account's orders, the newest first."""
        ...

    def finalize_acme_order(self, order: str, key: str) -> None:
        """Say which public key an order was finalized with. Raises `Conflict` if it was before."""
        ...

    # answers, tasks, secrets, words kept apart from the ledger
    def answer(self, caller: str, key: str) -> Answer | None:
        """What was answered to this caller's idempotency key."""
        ...

    def remember(self, caller: str, key: str, answer: Answer, until: datetime) -> None:
        """Keep an answer. Raises `Conflict` where the key is taken."""
        ...

    def forget_answer(self, caller: str, key: str) -> None:
        """Strike an answer off, so that its key is free for another."""
        ...

    def enqueue(self, task: Task) -> None:
        """Add a task to the outbox."""
        ...

    def take_tasks(self, now: datetime, until: datetime, limit: int) -> tuple[Task, ...]:
        """Claim tasks that are due and unclaimed; a claim ends by itself at `until`."""
        ...

    def finish_task(self, task: int) -> None:
        """Strike a task off."""
        ...

    def postpone_task(self, task: int, due_at: datetime, error: str) -> None:
        """Count a failed attempt and say when to try again."""
        ...

    def outbox(self) -> tuple[int, datetime | None]:
        """How many tasks wait, and since when the oldest does."""
        ...

    def waiting_tasks(self, limit: int) -> tuple[Task, ...]:
        """Tasks that failed at least once, the oldest first."""
        ...

    def seal(self, sealed: Sealed) -> None:
        """Keep a sealed secret if its stored version is `sealed.version - 1`, else `Conflict`."""
        ...

    def sealed(self, name: str) -> Sealed | None:
        """The sealed secret of that name."""
        ...

    def forget_sealed(self, name: str) -> None:
        """Remove a sealed secret; removing what is not there is no error."""
        ...

    def disclose(self, commitment: str, salt: bytes, text: str) -> None:
        """Keep the words behind a commitment of the ledger, apart, so that they can be erased."""
        ...

    def disclosed(self, commitment: str) -> tuple[bytes, str] | None:
        """The salt and words behind a commitment, unless erased."""
        ...

    def prune(self, now: datetime, limit: int) -> int:
        """Delete spent proofs, answers and invitations that are past their time; gives how many."""
        ...

    def heartbeat(self, now: datetime) -> None:
        """Write a row that means nothing, to see that writing works."""
        ...

    # ledger
    def append(self, entry: bytes) -> None:
        """Add an entry to the ledger, to be integrated in the order of commits."""
        ...

    def pending(self, limit: int) -> tuple[tuple[int, bytes, bytes], ...]:
        """Entries not yet integrated: (pending id, entry, its seal)."""
        ...

    def integrate(
        self,
        pending: Sequence[int],
        first_index: int,
        entries: Sequence[bytes],
        tiles: Mapping[tuple[int, int], bytes],
    ) -> None:
        """Give pending entries their indices from `first_index` on, and keep changed tiles.

        Raises `Conflict` where an index exists already.
        """
        ...

    def ledger_size(self) -> int:
        """How many entries are integrated."""
        ...

    def pending_count(self) -> tuple[int, datetime | None]:
        """How many entries wait for integration, and since when the oldest does."""
        ...

    def entries(self, first: int, count: int) -> tuple[bytes, ...]:
        """Integrated entries from `first` on."""
        ...

    def tile(self, level: int, number: int) -> bytes | None:
        """The longest version of a hash tile."""
        ...

    def publish(self, size: int, note: bytes) -> None:
        """Keep a signed checkpoint as the newest. Raises `Conflict` where a larger one is kept."""
        ...

    def checkpoint(self) -> bytes | None:
        """The newest signed checkpoint."""
        ...


class Store(Protocol):
    """A store that can be acted on, looked at, and closed."""

    def act(self, function: Callable[[Transaction], T]) -> Future[T]:
        """Run a writing act; the future is done when its commit is durable, or with its error.

        An act that is not committed within two seconds ends in `Unconfirmed`.
        """
        ...

    def look(self, function: Callable[[Transaction], T]) -> T:
        """Run a reading function on a consistent snapshot, in this thread.

        Each of its questions is answered within seconds or ends in `StorageError`.
        """
        ...

    def sole(self, name: str, function: Callable[[Transaction], T]) -> T | None:
        """Run an act while holding the lock `name` against every replica.

        Gives `None` at once where another replica holds it. Waits for the commit.
        """
        ...

    def ready(self) -> None:
        """Raise `StorageError` where acts would be refused now (disk, database, clock)."""
        ...

    def close(self) -> None:
        """Finish what waits, then let go of every connection."""
        ...
