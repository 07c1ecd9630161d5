"""What was found and observed, against the identities and paths that it is said of."""

from __future__ import annotations

from collections.abc import Iterator

from locum.estate.document import Document
from locum.estate.explanation import did_you_mean
from locum.estate.place import problem_at
from locum.estate.problem import Problem


def found_and_observed(document: Document) -> Iterator[Problem]:
    """Every found entry and observation that is said of nobody, or of what is declared otherwise.

    Args:
        document: it fits the schema.
    """
    identities = document.value["identities"]
    for name, found in document.value["found"].items():
        identity = found["identity"]
        if identity not in identities:
            yield problem_at(
                document,
                ("found", name, "identity"),
                "dangling-name",
                f"`{identity}` is no identity of this estate.",
                did_you_mean(identity, identities)
                or "Declare it under `identities`, or remove what was found of it.",
            )
        elif name in identities[identity].get("fallbacks", {}):
            # Both would be one way in, and what is known of one be taken for the other's.
            yield problem_at(
                document,
                ("found", name),
                "duplicate-key",
                f"`{identity}/{name}` is declared as a path already.",
                "Remove it where both are the same way in, or enter it under another name, "
                f"e.g. `{name}-found`.",
                related=("identities", identity, "fallbacks", name),
            )
    paths = [
        f"{identity}/{path}"
        for identity, one in identities.items()
        for path in one.get("fallbacks", {})
    ]
    for name in document.value["observed"].keys() - set(paths):
        yield problem_at(
            document,
            ("observed", name),
            "dangling-name",
            f"`{name}` is no declared path of this estate.",
            did_you_mean(name, paths)
            or "Name a path that is declared, e.g. `payments-api/rotation-backup`, or remove it.",
        )
