"""A company that might be: people, many more machines, agents, and what they rest on.

Its shape follows what is published about real ones: 17 to 144 machine identities a person, a few
identities with authority over very many, 46 to 62 % of keys older than a year depending on who
issued them, an owner and offboarding for one in five. What nobody planted is sound, with things
that look like faults and are none, so that precision can be measured as well as recall.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from locum.estate.generating.growing import Growing, Vertices, numbered
from locum.estate.graph.chart import LOCUM, METHODS
from locum.estate.graph.columns import OPENS, TAKES, Kind, Why
from locum.estate.graph.lattice import PROOFED, kinds_word, word_of, word_of_method
from locum.estate.graph.ways import ACTIVE, LIVES_LONG, NEVER_SEEN, SIGNS_IN_ELSEWHERE
from locum.estate.inventory import Role
from locum.model.methods import FactorKind, method
from locum.model.strength import Binding, Phishing, Proofing

DAY, YEAR = 24 * 60, 365 * 24 * 60
PROVIDERS = 6
_OLD_SHARE = np.linspace(0.46, 0.62, PROVIDERS)
_DEVICE = word_of(
    (FactorKind.HELD,), Phishing.PHISHING_RESISTANT, Binding.ATTESTED_HARDWARE, Proofing.IAL3
)
_INHERENT = kinds_word((FactorKind.INHERENT,)) | PROOFED
MACHINE_METHODS = ("oidc-workload-token", "spiffe-x509-svid", "x509-certificate", "api-key")
_SHARES = (0.35, 0.2, 0.2, 0.25)
TEAM = 8
"""Machines of one team, which may take on each other's roles."""


class Population(msgspec.Struct, frozen=True):
    """Who was made, by what faults are planted on.

    Args:
        machine_method: uint8[M], the place of each machine's method in `MACHINE_METHODS`.
        created: int32[M], minutes, when the machine's primary was made.
        single_sign_on: bool[P], an identity provider vouches for the person.
    """

    people: Vertices
    devices: Vertices
    machines: Vertices
    agents: Vertices
    administrators: Vertices
    providers: Vertices
    authorities: Vertices
    locum: Vertices
    machine_method: NDArray[np.int64]
    created: NDArray[np.int64]
    single_sign_on: NDArray[np.bool_]


def populate(growing: Growing, identities: int, rng: np.random.Generator, now: int) -> Population:
    """Make a sound company of so many identities.

    Args:
        now: minutes since 1970.
    """
    # Few people have hundreds of machines, most have a dozen or two.
    ratio = float(np.clip(17 * (1 + rng.pareto(1.5)), 17, 144))
    people_count = max(40, round(identities / (1 + ratio)))
    agent_count = max(1, people_count // 2)
    machine_count = max(200, identities - people_count - agent_count)
    locum = growing.vertices([LOCUM], Kind.LOCUM)
    providers = growing.vertices(
        numbered("identity-provider:", np.arange(PROVIDERS)), Kind.IDENTITY_PROVIDER
    )
    authorities = growing.vertices(numbered("authority:", np.arange(PROVIDERS)), Kind.AUTHORITY)
    people, devices, single = _people(growing, people_count, providers, rng)
    administrators = people[: max(3, min(40, people_count // 200))]
    growing.privilege(administrators)
    for root in (providers, authorities):
        for one in root:
            count = min(3, len(administrators))
            chosen = rng.choice(administrators, count, replace=False)
            heads = np.full(count, one, np.int32)
            growing.arcs(heads, [chosen], Why.ADMINISTERED_BY, PROOFED, use=TAKES)
    machines, methods, created = _machines(growing, machine_count, providers, authorities, rng, now)
    _authority(growing, machines, rng)
    agents = _agents(growing, agent_count, people, rng)
    return Population(
        people, devices, machines, agents, administrators, providers, authorities, locum,
        methods, created, single,
    )  # fmt: skip


def _people(
    growing: Growing, count: int, providers: Vertices, rng: np.random.Generator
) -> tuple[Vertices, Vertices, NDArray[np.bool_]]:
    numbers = np.arange(count)
    name = "person-"
    devices = growing.vertices(numbered("device:laptop-", numbers), Kind.DEVICE, _DEVICE)
    word = word_of_method(method("passkey-device-bound"), Proofing.IAL2)
    keys = growing.vertices(
        numbered(name, numbers, "#primary/passkey-device-bound"), Kind.AUTHENTICATOR, word
    )
    ways = growing.vertices(numbered(name, numbers, "#primary"), Kind.WAY)
    people = growing.vertices(numbered(name, numbers), Kind.IDENTITY)
    growing.people(people)
    growing.arcs(keys, [devices], Why.KEPT_ON, _INHERENT, use=TAKES)
    growing.arcs(keys, [devices], Why.RESTS_ON, use=OPENS)
    growing.arcs(people, [ways], Why.IS_WAY)
    growing.arcs(ways, [keys], Why.PRESENTS, use=TAKES)
    single = rng.random(count) < 0.8
    vouched = providers[rng.zipf(1.6, count) % PROVIDERS]
    growing.arcs(ways[single], [vouched[single]], Why.ISSUED_BY, PROOFED, use=TAKES)
    growing.arcs(ways[single], [keys[single], vouched[single]], Why.PRESENTS, use=OPENS)
    growing.arcs(ways[~single], [keys[~single]], Why.PRESENTS, use=OPENS)
    flags = ACTIVE | SIGNS_IN_ELSEWHERE * single
    growing.ways(ways, people, Role.PRIMARY, "passkey-device-bound", flags=flags)
    return people, devices, single


def _machines(
    growing: Growing, count: int, providers: Vertices, authorities: Vertices,
    rng: np.random.Generator, now: int,
) -> tuple[Vertices, NDArray[np.int64], NDArray[np.int64]]:  # fmt: skip
    numbers = np.arange(count)
    chosen = rng.choice(len(MACHINE_METHODS), count, p=_SHARES)
    words = np.array(
        [word_of_method(method(one), Proofing.DECLARED_OWNER) for one in MACHINE_METHODS],
        np.uint16,
    )[chosen]
    keys = growing.vertices(
        numbered("svc-", numbers, "#primary/credential"), Kind.AUTHENTICATOR, words
    )
    ways = growing.vertices(numbered("svc-", numbers, "#primary"), Kind.WAY)
    machines = growing.vertices(numbered("svc-", numbers), Kind.IDENTITY)
    growing.arcs(machines, [ways], Why.IS_WAY)
    growing.arcs(ways, [keys], Why.PRESENTS, use=TAKES)
    issuer = rng.zipf(1.6, count) % PROVIDERS
    by_token = chosen == 0
    by_certificate = (chosen == 1) | (chosen == 2)
    root = np.where(by_token, providers[issuer], authorities[issuer])
    issued = by_token | by_certificate
    growing.arcs(ways[issued], [root[issued]], Why.ISSUED_BY, PROOFED, use=TAKES)
    growing.arcs(ways[issued], [keys[issued], root[issued]], Why.PRESENTS, use=OPENS)
    growing.arcs(ways[~issued], [keys[~issued]], Why.PRESENTS, use=OPENS)
    is_key = chosen == MACHINE_METHODS.index("api-key")
    old = rng.random(count) < _OLD_SHARE[issuer]
    aged, young = rng.integers(YEAR + DAY, 6 * YEAR, count), rng.integers(DAY, YEAR - DAY, count)
    age = np.where(old & is_key, aged, young)
    created = now - age
    number = np.array([METHODS.index(one) for one in MACHINE_METHODS], np.uint8)[chosen]
    growing.ways(
        ways, machines, Role.PRIMARY, number, flags=ACTIVE | LIVES_LONG * is_key,
        created=created, owned=rng.random(count) < 0.2,
        ends=np.where(is_key, NEVER_SEEN, now + 90 * DAY),
        used=now - rng.integers(0, 30 * DAY, count),
    )  # fmt: skip
    return machines, chosen, created


def _authority(growing: Growing, machines: Vertices, rng: np.random.Generator) -> None:
    """Who may take on whose role: neighbours in a team, and a few whom very many trust."""
    count = len(machines)
    place = np.arange(count)
    team = place - place % TEAM
    for step in (1, 2, 3):
        other = team + (place + step) % TEAM
        with_it = (other < count) & (other < place)
        growing.arcs(
            machines[with_it], [machines[other[with_it]]], Why.ASSUMED_BY, PROOFED, use=TAKES
        )
    powerful = max(1, min(200, count // 50))
    for _ in range(7):
        chosen = rng.zipf(1.3, count) % powerful
        with_it = (place >= powerful) & (rng.random(count) < 0.9)
        growing.arcs(
            machines[with_it], [machines[chosen[with_it]]], Why.ASSUMED_BY, PROOFED, use=TAKES
        )


def _agents(growing: Growing, count: int, people: Vertices, rng: np.random.Generator) -> Vertices:
    numbers = np.arange(count)
    word = word_of_method(method("oauth-token-dpop"), Proofing.DECLARED_OWNER)
    keys = growing.vertices(
        numbered("agent-", numbers, "#primary/oauth-token-dpop"), Kind.AUTHENTICATOR, word
    )
    ways = growing.vertices(numbered("agent-", numbers, "#primary"), Kind.WAY)
    agents = growing.vertices(numbered("agent-", numbers), Kind.IDENTITY)
    growing.arcs(agents, [ways], Why.IS_WAY)
    growing.arcs(ways, [keys], Why.PRESENTS)
    growing.arcs(agents, [rng.choice(people, count)], Why.ACTS_FOR, PROOFED, use=TAKES)
    growing.ways(ways, agents, Role.PRIMARY, "oauth-token-dpop")
    return agents
