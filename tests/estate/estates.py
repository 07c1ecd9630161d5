"""A small estate that breaks no law, as a value that a test may bend, and how to write it down."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from locum.estate.loading import load
from locum.estate.problem import EstateError, Problem

NOW = datetime(2027, 1, 1, tzinfo=UTC)
PATH = ("identities", "orders-db-admin", "fallbacks", "break-glass")
_LAWFUL: dict[str, Any] = {
    "version": 1,
    "groups": {
        "administrators": ["alice"],
        "sre-leads": ["alice", "bob", "carol"],
        "platform-security": ["dana"],
    },
    "databases": {
        "orders-db": {
            "host": "db.internal",
            "port": 5432,
            "dbname": "orders",
            "admin": "locum",
            "admin_secret": "orders-db",
        }
    },
    "identities": {
        **{
            name: {
                "kind": "human",
                "owner": f"{name}@example.com",
                "primary": {"method": "passkey-device-bound"},
            }
            for name in ("alice", "bob", "carol", "dana")
        },
        "orders-db-admin": {
            "kind": "workload",
            "owner": "orders@example.com",
            "primary": {
                "method": "oidc-workload-token",
                "authority": {
                    "audiences": ["orders-db"],
                    "tools": {"query": {"limit": {"range": [1, 100]}}},
                },
                "context": ["managed-device"],
            },
            "fallbacks": {
                "break-glass": {
                    "method": "vaulted-secret",
                    "target": {"postgresql-role": "orders_admin", "database": "orders-db"},
                    "causes": ["outage"],
                    "context": ["managed-device"],
                    "approvals": {"of": "sre-leads", "need": 2},
                    "limits": {"ttl": "20m"},
                    "review": {"by": "platform-security"},
                    "owner": "orders@example.com",
                    "reason": "repair orders while the identity provider is down",
                    "until": "2028-06-30",
                }
            },
        },
    },
}
STATIC: dict[str, Any] = {
    "static": "api-key",
    "inject": "API_KEY",
    "rotate": {"command": "rotate-key"},
    "check": {"http": {"url": "https://api.example.com/ping"}},
}


def lawful() -> dict[str, Any]:
    """The estate, to be bent freely."""
    return copy.deepcopy(_LAWFUL)


def bent(way: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """The estate with another value at one place."""
    whole = lawful()
    inner: Any = whole
    for step in way[:-1]:
        inner = inner[step]
    inner[way[-1]] = value
    return whole


def path_with(**fields: Any) -> dict[str, Any]:
    """The estate with other fields of its path."""
    whole = lawful()
    whole["identities"]["orders-db-admin"]["fallbacks"]["break-glass"].update(fields)
    return whole


def written(folder: Path, value: Any, name: str = "estate.yaml") -> Path:
    """A file with this value; JSON is YAML."""
    file = folder / name
    file.write_text(value if isinstance(value, str) else json.dumps(value, indent=1))
    return file


def problems_of(folder: Path, value: Any) -> tuple[Problem, ...]:
    """The problems for which this estate is refused."""
    with pytest.raises(EstateError) as caught:
        load(written(folder, value))
    return caught.value.problems


def only_problem(folder: Path, value: Any) -> Problem:
    """The one problem for which this estate is refused."""
    [problem] = problems_of(folder, value)
    return problem
