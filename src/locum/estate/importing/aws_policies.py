"""AWS policy documents: who may take a role on, and which policies let one do anything.

What of a trust policy cannot be read lets anybody in. An OIDC issuer vouches for everybody who has
an account there, so a statement that asks for no subject, or for any, lets them all in (NHI6).

Source: IAM User Guide, "JSON policy element reference" and "OIDC federation".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from locum.estate.importing.naming import root_of

ANYBODY = root_of("custodian", "anybody")
_ANYTHING = frozenset({"*", "*:*", "iam:*"})
"""Actions that let one give oneself any other."""
_LIMITS = frozenset({"stringequals", "stringequalsignorecase", "stringlike"})
_ISSUERS_OF_APPS = ("accounts.google.com", "cognito-identity", "graph.facebook.com", "www.amazon")
"""Issuers whose audience is an application of the account's own."""


class Trust(msgspec.Struct, frozen=True):
    """One who may take a role on.

    Args:
        by: a root, or an identity of the account.
        wider: why this lets in more than it names; empty where it does not.
    """

    by: str
    wider: str = ""


def trusts(policy: Any, identities: Mapping[str, str]) -> Iterator[Trust]:
    """Who may take a role on, as its trust policy says.

    Args:
        policy: the document, whatever it is.
        identities: of this account, by ARN.
    """
    for statement in _statements(policy):
        effect = statement.get("Effect") if isinstance(statement, dict) else None
        if effect == "Deny":
            continue
        principal = statement.get("Principal") if isinstance(statement, dict) else None
        named = {"AWS": "*"} if principal == "*" else principal
        if effect != "Allow" or not isinstance(named, dict) or not named:
            yield _UNREADABLE
            continue
        condition = statement.get("Condition")
        for kind, names in named.items():
            for name in names if isinstance(names, list) else [names]:
                yield _trust(kind, name, condition, identities)


_UNREADABLE = Trust(ANYBODY, "a statement of its trust cannot be read, so anybody may take it on")


def _trust(kind: str, name: Any, condition: Any, identities: Mapping[str, str]) -> Trust:
    if not isinstance(name, str) or not name:
        return _UNREADABLE
    if name == "*":
        # What a condition leaves of everybody is not told here: unknown, but not everybody.
        return Trust(ANYBODY, "" if condition else "anybody may take it on (NHI6)")
    if kind == "Service":
        return Trust(root_of("authority", name))
    if kind != "Federated":
        return Trust(identities.get(_role_of(name)) or root_of("custodian", name))
    issuer = name.rpartition("provider/")[2]
    loose = "saml-provider/" not in name and not _asks_who(condition, issuer)
    wider = f"whoever {issuer} vouches for may take it on, as no subject is asked for (NHI6)"
    return Trust(root_of("identity-provider", issuer), wider if loose else "")


def _role_of(arn: str) -> str:
    """The role of a session, which is written otherwise."""
    start, session, rest = arn.partition(":assumed-role/")
    if not session:
        return arn
    return f"{start.replace(':sts:', ':iam:')}:role/{rest.partition('/')[0]}"


def _asks_who(condition: Any, issuer: str) -> bool:
    """Whether a condition names whom the issuer vouches for."""
    claims = [":sub", ":aud"] if issuer.startswith(_ISSUERS_OF_APPS) else [":sub"]
    for operator, asked in condition.items() if isinstance(condition, dict) else ():
        # What holds for all of nothing, or only where the claim is there, asks for nothing.
        word = operator.lower().removeprefix("foranyvalue:")
        for key, values in asked.items() if isinstance(asked, dict) else ():
            listed = values if isinstance(values, list) else [values]
            if (
                word in _LIMITS
                and any(key.lower().endswith(claim) for claim in claims)
                and all(isinstance(one, str) and _names_somebody(one, word) for one in listed)
            ):
                return True
    return False


def _names_somebody(value: str, operator: str) -> bool:
    start = value.replace("?", "*").partition("*")[0] if operator == "stringlike" else value
    return start not in ("", "repo:")


def allows_anything(policy: Any) -> bool:
    """Whether a policy document lets one do anything with anything, or give oneself that."""
    return any(
        isinstance(one, dict)
        and one.get("Effect") == "Allow"
        and not _ANYTHING.isdisjoint(_words(one.get("Action")))
        and "*" in _words(one.get("Resource"))
        for one in _statements(policy)
    )


def _words(value: Any) -> list[str]:
    return [str(one).lower() for one in (value if isinstance(value, list) else [value])]


def _statements(policy: Any) -> list[Any]:
    found = policy.get("Statement") if isinstance(policy, dict) else None
    if isinstance(found, dict):
        return [found]
    return found if isinstance(found, list) else [None]
