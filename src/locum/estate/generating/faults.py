"""Faults that are planted, with their ground truth; and what looks like them and is none."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from locum.estate.analysis.rules import Rule
from locum.estate.generating.growing import Growing, Vertices, numbered
from locum.estate.generating.population import DAY, MACHINE_METHODS, YEAR, Population
from locum.estate.graph.columns import OPENS, TAKES, Kind, Why
from locum.estate.graph.lattice import PROOFED, WEAKEST, word_of_method
from locum.estate.graph.ways import ACTIVE, LIVES_LONG, NEVER_SEEN, REVIEWABLE
from locum.estate.inventory import Role
from locum.model.methods import method
from locum.model.strength import Proofing

Truth = dict[Rule, Vertices]
"""Of each planted kind, the identities that have it."""


def plant(
    growing: Growing, made: Population, each: int, rng: np.random.Generator, now: int
) -> Truth:
    """Plant so many faults of each kind, and as many decoys.

    Args:
        now: minutes since 1970.
    """
    pools = _Pools(made, rng)
    truth: Truth = {}
    keys = pools.machines("api-key", each)
    _found(growing, keys, "key-2", "api-key", created=now - 30 * DAY, ends=NEVER_SEEN)
    truth[Rule.SECOND_KEY] = keys
    decoys = pools.machines("api-key", each)  # a second key that was switched off
    _found(growing, decoys, "key-2", "api-key", flags=LIVES_LONG, ends=NEVER_SEEN)

    certificates = pools.machines("x509-certificate", each)
    _found(growing, certificates, "old", "x509-certificate", created=now - 2 * YEAR, flags=ACTIVE)
    truth[Rule.OUTLIVED] = certificates
    decoys = pools.machines("x509-certificate", each)  # the next one, for a rotation to come
    _found(growing, decoys, "next", "x509-certificate", created=now, flags=ACTIVE)

    tokens = pools.machines("oidc-workload-token", each)
    _found(growing, tokens, "token", "api-key", created=now - 100 * DAY, ends=NEVER_SEEN)
    truth[Rule.LONG_LIVED_BESIDE] = tokens
    decoys = pools.machines("oidc-workload-token", each)  # ends within a month
    _found(growing, decoys, "token", "api-key", created=now - DAY, ends=now + 29 * DAY)

    few = min(each, len(made.administrators) // 2)
    local = pools.administrators(few)
    old = now - 100 * DAY
    _found(growing, local, "local", "password", flags=ACTIVE, created=old, ends=NEVER_SEEN)
    truth[Rule.LOCAL_ADMINISTRATOR] = local
    decoys = pools.people(each)  # a password of somebody who administers nothing
    _found(growing, decoys, "local", "password", flags=ACTIVE, created=old, ends=NEVER_SEEN)

    truth[Rule.CHECKS_DROPPED] = _emergency(growing, each, lacks=2)
    _emergency(growing, each, lacks=0)
    circular = pools.people(each)
    _recoverable(growing, circular, circular)
    truth[Rule.CIRCLE] = circular
    sound = pools.people(each)  # the mailbox is opened by somebody else
    _recoverable(growing, sound, pools.people(len(sound)))
    asking = pools.people(each + 3)
    alone = pools.machines("spiffe-x509-svid", each)
    _break_glass(growing, made, alone, [asking[:each]], 1)
    truth[Rule.APPROVER_ALONE] = alone
    several = [np.full(each, one, np.int32) for one in asking[each : each + 3]]
    _break_glass(growing, made, pools.machines("spiffe-x509-svid", each), several, 1)
    return truth


class _Pools:
    """Identities without a fault yet; each is drawn once."""

    def __init__(self, made: Population, rng: np.random.Generator) -> None:
        sound = made.people[made.single_sign_on]
        privileged = np.isin(sound, made.administrators)
        self._people = self._drawn(rng.permutation(sound[~privileged]))
        self._administrators = self._drawn(rng.permutation(sound[privileged]))
        self._machines = {
            name: self._drawn(rng.permutation(made.machines[made.machine_method == at]))
            for at, name in enumerate(MACHINE_METHODS)
        }

    @staticmethod
    def _drawn(pool: Vertices) -> Iterator[int]:
        return iter(pool.tolist())

    @staticmethod
    def _take(pool: Iterator[int], count: int) -> Vertices:
        return np.array(list(islice(pool, count)), np.int32)

    def people(self, count: int) -> Vertices:
        return self._take(self._people, count)

    def administrators(self, count: int) -> Vertices:
        return self._take(self._administrators, count)

    def machines(self, of: str, count: int) -> Vertices:
        return self._take(self._machines[of], count)


def _found(
    growing: Growing, identities: Vertices, name: str, of: str, *,
    flags: int = ACTIVE | LIVES_LONG, **more: int,
) -> None:  # fmt: skip
    """Give each identity a way that nobody declared."""
    numbers = identities  # the vertex's own number names it
    word = word_of_method(method(of), Proofing.IAL2)
    keys = growing.vertices(numbered("found-", numbers, f"/{name}/{of}"), Kind.AUTHENTICATOR, word)
    ways = growing.vertices(numbered("found-", numbers, f"/{name}"), Kind.WAY)
    growing.arcs(ways, [keys], Why.PRESENTS)
    if flags & ACTIVE:
        growing.arcs(identities, [ways], Why.IS_WAY)
    growing.ways(ways, identities, Role.FOUND, of, flags=flags, **more)


def _emergency(growing: Growing, count: int, lacks: int) -> Vertices:
    """Emergency accounts; policies ask two conditions of everybody."""
    numbers = np.arange(count)
    name = f"emergency-{lacks}-"
    accounts = growing.vertices(numbered(name, numbers), Kind.IDENTITY)
    growing.people(accounts)
    word = word_of_method(method("security-key-attested"), Proofing.IAL2)
    keys = growing.vertices(
        numbered(name, numbers, "#primary/security-key-attested"), Kind.AUTHENTICATOR, word
    )
    ways = growing.vertices(numbered(name, numbers, "#primary"), Kind.WAY)
    growing.arcs(accounts, [ways], Why.IS_WAY)
    growing.arcs(ways, [keys], Why.PRESENTS)
    growing.ways(ways, accounts, Role.PRIMARY, "security-key-attested", lacks=lacks)
    return accounts


def _recoverable(growing: Growing, people: Vertices, openers: Vertices) -> None:
    """Recovery by a passkey that a mailbox gives back, and the mailbox is opened by a sign-in."""
    boxes = growing.vertices(numbered("mailbox:", people), Kind.MAILBOX)
    growing.arcs(boxes, [openers], Why.OPENED_BY, PROOFED)
    word = word_of_method(method("passkey-device-bound"), Proofing.IAL2)
    keys = growing.vertices(
        numbered("recovery-", people, "/mail/passkey-device-bound"), Kind.AUTHENTICATOR, word
    )
    ways = growing.vertices(numbered("recovery-", people, "/mail"), Kind.WAY)
    growing.arcs(keys, [boxes], Why.RESTS_ON, PROOFED, use=TAKES)
    growing.arcs(keys, [boxes], Why.RESTS_ON, use=OPENS)
    growing.arcs(ways, [keys], Why.PRESENTS)
    growing.arcs(people, [ways], Why.IS_WAY)
    growing.ways(ways, people, Role.DECLARED, "passkey-device-bound", flags=ACTIVE | REVIEWABLE)


def _break_glass(
    growing: Growing, made: Population, machines: Vertices, people: list[Vertices], need: int
) -> None:
    """A path that a person opens with another's approval; one of them alone cannot be two."""
    count = len(machines)
    approvals = growing.vertices(
        numbered("glass-", machines, "/break-glass#approvals"), Kind.QUORUM, WEAKEST
    )
    asked = growing.vertices(numbered("glass-", machines, "/break-glass#asked"), Kind.QUORUM)
    word = word_of_method(method("x509-certificate"), Proofing.IAL2)
    keys = growing.vertices(
        numbered("glass-", machines, "/break-glass/x509-certificate"), Kind.AUTHENTICATOR, word
    )
    ways = growing.vertices(numbered("glass-", machines, "/break-glass"), Kind.WAY)
    growing.arcs(approvals, people, Why.QUORUM_OF, need=need + 1)
    growing.arcs(asked, [keys, approvals], Why.PRESENTS)
    growing.arcs(ways, [asked], Why.PRESENTS, use=TAKES)
    growing.arcs(ways, [asked, np.repeat(made.locum, count)], Why.PRESENTS, use=OPENS)
    growing.arcs(machines, [ways], Why.IS_WAY)
    growing.ways(
        ways, machines, Role.DECLARED, "x509-certificate", flags=ACTIVE | REVIEWABLE, asked=asked,
        spare=len(people) - 1 - need,
    )  # fmt: skip
