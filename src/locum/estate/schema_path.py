"""The schema of a path: everything that bounds one declared fallback. Source: design §2, §5."""

from __future__ import annotations

from locum.estate.schema_forms import (
    ADDRESS,
    COMMAND,
    CONDITION,
    DURATION,
    DURATION_OR_ZERO,
    HOST,
    INSTANT,
    NAME,
    ROLE,
    URL,
    VARIABLE,
    Schema,
    choice,
    exactly_one,
    fields,
    meant,
    several,
    text,
    whole,
)
from locum.model.methods import CATALOGUE

_METHOD: Schema = {
    "title": "the name of a method, or a list of them",
    "anyOf": [{"enum": sorted(CATALOGUE)}, NAME],
    "examples": ["vaulted-secret"],
}
METHODS: Schema = {
    "title": "the name of a method, or a list of them",
    "description": "How it opens; several are presented together. An unknown method is worth the "
    "least (EVT-4; law 1).",
    "oneOf": [_METHOD, several(_METHOD, "Methods presented together.", ["password", "totp"])],
    "examples": ["vaulted-secret"],
}
_OWNER = text("iam@example.com")
_REASON = text("spare key in the safe")
_GROUP = meant(NAME, "A group of this estate.", "sre-leads")
_HOOK = meant(COMMAND, "An executable in the hooks folder.")

_HTTP_CHECK = fields(
    ["url"],
    "A GET that carries the old secret in a header and must be refused.",
    url=meant(URL, "Where to send it.", "https://payments.example.com/v1/ping"),
    header={
        "type": "string",
        "title": "the name of a header",
        "pattern": "^[A-Za-z0-9-]{1,64}$",
        "description": "The header that carries it.",
        "default": "Authorization",
        "examples": ["X-Api-Key"],
    },
    prefix={
        "type": "string",
        "title": "a text of up to 32 characters",
        "pattern": "^[ -~]{0,32}$",
        "description": "What stands before the secret in the header.",
        "default": "Bearer ",
        "examples": ["Bearer "],
    },
    refused={
        **several(whole("A status.", 300, 499, 401), "Statuses that mean refused.", [401, 403]),
        "default": [401, 403],
    },
)
_POSTGRESQL_ROLE = fields(
    ["postgresql-role", "database"],
    "A login role whose password is set at activation and again at close.",
    **{
        "postgresql-role": meant(ROLE, "The role, which exists for this path alone."),
        "database": meant(NAME, "A database of this estate.", "orders-db"),
    },
)
_STATIC = fields(
    ["static", "inject", "rotate", "check"],
    "A sealed secret, burnt at close until a new one is proved to be in place.",
    static=meant(NAME, "The vault's name for it.", "payments-api-key"),
    inject=meant(VARIABLE, "The environment variable that `locum run` sets."),
    rotate=exactly_one(
        "What puts a new one in place.",
        command=_HOOK,
        webhook=meant(URL, "It answers with the new one.", "https://payments.example.com/rotate"),
    ),
    check=exactly_one(
        "What proves that the old one is refused.",
        http=_HTTP_CHECK,
        command=meant(COMMAND, "An executable in the hooks folder.", "check-payments-key"),
    ),
)

PATH = fields(
    ["method", "causes", "limits", "owner", "reason", "until", "review"],
    "A declared fallback.",
    method=METHODS,
    causes=several(
        choice("A cause.", "lost", "lapsed", "planned-rotation", "outage", "drill"),
        "Why the primary may be unavailable (law 4).",
        ["outage"],
    ),
    limits=fields(
        ["ttl"],
        "How long a grant lives and how often its credential may be taken (law 3).",
        ttl=meant(DURATION, "A grant's life; at most 24h (law 3).", "20m"),
        uses=whole("How often the credential may be taken.", 1, 1_000_000, 1, default=1),
        window=meant(DURATION, "The time that a rotation takes; `ttl` fits into it.", "30m"),
    ),
    review=fields(
        ["by"],
        "Who judges a grant afterwards (laws 5 and 6).",
        by=_GROUP,
        within=meant(DURATION_OR_ZERO, "From close until it is overdue.", "24h", default="24h"),
        blocks=choice(
            "From when a missing review blocks the path.", "overdue", "due", default="overdue"
        ),
    ),
    owner=meant(_OWNER, "Who answers for the path."),
    reason=meant(_REASON, "Why it exists."),
    until=meant(INSTANT, "When the path ends (law 3)."),
    approvals=fields(
        ["of", "need"],
        "How many different people of which group must approve (law 6).",
        of=_GROUP,
        need=whole("How many; never zero.", 1, 20, 2),
        within=meant(DURATION, "From asking until the request lapses.", "1h", default="1h"),
        escalate=fields(
            ["to", "after"],
            "A second group that may approve too, out of hours.",
            to=_GROUP,
            after=meant(DURATION, "Since the request; less than `within`.", "10m"),
        ),
    ),
    requesters=meant(
        NAME, "The group that may ask; without it the approvers, or the identity.", "on-call"
    ),
    context=several(CONDITION, "Conditions that must hold (law 7).", ["managed-device"]),
    authority={
        "$ref": "#/$defs/authority",
        "description": "What a grant may do; without it just what the primary may (law 2).",
    },
    closes=several(
        choice("A rule.", "cutover", "restored"),
        "What closes a grant early, beyond what always does (law 4).",
        ["restored"],
    ),
    waiver=fields(
        ["owner", "reason", "until"],
        "A downgrade accepted by a named owner until a day; always shown (law 1).",
        owner=meant(_OWNER, "Who accepts it.", "ciso@example.com"),
        reason=meant(_REASON, "Why.", "no phishing-resistant second factor yet"),
        until=meant(INSTANT, "When the waiver ends.", "2027-01-31"),
    ),
    drill=fields(
        ["every"],
        "How often the path is rehearsed (law 5, BG-E5).",
        every=meant(DURATION, "The longest time between two drills.", "90d"),
        lead=meant(
            DURATION,
            "How long before the due day a drill may begin; without it half of `every`, at most "
            "14d.",
            "14d",
        ),
    ),
    probe=exactly_one(
        "What tells whether the primary is up (law 4).",
        http=meant(URL, "Up while it answers with a status below 500."),
        tcp=meant(ADDRESS, "Up while it accepts a connection."),
        oidc=meant(URL, "An issuer whose discovery and keys load.", "https://login.example.com"),
        sql=meant(NAME, "A database of this estate that answers `SELECT 1`.", "orders-db"),
    ),
    rotation=fields(
        ["first", "every"],
        "Rotations that are announced once for all: a window of `limits.window` each time (law 4).",
        first=meant(INSTANT, "When the first window opens.", "2026-12-01T02:00:00Z"),
        every=meant(DURATION, "From one opening to the next.", "60d"),
    ),
    cutover=fields(
        [],
        "How Locum learns that the new primary is in use, beyond being told by its holder (law 4).",
        endpoint=meant(ADDRESS, "Where the primary is served, with TLS.", "payments.internal:8443"),
        server_name=meant(HOST, "The name to ask it for; its host without.", "payments.internal"),
        guards=several(NAME, "Identities that may say that they saw it in use.", ["gateway"]),
    ),
    target={
        "title": "a mapping with `postgresql-role` or `static`",
        "description": "What a path of method `vaulted-secret` opens.",
        "oneOf": [_POSTGRESQL_ROLE, _STATIC],
        "examples": [{"postgresql-role": "orders_admin", "database": "orders-db"}],
    },
)
