"""One small declared estate, and the requests made in it, for the tests of the laws.

`orders-db/break-glass` is for its outage: asked for by the on-call people, approved by two of the
leads, reviewed by security. Each test says only what differs from this.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from locum.laws.opening import Facts
from locum.model.authority import Authority
from locum.model.cause import Cause, Evidence, HttpProbe, Observation
from locum.model.constraint import Range
from locum.model.digest import digest
from locum.model.estate import ADMINISTRATORS, Estate, Identity, Kind, Primary
from locum.model.names import Digest, GroupName, IdentityName, PathName, RequestId
from locum.model.path import Approvals, Escalation, Limits, Path, ReviewRule, Waiver
from locum.model.request import ActingKey, Approval, Ask

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
UNTIL = NOW + timedelta(days=90)
HOUR = timedelta(hours=1)

ANN, BOB, CAROL, DAN, EVE, ROOT, ZOE = (
    IdentityName(name) for name in ("ann", "bob", "carol", "dan", "eve", "root", "zoe")
)
PEOPLE = (ANN, BOB, CAROL, DAN, EVE, ROOT, ZOE)
ORDERS = IdentityName("orders-db")
ON_CALL, LEADS, BOARD, SECURITY = (
    GroupName(name) for name in ("on-call", "leads", "board", "security")
)
NAME = PathName(ORDERS, "break-glass")

PATH = Path(
    name=NAME,
    methods=("leased-token",),
    causes=frozenset({Cause.OUTAGE}),
    limits=Limits(ttl=timedelta(minutes=20), uses=2),
    review=ReviewRule(by=SECURITY, within=timedelta(hours=24)),
    owner="orders@example.com",
    reason="the door stays reachable while the issuer is down",
    until=UNTIL,
    approvals=Approvals(of=LEADS, need=2, within=HOUR, escalate=Escalation(BOARD, HOUR / 2)),
    requesters=ON_CALL,
    context=frozenset({"managed-device"}),
    probe=HttpProbe("https://issuer.example/health"),
)
PRIMARY = Primary(
    methods=("oidc-workload-token",),
    authority=Authority(
        audiences=frozenset({"orders"}), tools={"query": {"limit": Range(low=1, high=100)}}
    ),
    context=frozenset({"managed-device"}),
)
IDENTITY = Identity(
    name=ORDERS,
    kind=Kind.WORKLOAD,
    owner="orders@example.com",
    primary=PRIMARY,
    paths={NAME.path: PATH},
)
GROUPS = {
    ON_CALL: frozenset({ANN, BOB}),
    LEADS: frozenset({BOB, CAROL, DAN}),
    BOARD: frozenset({ZOE, CAROL}),
    SECURITY: frozenset({EVE, DAN, ANN}),
    ADMINISTRATORS: frozenset({ROOT}),
}


def person(name: IdentityName, *, disabled: bool = False) -> Identity:
    """A person with a passkey and no fallback."""
    return Identity(
        name=name,
        kind=Kind.HUMAN,
        owner=f"{name}@example.com",
        primary=Primary(methods=("passkey-device-bound",)),
        paths={},
        disabled=disabled,
    )


ESTATE = Estate(
    identities={ORDERS: IDENTITY, **{name: person(name) for name in PEOPLE}},
    groups=GROUPS,
    databases={},
    digest=Digest("sha256:" + "0" * 64),
)

ASK = Ask(
    id=RequestId("req-1"),
    path=NAME,
    cause=Cause.OUTAGE,
    reason="the issuer is down",
    evidence=Evidence(),
    requester=ANN,
    key="thumbprint",
    declaration=digest(PATH),
    asked_at=NOW,
    lapses_at=NOW + HOUR,
)
DOWN = Observation(up=False, at=NOW, detail="connection refused")
UP = Observation(up=True, at=NOW, detail="status 200")
FACTS = Facts(presented=frozenset({"locum-key"}), observation=DOWN)
OLD_KEY = ActingKey(NOW - timedelta(days=30), frozenset({ROOT}))
WAIVER = Waiver(owner="ciso@example.com", reason="until the new keys come", until=NOW + HOUR)


def path(**changes: object) -> Path:
    """The path with some fields otherwise."""
    return msgspec.structs.replace(PATH, **changes)


def ask(of: Path = PATH, **changes: object) -> Ask:
    """The request, bound to `of` as declared, with some fields otherwise."""
    return msgspec.structs.replace(ASK, **{"declaration": digest(of), **changes})


def approval(
    by: IdentityName, of: Ask = ASK, at: datetime = NOW, key: ActingKey = OLD_KEY
) -> Approval:
    """A yes of `by` to exactly `of`."""
    return Approval(by, at, of.digest(), key=key)


def estate(**groups: set[IdentityName]) -> Estate:
    """The estate with some groups otherwise; `on_call` is written with an underscore."""
    changed = {
        GroupName(name.replace("_", "-")): frozenset(members) for name, members in groups.items()
    }
    return msgspec.structs.replace(ESTATE, groups={**GROUPS, **changed})


def without(*names: IdentityName) -> Estate:
    """The estate where these are still in their groups and no longer declared."""
    kept = {name: one for name, one in ESTATE.identities.items() if name not in names}
    return msgspec.structs.replace(ESTATE, identities=kept)
