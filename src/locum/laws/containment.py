"""Containment: does everything that the fallback's authority allows lie within the primary's?

The structural checker is sound and not complete: it answers `Contained` only where it can show
it. Where it cannot, it looks for one concrete call that the fallback allows and the primary does
not; with or without one, the answer is `Wider` and the path is refused.
Source: design §4; RFC 9396 §6.1 leaves the comparison to each authorization type.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

import msgspec

from locum.model.authority import Authority, Call, permits
from locum.model.constraint import (
    AllOf,
    AnyOf,
    Constraint,
    Exact,
    Glob,
    NotOneOf,
    OneOf,
    PathPrefix,
    Range,
    Scalar,
    Subset,
    allows,
    below,
    glob_fits,
    normal_path,
    same,
)


class Contained(msgspec.Struct, frozen=True):
    """Everything that the inner authority allows, the outer allows too."""


class Wider(msgspec.Struct, frozen=True):
    """The inner authority is not shown to be contained.

    Args:
        fact: what is wider, in words, naming the field.
        example: one call that the inner allows and the outer does not; `None` where none was
            found and containment could not be shown either.
    """

    fact: str
    example: Call | None


Verdict = Contained | Wider
_CONTAINED = Contained()


def contains(outer: Authority, inner: Authority) -> Verdict:
    """Decide whether everything that `inner` allows, `outer` allows too.

    Args:
        outer: the primary's authority.
        inner: the fallback's authority.

    Returns:
        `Contained`, or `Wider` with one concrete call that `inner` allows and `outer` does not.
    """
    for field, ours, theirs in (
        ("audiences", inner.audiences, outer.audiences),
        ("scopes", inner.scopes, outer.scopes),
    ):
        for extra in sorted(ours - theirs):
            call = Call(audience=extra) if field == "audiences" else Call(scope=extra)
            return _wider(f"authority.{field} has {extra!r}", call)
    if inner.environment is not None and inner.environment != outer.environment:
        return _wider(
            f"authority.environment is {inner.environment!r}, the primary's is "
            f"{outer.environment!r}",
            Call(environment=inner.environment),
        )
    for glob in sorted(inner.resources):
        if not any(_glob_within(Glob(other), Glob(glob)) for other in outer.resources):
            example = _resource_example(glob, outer, inner)
            return Wider(f"authority.resources has {glob!r}, which the primary lacks", example)
    for tool in sorted(inner.tools):
        verdict = _tool_contained(outer, inner, tool)
        if isinstance(verdict, Wider):
            return verdict
    return _CONTAINED


def _wider(fact: str, call: Call) -> Wider:
    return Wider(f"{fact}: {call} is allowed by the fallback and not by the primary", call)


def _tool_contained(outer: Authority, inner: Authority, tool: str) -> Verdict:
    ours, theirs = inner.tools[tool], outer.tools.get(tool)
    field = f"authority.tools.{tool}"
    examples = {
        name: next((value for value in _samples(one) if allows(one, value)), None)
        for name, one in ours.items()
    }
    call = Call(tool=tool, arguments=examples)
    callable_so = permits(inner, call)  # no example is given that the fallback itself refuses
    if theirs is None:
        fact = f"{field} is not a tool of the primary"
        return _wider(fact, call) if callable_so else Wider(fact, None)
    if ours.keys() != theirs.keys():
        odd = ", ".join(sorted(ours.keys() ^ theirs.keys()))
        fact = f"{field} does not name the same arguments as the primary ({odd})"
        return _wider(fact, call) if callable_so else Wider(fact, None)
    for name in sorted(ours):
        if constraint_contains(theirs[name], ours[name]):
            continue
        for value in _samples(AnyOf((ours[name], theirs[name]))):
            call = Call(tool=tool, arguments={**examples, name: value})
            if permits(inner, call) and not allows(theirs[name], value):
                return Wider(
                    f"{field}.{name}: `{name} = {value!r}` is allowed by the fallback and not by "
                    "the primary",
                    call,
                )
        return Wider(f"{field}.{name} cannot be shown to lie within the primary's", None)
    return _CONTAINED


def constraint_contains(outer: Constraint, inner: Constraint) -> bool:
    """Show that every value `inner` allows, `outer` allows; `False` where it cannot be shown."""
    if isinstance(inner, AnyOf):
        return all(constraint_contains(outer, part) for part in inner.parts)
    if isinstance(outer, AllOf):
        return all(constraint_contains(part, inner) for part in outer.parts)
    if isinstance(inner, Exact):
        return allows(outer, inner.value)
    if isinstance(inner, OneOf):
        return all(allows(outer, value) for value in inner.values)
    if isinstance(outer, AnyOf) and any(constraint_contains(part, inner) for part in outer.parts):
        return True
    if isinstance(inner, AllOf):
        return any(constraint_contains(outer, part) for part in inner.parts)
    return _atom_contains(outer, inner)


def _atom_contains(outer: Constraint, inner: Constraint) -> bool:
    match outer, inner:
        case Range(), Range():
            return inner.low > inner.high or (outer.low <= inner.low and inner.high <= outer.high)
        case PathPrefix(), PathPrefix():
            return below(normal_path(inner.prefix), normal_path(outer.prefix))
        case PathPrefix(), Glob():
            return below(_fixed_folder(inner.pattern), normal_path(outer.prefix))
        case Glob(), Glob():
            return _glob_within(outer, inner)
        case Glob(), PathPrefix():
            return _glob_covers_folder(outer.pattern, normal_path(inner.prefix))
        case Subset(), Subset():
            return _all_among(inner.values, outer.values)
        case NotOneOf(), NotOneOf():
            return _all_among(outer.values, inner.values)
        case NotOneOf(), Range() | PathPrefix() | Glob():
            return not any(allows(inner, value) for value in outer.values)
        case _:
            return False


def _all_among(some: Iterable[Scalar], others: tuple[Scalar, ...]) -> bool:
    return all(any(same(one, other) for other in others) for one in some)


def _glob_within(outer: Glob, inner: Glob) -> bool:
    if outer.pattern in (inner.pattern, "**"):
        return True
    stem = outer.pattern.removesuffix("**")
    if stem != outer.pattern and not set("*?") & set(stem) and inner.pattern.startswith(stem):
        return True
    if not set("*?") & set(inner.pattern):
        return glob_fits(outer.pattern, inner.pattern)
    folder = _fixed_folder(inner.pattern)
    return _glob_covers_folder(outer.pattern, folder)


def _fixed_folder(pattern: str) -> str | None:
    """The deepest folder that every text fitting `pattern` lies in or below; `None` if unsure."""
    if not pattern.startswith("/"):
        return None
    cut = min((pattern.find(sign) for sign in "*?" if sign in pattern), default=len(pattern))
    folder = pattern[:cut] if cut == len(pattern) else pattern[: pattern.rfind("/", 0, cut)]
    return normal_path(folder or "/")


def _glob_covers_folder(pattern: str, folder: str | None) -> bool:
    """Show that `pattern` is a fixed folder followed by `/**`, and covers `folder` and below."""
    if folder is None:
        return False
    if pattern in ("**", "/**"):
        return True
    root = pattern.removesuffix("/**")
    if root == pattern or set("*?") & set(root):
        return False
    if root == "/" or normal_path(root) != root:
        return False  # a pattern that is not normal fits no normal text
    return below(folder, root) and folder != root


def _resource_example(glob: str, outer: Authority, inner: Authority) -> Call | None:
    for text in _glob_samples(glob):
        call = Call(resource=text)
        if permits(inner, call) and not permits(outer, call):
            return call
    return None


def _glob_samples(pattern: str) -> Iterator[str]:
    for deep, one in (("x", "x"), ("x/y", "x"), ("", "")):
        yield pattern.replace("**", deep).replace("*", one).replace("?", "x")


def _samples(constraint: Constraint) -> Iterator[object]:
    """Values near a constraint's borders, to look for a counterexample among them."""
    match constraint:
        case Exact(value):
            yield value
        case OneOf(values) | NotOneOf(values):
            yield from values
            yield from ("x", 0, 1, -1, True, None)
        case Subset(values):
            yield []
            yield from ([value] for value in values)
            yield list(values)
        case Range(low, high):
            yield from (high, low, high + 1, low - 1, (low + high) / 2, low + 0.5)
        case PathPrefix(prefix):
            yield from (prefix, f"{prefix.rstrip('/')}/x", f"{prefix.rstrip('/')}/x/y")
        case Glob(pattern):
            yield from _glob_samples(pattern)
        case AllOf(parts) | AnyOf(parts):
            yield from chain.from_iterable(_samples(part) for part in parts)
