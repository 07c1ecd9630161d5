"""The published JSON Schema of estate files (2020-12), which editors complete and check.

`python -m locum.estate.schema` writes `schema.json` beside this file; a test holds the two equal.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from locum.estate.schema_authority import AUTHORITY, CONSTRAINT
from locum.estate.schema_forms import (
    CONDITION,
    HOST,
    NAME,
    NOTIFY,
    ROLE,
    choice,
    fields,
    meant,
    named,
    several,
    text,
    whole,
)
from locum.estate.schema_path import METHODS, PATH
from locum.estate.schema_roots import FOUND, HISTORY, OBSERVED, RESTS_ON, ROOT, ROOT_ENTRY
from locum.estate.schema_trust import KNOWN_BY, TRUST
from locum.model.names import NAME_PATTERN

_PRIMARY = fields(
    ["method"],
    "The normal way in.",
    method=meant(METHODS, METHODS["description"], "passkey-device-bound"),
    authority={"$ref": "#/$defs/authority"},
    context=several(CONDITION, "What it demands; every path must too (law 7).", ["managed-device"]),
    known_by=KNOWN_BY,
    rests_on=RESTS_ON,
    drops=several(
        CONDITION, "What policies demand of it and it does not ask for (law 7).", ["mfa"]
    ),
    **HISTORY,
)
_IDENTITY = fields(
    ["kind", "owner", "primary"],
    "A person, a workload or an agent.",
    kind=choice("What it is.", "human", "workload", "agent"),
    owner=meant(text("payments@example.com"), "Who answers for it."),
    notify=several(
        NOTIFY,
        "Where its people are told; two or more for a person (REC-12).",
        ["mailto:alice@example.com"],
    ),
    acts_for=meant(NAME, "The identity that an agent acts for.", "alice"),
    disabled={
        "type": "boolean",
        "title": "true or false",
        "description": "A disabled identity opens, approves and reviews nothing.",
        "default": False,
        "examples": [True],
    },
    privileged={
        "type": "boolean",
        "title": "true or false",
        "description": "Whoever gets in here may change other identities; administrators always.",
        "default": False,
        "examples": [True],
    },
    proofing=choice(
        "What a person was proofed at.", "none", "ial1", "ial2", "ial3", default="none"
    ),
    primary=_PRIMARY,
    fallbacks=named({"$ref": "#/$defs/path"}, "Paths by name."),
)
_DATABASE = fields(
    ["host", "port", "dbname", "admin", "admin_secret"],
    "A PostgreSQL server that holds roles which paths open. No password stands here.",
    host=meant(HOST, "Where it is."),
    port=whole("Its port.", 1, 65535, 5432),
    dbname=meant(text("orders"), "The database to connect to."),
    admin=meant(ROLE, "The role that Locum works with.", "locum"),
    admin_secret=meant(NAME, "The vault's name for that role's password.", "orders-db-admin"),
    sslmode=choice(
        "How the connection is secured; anything else only on this machine.",
        "verify-full",
        "verify-ca",
        "require",
        "disable",
        default="verify-full",
    ),
)

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "urn:locum:schema:estate:1",
    **fields(
        ["version"],
        "Every identity with its primary and its declared fallbacks.",
        version={
            "type": "integer",
            "title": "1",
            "const": 1,
            "description": "The version of this format.",
            "examples": [1],
        },
        identities=named({"$ref": "#/$defs/identity"}, "Identities by name."),
        groups=named(
            several(NAME, "People by name.", ["alice", "bob"], empty=True), "Groups by name."
        ),
        databases=named(_DATABASE, "Databases by name."),
        trust=named({"$ref": "#/$defs/trust"}, "Trust bundles by name."),
        roots={
            **named(ROOT_ENTRY, "What authenticators rest on, by kind and name."),
            "propertyNames": {"pattern": ROOT["pattern"]},
        },
        found=named(FOUND, "Ways in that are there without a declaration, by name."),
        observed={
            **named(OBSERVED, "What is known of declared paths' past, by `identity/path`."),
            "propertyNames": {
                "pattern": NAME_PATTERN.removesuffix("$") + "/" + NAME_PATTERN.removeprefix("^")
            },
        },
    ),
    "title": "a Locum estate, which is a mapping",
    "$defs": {
        "identity": _IDENTITY,
        "path": {**PATH, "properties": {**PATH["properties"], "rests_on": RESTS_ON}},
        "trust": TRUST,
        "authority": AUTHORITY,
        "constraint": CONSTRAINT,
    },
}


def published() -> str:
    """The schema as it is published."""
    return json.dumps(SCHEMA, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("schema.json").write_text(published())
