"""The schema of an authority, with the closed vocabulary of constraints. Source: design §4."""

from __future__ import annotations

from locum.estate.schema_forms import NAME, Schema, exactly_one, fields, meant, several, text

_SCALAR: Schema = {
    "type": ["string", "integer", "number", "boolean", "null"],
    "title": "a text, a number, true, false or null",
}
_NUMBER: Schema = {"type": "number", "title": "a number"}
_PARTS: Schema = {
    "type": "array",
    "title": "a list of constraints",
    "minItems": 1,
    "items": {"$ref": "#/$defs/constraint"},
}
_ARGUMENT_NAMES: Schema = {"pattern": r"^[^\n]{1,200}$"}

CONSTRAINT = exactly_one(
    "What an argument may be. Type and value are compared together: true is not 1.",
    exact=meant(_SCALAR, "Just this value.", "daily"),
    one_of=several(_SCALAR, "One of these values.", ["daily", "weekly"]),
    not_one_of=several(_SCALAR, "Any text, number, true, false or null but these.", ["all"]),
    range={
        "type": "array",
        "title": "two numbers, the lower one first",
        "items": _NUMBER,
        "minItems": 2,
        "maxItems": 2,
        "description": "A number between the two, both included.",
        "examples": [[1, 100]],
    },
    path_prefix={
        "type": "string",
        "title": "an absolute path",
        "pattern": "^/",
        "description": "An absolute path at or below this one.",
        "examples": ["/reports"],
    },
    glob=meant(
        text("/reports/*.csv"),
        "A text that fits: `*` within a segment, `**` across segments, `?` one character.",
    ),
    subset=several(_SCALAR, "A list whose every element is one of these.", ["name", "total"]),
    all=meant(_PARTS, "Every one of these holds."),
    any=meant(_PARTS, "At least one of these holds."),
)

AUTHORITY = fields(
    [],
    "What a credential may do; what is absent is nothing (laws 2 and 7).",
    audiences=several(text("ledger.internal"), "Who may be called.", ["ledger.internal"]),
    scopes=several(text("refund"), "OAuth scopes.", ["refund"]),
    resources=several(text("/orders/**"), "Globs of resources.", ["/orders/**"]),
    environment=meant(NAME, "The one environment that it is for (NHI8).", "production"),
    tools={
        "type": "object",
        "title": "a mapping from tools",
        "description": "Tools by name; arguments that are not named are refused.",
        "propertyNames": _ARGUMENT_NAMES,
        "additionalProperties": {
            "type": "object",
            "title": "a mapping from arguments",
            "description": "Constraints by argument.",
            "propertyNames": _ARGUMENT_NAMES,
            "additionalProperties": {"$ref": "#/$defs/constraint"},
        },
        "examples": [{"query": {"limit": {"range": [1, 100]}}}],
    },
)
