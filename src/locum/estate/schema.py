"""The published JSON Schema of estate files (2020-12), which editors complete and check."""

from __future__ import annotations

from typing import Any

from locum.model.methods import CATALOGUE
from locum.model.names import NAME_PATTERN

DURATION = r"^[1-9][0-9]{0,5}[smhd]$"
DURATION_OR_ZERO = r"^(0s|[1-9][0-9]{0,5}[smhd])$"
INSTANT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z)?$"
_COMMAND = r"^[a-z0-9][a-z0-9._-]{0,62}$"
_VARIABLE = r"^[A-Z][A-Z0-9_]{0,62}$"
_NAME = {"type": "string", "pattern": NAME_PATTERN}
_TEXT = {"type": "string", "minLength": 1, "maxLength": 500}
_URL = {"type": "string", "pattern": r"^https?://[^\s]{1,2000}$"}


def _object(required: list[str], about: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "description": about,
        "additionalProperties": False,
        "required": required,
        "properties": properties,
    }


def _map(of: Any, about: str) -> dict[str, Any]:
    return {
        "type": "object",
        "description": about,
        "propertyNames": {"pattern": NAME_PATTERN},
        "additionalProperties": of,
    }


def _duration(about: str, *, zero: bool = False) -> dict[str, Any]:
    pattern = DURATION_OR_ZERO if zero else DURATION
    return {"type": "string", "pattern": pattern, "description": about, "examples": ["20m"]}


def _instant(about: str) -> dict[str, Any]:
    return {
        "type": "string",
        "pattern": INSTANT,
        "description": f"{about} A day counts to its end in UTC.",
        "examples": ["2027-06-30"],
    }


def _list(of: Any, about: str) -> dict[str, Any]:
    return {
        "type": "array", "items": of, "minItems": 1, "uniqueItems": True, "description": about,
    }  # fmt: skip


def _one_of(about: str, **kinds: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "description": about,
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
        "properties": kinds,
    }


_METHOD = {
    "anyOf": [{"enum": sorted(CATALOGUE)}, {"type": "string", "pattern": NAME_PATTERN}],
    "description": "A method of the catalogue; an unknown one is worth the least (EVT-4).",
}
_METHODS = {"oneOf": [_METHOD, _list(_METHOD, "Methods presented together.")]}
_SCALAR = {"type": ["string", "number", "boolean", "null"]}
_CONSTRAINT = _one_of(
    "What an argument may be (design §4).",
    exact=_SCALAR,
    one_of=_list(_SCALAR, "One of these values."),
    not_one_of=_list(_SCALAR, "Any scalar but these."),
    range={"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
    path_prefix={"type": "string", "pattern": "^/"},
    glob={"type": "string", "minLength": 1},
    subset=_list(_SCALAR, "A list of some of these."),
    all={"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/constraint"}},
    any={"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/constraint"}},
)
_AUTHORITY = _object(
    [],
    "What a credential may do; what is absent is nothing.",
    audiences=_list(_TEXT, "Who may be called."),
    scopes=_list(_TEXT, "OAuth scopes."),
    resources=_list(_TEXT, "Globs of resources."),
    environment=_NAME,
    tools={
        "type": "object",
        "additionalProperties": {
            "type": "object",
            "additionalProperties": {"$ref": "#/$defs/constraint"},
        },
    },
)
_HOOK = {"type": "string", "pattern": _COMMAND, "description": "Bare name in the hooks folder."}
_TARGET = {
    "oneOf": [
        _object(
            ["postgresql-role", "database"],
            "A login role whose password is set at activation and at close.",
            **{
                "postgresql-role": {"type": "string", "pattern": r"^[a-z_][a-z0-9_$]{0,62}$"},
                "database": _NAME,
            },
        ),
        _object(
            ["static", "inject", "rotate", "check"],
            "A sealed secret, burnt at close until a new one is proved in place.",
            static=_NAME,
            inject={
                "type": "string",
                "pattern": _VARIABLE,
                "not": {"pattern": "^(PATH|HOME|SHELL|IFS|ENV|BASH_ENV|LD_.*|PYTHON.*)$"},
            },
            rotate=_one_of("What puts a new one in place.", command=_HOOK, webhook=_URL),
            check=_one_of(
                "What proves that the old one is refused.",
                command=_HOOK,
                http=_object(
                    ["url"],
                    "A request with the old secret.",
                    url=_URL,
                    header={"type": "string", "pattern": r"^[A-Za-z0-9-]{1,64}$"},
                    prefix={"type": "string", "maxLength": 32},
                    refused=_list({"type": "integer", "minimum": 300, "maximum": 499}, "Statuses."),
                ),
            ),
        ),
    ]
}
_CAUSES = ["lost", "lapsed", "planned-rotation", "outage", "drill"]
_PATH = _object(
    ["method", "causes", "limits", "owner", "reason", "until", "review"],
    "A declared fallback.",
    method=_METHODS,
    causes=_list({"enum": _CAUSES}, "Why the primary may be unavailable (law 4)."),
    limits=_object(
        ["ttl"],
        "How long a grant lives and how often its credential is taken (law 3).",
        ttl=_duration("A grant's life, at most 24h."),
        uses={"type": "integer", "minimum": 1, "maximum": 1_000_000},
        window=_duration("The longest window that a rotation may have."),
    ),
    review=_object(
        ["by"],
        "Who judges a grant afterwards (law 5).",
        by=_NAME,
        within=_duration("From close until it is overdue; 24h.", zero=True),
        blocks={"enum": ["overdue", "due"], "description": "From when a missing one blocks."},
    ),
    owner=_TEXT,
    reason=_TEXT,
    until=_instant("When the path ends (law 3)."),
    approvals=_object(
        ["of", "need"],
        "How many different people of which group must approve (law 6).",
        of=_NAME,
        need={"type": "integer", "minimum": 1, "maximum": 20},
        within=_duration("From asking until the request lapses; 1h."),
        escalate=_object(
            ["to", "after"],
            "A second group that may approve too, after a time.",
            to=_NAME,
            after=_duration("Since the request."),
        ),
    ),
    requesters=_NAME | {"description": "The group that may ask."},
    context=_list({"type": "string", "pattern": r"^[a-z0-9][a-z0-9.:/_-]{0,62}$"}, "Law 7."),
    authority={"$ref": "#/$defs/authority"},
    closes=_list({"enum": ["cutover", "restored"]}, "What closes a grant early (law 4)."),
    waiver=_object(
        ["owner", "reason", "until"],
        "A downgrade accepted by a named owner until a date (law 1).",
        owner=_TEXT,
        reason=_TEXT,
        until=_instant("When the waiver ends."),
    ),
    drill=_object(
        ["every"],
        "How often the path is rehearsed.",
        every=_duration("E.g. 90d."),
        lead=_duration("How long before it is due a drill may begin."),
    ),
    probe=_one_of(
        "What tells whether the primary is up (law 4).",
        http=_URL,
        oidc=_URL,
        tcp={"type": "string", "pattern": r"^[A-Za-z0-9.:\[\]-]{1,253}:[0-9]{1,5}$"},
        sql=_NAME,
    ),
    target=_TARGET,
)
_IDENTITY = _object(
    ["kind", "owner", "primary"],
    "A person, a workload or an agent.",
    kind={"enum": ["human", "workload", "agent"]},
    owner=_TEXT,
    notify=_list({"type": "string", "pattern": r"^[a-z][a-z0-9+.-]*:.{1,1000}$"}, "URLs."),
    acts_for=_NAME,
    disabled={"type": "boolean"},
    proofing={"enum": ["none", "ial1", "ial2", "ial3"]},
    primary=_object(
        ["method"],
        "The normal way in.",
        method=_METHODS,
        authority={"$ref": "#/$defs/authority"},
        context=_list({"type": "string"}, "Conditions that the primary demands (law 7)."),
    ),
    fallbacks=_map({"$ref": "#/$defs/path"}, "Paths by name."),
)
_DATABASE = _object(
    ["host", "port", "dbname", "admin", "admin_secret"],
    "A PostgreSQL server that holds roles which paths open; passwords are in the vault.",
    host=_TEXT,
    port={"type": "integer", "minimum": 1, "maximum": 65535},
    dbname=_TEXT,
    admin=_TEXT,
    admin_secret=_NAME,
    sslmode={"enum": ["disable", "require", "verify-ca", "verify-full"]},
)

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "urn:locum:schema:estate:1",
    "title": "Locum estate",
    **_object(
        ["version"],
        "Every identity with its primary and its declared fallbacks.",
        version={"const": 1},
        identities=_map({"$ref": "#/$defs/identity"}, "Identities by name."),
        groups=_map({"type": "array", "items": _NAME, "uniqueItems": True}, "People by group."),
        databases=_map(_DATABASE, "Databases by name."),
    ),
    "$defs": {
        "identity": _IDENTITY,
        "path": _PATH,
        "authority": _AUTHORITY,
        "constraint": _CONSTRAINT,
    },
}
