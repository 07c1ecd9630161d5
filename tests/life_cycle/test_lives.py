"""Ten thousand lives of a fallback, lived at random, and the laws looked at after every step.

People, clock and declaration do as they like: the clock goes back by up to an hour, people are
disabled and leave their groups, the path is declared anew. Only `laws.opening` gives permits and
only `life_cycle.transition` moves a state; what must hold is said here a second time, by itself.
Seeds are fixed, so that a broken law is found again by the number that the test says.
"""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta

import msgspec
import pytest

from locum.laws.life_cycle import (
    Activate,
    Approve,
    Close,
    Command,
    Deny,
    Elapse,
    Judge,
    Moved,
    Settle,
    Take,
    Withdraw,
    ask,
    transition,
)
from locum.laws.opening import (
    Facts,
    Past,
    decide_approval,
    decide_ask,
    decide_opening,
    decide_review,
)
from locum.laws.permits import MayApprove, MayAsk, MayOpen, MayReview
from locum.model.cause import Cause, Evidence, Observation
from locum.model.estate import Estate
from locum.model.names import Digest, GrantId, IdentityName
from locum.model.path import Approvals, Escalation, Limits, Path
from locum.model.refusal import TransitionNotAllowed
from locum.model.request import (
    Ask,
    Closed,
    CloseReason,
    Open,
    Ready,
    Requested,
    Reviewed,
    State,
    Verdict,
    approvals_of,
    ask_of,
    grant_of,
)
from tests.laws.declared import (
    ASK,
    BOARD,
    ESTATE,
    GROUPS,
    HOUR,
    IDENTITY,
    LEADS,
    NAME,
    NOW,
    OLD_KEY,
    ON_CALL,
    ORDERS,
    PATH,
    PEOPLE,
    SECURITY,
    person,
)

LIVES = 10_000
BATCHES = 20
STEPS = 40
ORDER = ("requested", "ready", "open", "closed", "reviewed")
ENDS = {"refused", "lapsed", "reviewed"}
ACTS = ("approve", "activate", "take", "judge", "deny", "withdraw", "close", "elapse", "settle")
WEIGHTS = (20, 14, 6, 6, 1, 1, 2, 3, 2)


class World:
    """What happens around one request: the clock, the estate, and who comes along."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.now = NOW
        self.path = PATH
        self.estate = ESTATE
        self.declare()

    def declare(self) -> None:
        """Declare the path anew, within what a declaration may say."""
        need = self.rng.choice((1, 1, 2, 2, 3))
        ttl = timedelta(minutes=self.rng.choice((1, 10, 45)))
        until = NOW + timedelta(minutes=self.rng.choice((30, 90, 60 * 24)))
        self.path = msgspec.structs.replace(
            PATH,
            approvals=Approvals(LEADS, need, HOUR, Escalation(BOARD, HOUR / 2)),
            limits=Limits(ttl=ttl, uses=self.rng.choice((1, 2, 3))),
            until=until,
        )

    def people_change(self) -> None:
        """Let somebody leave a group, join one, or be disabled."""
        who = self.rng.choice(PEOPLE)
        group = self.rng.choice((ON_CALL, LEADS, BOARD, SECURITY))
        identities, groups = dict(self.estate.identities), dict(self.estate.groups)
        match self.rng.randrange(4):
            case 0:
                groups[group] = groups[group] - {who}
            case 1:
                groups[group] = groups[group] | {who}
            case 2:
                identities[who] = person(who, disabled=self.rng.random() < 0.3)
            case _:
                identities, groups = dict(ESTATE.identities), dict(GROUPS)
        self.estate = msgspec.structs.replace(self.estate, identities=identities, groups=groups)

    def goes_on(self) -> None:
        """Between two steps: the clock steps, mostly a little; sometimes the estate changes."""
        minutes = self.rng.choice((0, 0, 0, 1, 1, 3, 9, -5, 50, -60))
        self.now += timedelta(minutes=minutes, microseconds=self.rng.choice((0, 1)))
        if self.rng.random() < 0.25:
            self.people_change()
        if self.rng.random() < 0.04:
            self.declare()

    def somebody(self, likely: frozenset[IdentityName]) -> IdentityName:
        """Mostly one of those who could, else anybody at all, or the machine itself."""
        if likely and self.rng.random() < 0.7:
            return self.rng.choice(sorted(likely))
        return self.rng.choice((*PEOPLE, ORDERS, IdentityName("nobody")))

    def facts(self) -> Facts:
        """What verifiers say: mostly that all is as it must be."""
        lucky = self.rng.random() < 0.9
        ago = timedelta(seconds=self.rng.choice((0, 1, 9)) if lucky else 11)
        return Facts(
            presented=frozenset({"locum-key"} if lucky or self.rng.random() < 0.5 else ()),
            missing=() if lucky or self.rng.random() < 0.5 else ("managed-device",),
            observation=Observation(up=not lucky, at=self.now - ago, detail="refused"),
        )


class Seen:
    """What a life showed, written down as it happened, apart from the state itself."""

    def __init__(self) -> None:
        self.states: list[str] = ["requested"]
        self.opened = self.taken = 0
        self.limits: tuple[Path, Estate, datetime] | None = None


def begin(world: World) -> State | None:
    """Ask, as somebody; `None` where the laws refuse."""
    requester = world.somebody(world.estate.members(ON_CALL))
    permit = decide_ask(
        world.path, IDENTITY, requester, Cause.OUTAGE, world.estate, Past(), world.now
    )
    if not isinstance(permit, MayAsk):
        return None
    asked = Ask(
        ASK.id,
        NAME,
        Cause.OUTAGE,
        ASK.reason,
        Evidence(),
        requester,
        ASK.key,
        permit.declaration,
        world.now,
        permit.lapses_at,
    )
    need = 0 if world.path.approvals is None else world.path.approvals.need
    return ask(permit, asked, need).state


def command(world: World, state: State, act: str) -> Command | None:
    """Decide one act by the laws; `None` where they refuse."""
    asked, approvals = ask_of(state), approvals_of(state)
    leads = world.estate.members(LEADS)
    match act:
        case "approve" | "deny":
            by = world.somebody(leads - {yes.by for yes in approvals})
            subject = asked.digest() if world.rng.random() < 0.95 else Digest("sha256:other")
            may = decide_approval(
                world.path, asked, approvals, by, subject, world.estate, world.now, OLD_KEY
            )
            if not isinstance(may, MayApprove):
                return None
            return Approve(may) if act == "approve" else Deny(may)
        case "activate":
            return opening(world, asked, state)
        case "judge":
            by = world.somebody(world.estate.members(SECURITY))
            verdict = world.rng.choice(list(Verdict))
            judged = decide_review(
                world.path, asked, approvals, by, verdict, world.estate, OLD_KEY, world.now
            )
            return Judge(judged, "seen") if isinstance(judged, MayReview) else None
        case "withdraw":
            return Withdraw(world.somebody(frozenset({asked.requester})))
        case "take":
            return Take(world.somebody(frozenset({asked.requester})))
        case "close":
            by = world.somebody(frozenset())
            return Close(world.rng.choice(list(CloseReason)), by, world.now + HOUR)
        case "elapse":
            return Elapse(world.now + HOUR)
        case _:
            return Settle()


def opening(world: World, asked: Ask, state: State) -> Command | None:
    """Decide the opening, as the requester mostly, with the approvals that the state holds."""
    may = decide_opening(
        world.path,
        IDENTITY,
        asked,
        approvals_of(state),
        world.somebody(frozenset({asked.requester})),
        world.estate,
        Past(),
        world.facts(),
        world.now,
    )
    return Activate(may, GrantId("g-1")) if isinstance(may, MayOpen) else None


def step(world: World, state: State, act: str, seen: Seen) -> State:
    """Do one act, and look at the laws afterwards, whether it was allowed or not."""
    before = msgspec.json.encode(state)
    decided = command(world, state, act)
    after = state
    if decided is not None:
        try:
            answer = transition(state, decided, world.now)
        except TransitionNotAllowed:
            answer = None
        assert msgspec.json.encode(state) == before, "a state is a value; nothing alters it"
        if isinstance(answer, Moved):
            after = answer.state
            check_step(world, state, after, seen)
    check_state(after, seen)
    return after


def check_step(world: World, before: State, after: State, seen: Seen) -> None:
    """What one move may do."""
    old, new = before.__struct_config__.tag, after.__struct_config__.tag
    assert old not in ENDS or new == old, f"{old} is an end, and became {new}"
    if new in ORDER:
        assert ORDER.index(str(new)) - ORDER.index(str(old)) in (0, 1), f"{old} became {new}"
    seen.states.append(str(new))
    if isinstance(after, Open) and isinstance(before, Ready):
        seen.opened += 1
        seen.limits = (world.path, world.estate, world.now)
        assert after.grant.opened_at == world.now < after.ask.lapses_at
    if isinstance(after, Open) and isinstance(before, Open):
        seen.taken += 1
        assert world.now < after.grant.ends_at, "taken at or after its end"
    assert ask_of(after) == ask_of(before)
    assert approvals_of(after)[: len(approvals_of(before))] == approvals_of(before)


def check_state(state: State, seen: Seen) -> None:
    """What must hold in every state, however it was reached."""
    asked, approvals, grant = ask_of(state), approvals_of(state), grant_of(state)
    people = [yes.by for yes in approvals]
    assert len(set(people)) == len(people), "an approver counted twice"
    assert asked.requester not in people, "the requester approved"
    assert all(yes.digest == asked.digest() for yes in approvals), "another thing was approved"
    assert seen.opened <= 1, "a closed grant opened again"
    assert (grant is None) == (seen.opened == 0)
    if grant is None:
        return
    assert seen.limits is not None
    path, estate, opened = seen.limits
    assert path.approvals is not None
    standing = {
        yes.by
        for yes in approvals
        if yes.by in estate.members(LEADS)
        or (yes.by in estate.members(BOARD) and yes.at >= asked.asked_at + HOUR / 2)
    }
    assert len(standing) >= path.approvals.need >= 1, "opened without enough approvals"
    assert asked.requester in estate.members(ON_CALL)
    assert opened < grant.ends_at <= min(opened + path.limits.ttl, path.until)
    if isinstance(state, Open | Closed):
        assert state.used == seen.taken <= grant.uses == path.limits.uses
    if isinstance(state, Reviewed):
        assert state.review.by not in {asked.requester, *people}, "not a third person"


def live(seed: int) -> Seen:
    """Live one life to its end, or until nobody does anything any more."""
    world, seen = World(seed), Seen()
    state = begin(world)
    if state is None:
        seen.states = ["never asked"]
        return seen
    assert isinstance(state, Requested), "zero approvals never open"
    for act in world.rng.choices(ACTS, WEIGHTS, k=STEPS):
        world.goes_on()
        state = step(world, state, act, seen)
    return seen


@pytest.mark.parametrize("batch", range(BATCHES))
def test_ten_thousand_lives_break_no_law(batch: int) -> None:
    reached: Counter[str] = Counter()
    lived = seed = 0
    while lived < LIVES // BATCHES:
        number = batch * 1_000_000 + seed
        seed += 1
        try:
            seen = live(number)
        except AssertionError as broken:
            raise AssertionError(f"life {number}: {broken}") from broken
        lived += seen.states != ["never asked"]
        reached.update(set(seen.states))
    for state in ("ready", "open", "closed", "reviewed", "refused", "lapsed"):
        assert reached[state] >= 10, f"too few lives came to be {state}: {reached}"
