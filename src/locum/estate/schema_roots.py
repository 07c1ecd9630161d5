"""The schema of what authenticators rest on, and of what is there without a declaration."""

from __future__ import annotations

import re

from locum.estate.schema_forms import (
    CONDITION,
    INSTANT,
    NAME,
    Schema,
    fields,
    meant,
    named,
    several,
    text,
    whole,
)
from locum.estate.schema_path import METHODS

ROOT_PATTERN = (
    r"^(device|mailbox|phone-number|vault|help-desk|custodian|identity-provider|authority|account"
    r"|locum):[!-~]{1,200}$"
)
WHOLE = ("identity-provider:", "authority:", "help-desk:", "locum:")
"""Kinds of roots that vouch for a whole way, and not for one of its methods."""
ROOT: Schema = {
    "type": "string",
    "title": "a root: its kind, a colon and its name",
    "pattern": ROOT_PATTERN,
    "examples": ["mailbox:alice@example.com"],
}
_RESTED_ON: Schema = {
    "type": "string",
    "title": "a root, or `identity:` and an identity",
    "pattern": ROOT_PATTERN.replace("|locum", "|locum|identity"),
    "examples": ["device:alice-laptop"],
}
_SEVERAL = several(_RESTED_ON, "Roots.", ["device:alice-laptop"])
RESTS_ON: Schema = {
    "title": "a list of roots, or a mapping from methods to such lists",
    "description": "What its authenticators rest on. Whoever has a root has what rests on it; "
    "whoever loses one of them has lost the way (law 1).",
    "oneOf": [_SEVERAL, named(_SEVERAL, "By method.")],
    "examples": [["device:alice-laptop"]],
}
_SEEN: Schema = {
    "title": "a day or time, or `never`",
    "anyOf": [INSTANT, {"const": "never"}],
    "examples": ["2026-03-31"],
}
_ADMINISTERED = {
    "title": "a list of identities and groups, or `{of: GROUP, need: NUMBER}`",
    "description": "Who can do with it as they like.",
    "oneOf": [
        several(NAME, "Identities and groups, each alone.", ["alice"]),
        fields(
            ["of", "need"],
            "So many of a group together.",
            of=meant(NAME, "A group of this estate.", "vault-keepers"),
            need=whole("How many.", 1, 20, 2),
        ),
    ],
    "examples": [["alice"]],
}
ROOT_ENTRY = fields(
    [],
    "What authenticators rest on, and how one gets at it. Without `ways` a mailbox, an account, a "
    "vault, a help desk or an identity provider is unknown, and worth the least (EVT-4).",
    ways={
        "type": "array",
        "title": "a list",
        "minItems": 1,
        "items": fields(
            [],
            "One way to take it: methods presented together, and what they rest on.",
            method=meant(METHODS, METHODS["description"], "totp"),
            rests_on=meant(_SEVERAL, "Roots of which each alone gives this way."),
        ),
        "description": "Each alone is enough to take it.",
        "examples": [[{"method": "password"}]],
    },
    administered_by=_ADMINISTERED,
    owner=meant(text("it@example.com"), "Who answers for it."),
)
HISTORY: dict[str, Schema] = {
    "created": meant(INSTANT, "When it was made.", "2024-05-01"),
    "ends": meant(_SEEN, "When it ends by itself, or `never` (law 3, NHI7).", "never"),
    "last_used": meant(_SEEN, "When it was used last, or `never`.", "never"),
}
"""What imports know of a way in's life."""
FOUND = fields(
    ["identity", "method"],
    "A second way in that is there without a declaration; `locum import` writes these.",
    identity=meant(NAME, "Whose it is.", "payments-api"),
    method=meant(METHODS, METHODS["description"], "api-key"),
    rests_on=RESTS_ON,
    owner=meant(text("payments@example.com"), "Who answers for it (NHI1)."),
    **HISTORY,
    context={
        "type": "array",
        "title": "a list",
        "items": CONDITION,
        "uniqueItems": True,
        "description": "Conditions that it demands (law 7).",
        "examples": [["managed-device"]],
    },
    authority={
        "$ref": "#/$defs/authority",
        "description": "What it may do; without it just what the primary may (law 2).",
    },
    wider=meant(text("whoever its issuer vouches for gets in"), "What more it allows (law 2)."),
    active={
        "type": "boolean",
        "title": "true or false",
        "description": "Whether it works now.",
        "default": True,
        "examples": [True],
    },
    source=meant(text("credential-report.csv:14"), "Where it was found."),
)
OBSERVED = fields(
    [],
    "What is known of a declared path's past, where no running Locum says it.",
    last_used=meant(_SEEN, "When it was opened last, or `never`.", "never"),
    last_drilled=meant(_SEEN, "When it was rehearsed last, or `never` (law 5).", "2026-03-31"),
    last_reviewed=meant(_SEEN, "When a grant was judged last, or `never` (law 5).", "never"),
)


def is_root(text: str) -> bool:
    """Whether a text is a root's name."""
    return re.fullmatch(ROOT_PATTERN, text) is not None
