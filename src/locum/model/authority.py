"""Authority: what a credential may do.

Audiences, scopes, resources, environment, and tools with their argument constraints. What is
absent is the empty set, never "everything"; a call must give every argument that is named and
none that is not, because a missing one would take a default that nobody constrained.
Source: design §4; RFC 9396 §6.1 leaves the comparison to each type, and this type is ours.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from locum.model.constraint import Constraint, allows, glob_fits, normal_text


class Authority(msgspec.Struct, frozen=True):
    """A set of allowed calls, ordered by inclusion."""

    audiences: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    resources: frozenset[str] = frozenset()
    environment: str | None = None
    tools: Mapping[str, Mapping[str, Constraint]] = msgspec.field(default_factory=dict)


NOTHING = Authority()


class Call(msgspec.Struct, frozen=True):
    """One use of a credential, as a guard or a counterexample describes it."""

    audience: str | None = None
    scope: str | None = None
    resource: str | None = None
    environment: str | None = None
    tool: str | None = None
    arguments: Mapping[str, object] = msgspec.field(default_factory=dict)

    def __str__(self) -> str:
        given = [
            f"{name} = {value!r}"
            for name, value in (
                ("audience", self.audience),
                ("scope", self.scope),
                ("resource", self.resource),
                ("environment", self.environment),
            )
            if value is not None
        ]
        if self.tool is not None:
            arguments = ", ".join(f"{key} = {value!r}" for key, value in self.arguments.items())
            given.append(f"{self.tool}({arguments})")
        return ", ".join(given) or "the empty call"


def permits(authority: Authority, call: Call) -> bool:
    """Tell whether `authority` allows `call`; each part that the call names must be allowed."""
    return (
        (call.audience is None or call.audience in authority.audiences)
        and (call.scope is None or call.scope in authority.scopes)
        and (call.resource is None or _resource_allowed(authority, call.resource))
        and call.environment in (None, authority.environment)
        and (call.tool is None or _tool_allowed(authority, call.tool, call.arguments))
    )


def _resource_allowed(authority: Authority, resource: str) -> bool:
    text = normal_text(resource)
    return text is not None and any(glob_fits(glob, text) for glob in authority.resources)


def _tool_allowed(authority: Authority, tool: str, arguments: Mapping[str, object]) -> bool:
    constraints = authority.tools.get(tool)
    return (
        constraints is not None
        and arguments.keys() == constraints.keys()
        and all(allows(constraint, arguments[name]) for name, constraint in constraints.items())
    )
