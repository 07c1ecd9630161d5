"""AWS's credential report: passwords, second factors and keys, how old they are and when used.

Source: IAM User Guide, "Generate credential reports".
"""

from __future__ import annotations

from locum.estate.importing.csv_rows import named_rows
from locum.estate.importing.export import Export
from locum.estate.importing.instants import instant
from locum.estate.inventory import NEVER, Role, Seen, Way
from locum.estate.problem import EstateError, Position, Problem

_UNKNOWN = ("not_supported", "N/A", "no_information", "")
_REPORT = ("user", "arn", "password_enabled", "mfa_active", "access_key_1_active")
_DECODE = "Decode it: aws iam get-credential-report --query Content --output text | base64 -d."
Row = tuple[Position, dict[str, str]]
"""A user's row, with its place."""


def read_report(report: Export) -> dict[str, Row]:
    """Each user's row with its place.

    Raises:
        EstateError: it is no such report, or a user stands twice.
    """
    found: dict[str, Row] = {}
    for line, row in named_rows(report, _REPORT, _DECODE):
        place = Position(report.file, line, 1)
        if row["user"] in found:
            first = found[row["user"]][0]
            problem = Problem(
                place, "duplicate-key", "", "", f"A user stands twice, first in {first}.",
                "Export it anew.", related=first,
            )  # fmt: skip
            raise EstateError((problem,))
        found[row["user"]] = (place, row)
    return found


def user_ways(identity: str, row: dict[str, str] | None, place: Position) -> list[Way]:
    """What a user signs in with; the console, or else the first key, is the primary.

    Args:
        row: of the report; `None` where there is none, so that nobody knows.
    """
    if row is None:
        return [Way(identity, identity, Role.PRIMARY, ("unknown",), place)]
    found: list[tuple[str, tuple[str, ...], Seen, Seen]] = []
    if row["password_enabled"] != "false":
        # Of the root account AWS may say `not_supported`: nobody knows, and it may well have one.
        password = "password" if row["password_enabled"] == "true" else "unknown"
        second = ("totp",) if row["mfa_active"] == "true" else ()
        found.append(
            ("console", (password, *second), _seen(row, "password_last_changed", place),
             _seen(row, "password_last_used", place))
        )  # fmt: skip
    for number in ("1", "2"):
        if row.get(f"access_key_{number}_active", "false") != "false":
            found.append(
                (_key_name(number, row), ("api-key",),
                 _seen(row, f"access_key_{number}_last_rotated", place),
                 _seen(row, f"access_key_{number}_last_used_date", place))
            )  # fmt: skip
    if not found:
        return [Way(identity, identity, Role.PRIMARY, ("unknown",), place, active=False)]
    ways = []
    for at, (name, methods, created, used) in enumerate(found):
        ways.append(
            Way(
                identity if at == 0 else f"{identity}/{name}",
                identity,
                Role.PRIMARY if at == 0 else Role.FOUND,
                methods,
                place,
                created=None if created == NEVER else created,
                ends=NEVER if methods == ("api-key",) else None,
                last_used=used,
            )
        )
    return ways


def _key_name(number: str, row: dict[str, str]) -> str:
    """A key by its place in the report and its day: another in the same place is another key."""
    made = row.get(f"access_key_{number}_last_rotated", "")
    return f"access-key-{number}" if made in _UNKNOWN else f"access-key-{number}-{made[:10]}"


def _seen(row: dict[str, str], key: str, place: Position) -> Seen:
    value = row.get(key, "")
    if value in _UNKNOWN:
        # AWS says N/A of a key that was never used, and no_information of what it does not track.
        return NEVER if value == "N/A" and "used" in key else None
    return instant(value, key, place.file, place.line)
