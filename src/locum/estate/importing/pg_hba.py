"""pg_hba.conf: who may come by what.

Source: PostgreSQL documentation, "The pg_hba.conf File".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

import msgspec

from locum.estate.importing.export import Export
from locum.estate.importing.refusing import decoded, refuse

_TYPES = ("local", "host", "hostssl", "hostnossl", "hostgssenc", "hostnogssenc")
_FIELD = re.compile(r'(?:"[^"]*"|[^\s"#])+|#.*')
_PLAIN = re.compile(r"\^?[\w-]*(\.\*)?[\w-]*\$?")
_NAME = re.compile(r'(?:"[^"]*"|[^,"])+')


class Rule(msgspec.Struct, frozen=True):
    """A line: users as they stand there, and a method."""

    line: int
    users: tuple[str, ...]
    method: str

    def is_for(self, role: str, groups: Collection[str] | None) -> bool:
        """Whether it may be about a role.

        Args:
            groups: those that the role is in; `None` where nobody says.
        """
        return any(_is_for(user, role, groups) for user in self.users)


def read_rules(export: Export) -> Iterator[Rule]:
    """The rules, in order.

    Raises:
        EstateError: a line is none, or names another file, which is not here.
    """
    file, continued, begun = export.file, "", 0
    for number, text in enumerate(decoded(export.whole(), file).splitlines(), 1):
        line, begun = begun or number, 0
        if text.endswith("\\"):
            continued, begun = f"{continued}{text[:-1]} ", line
            continue
        whole, continued = re.sub(r",\s+", ",", continued + text), ""
        fields = [one for one in _FIELD.findall(whole) if not one.startswith("#")]
        if not fields:
            continue
        if fields[0].startswith("include"):
            refuse(
                file, "missing-key", "The rules of another file stand here.",
                "Put them here in its place, or ask the server itself: --live.", line,
            )  # fmt: skip
        if fields[0] not in _TYPES or len(fields) < (4 if fields[0] == "local" else 5):
            refuse(
                file, "form", "This line is no rule.",
                "E.g. `hostssl all all 10.0.0.0/8 scram-sha-256`.", line,
            )  # fmt: skip
        method = fields[3] if fields[0] == "local" else fields[4]
        if method[:1].isdigit():  # an address and its mask stand apart
            method = fields[5] if len(fields) > 5 else ""
        yield Rule(line, tuple(_NAME.findall(fields[2])), method.strip('"'))


def _is_for(user: str, role: str, groups: Collection[str] | None) -> bool:
    if user.startswith("@"):
        return True  # the names are in another file
    if user.startswith("+"):
        name = user[1:].strip('"')
        return groups is None or name == role or name in groups
    if user.startswith("/"):
        # Any other expression may be about anybody, and could take for ever to try.
        plain = _PLAIN.fullmatch(user[1:])
        return plain is None or re.search(plain[0], role) is not None
    return user == "all" or user.strip('"') == role
