"""A host's side doors: authorized_keys, sshd_config and sudoers."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from locum.estate.importing.export import Export
from locum.estate.importing.naming import name_of, root_of
from locum.estate.importing.refusing import decoded, refuse
from locum.estate.inventory import NEVER, Holder, Inventory, Role, Root, RootWay, Way
from locum.estate.problem import Position
from locum.model.estate import Kind

_KEY = re.compile(r"(?:^|\s)((?:sk-)?(?:ssh|ecdsa)-[a-z0-9@.-]+)\s+([A-Za-z0-9+/=]{16,})\s*(.*)$")
_GROUP, _ALL = "%", "ALL"


def read_ssh_host(
    host: str, keys: Iterable[tuple[str, Export]], sshd: Export | None = None,
    sudoers: Export | None = None,
) -> Inventory:  # fmt: skip
    """The inventory of a host.

    Args:
        host: its name.
        keys: of each account its name and its authorized_keys.
        sshd: sshd_config; without it, passwords are taken to work, as they do by default.
        sudoers: sudoers.

    Raises:
        EstateError: a file cannot be read; nothing of it is used.
    """
    options = {} if sshd is None else _options(sshd)
    passwords = options.get("passwordauthentication", "yes") != "no"
    powerful = {"root"} if sudoers is None else {"root", *_powerful(sudoers)}
    holders: list[Holder] = []
    ways: list[Way] = []
    box = root_of("device", host)
    for account, export in keys:
        identity = name_of(f"{account}-at-{host}")
        place = Position(export.file, 1, 1)
        holders.append(Holder(identity, Kind.HUMAN, place, privileged=account in powerful))
        found = [*_keys(export)]
        by_password = passwords and (
            account != "root" or options.get("permitrootlogin", "prohibit-password") == "yes"
        )
        for at, (kind, digest, comment, line) in enumerate(found):
            hardware = kind.startswith("sk-")
            ways.append(
                Way(
                    identity if at == 0 else f"{identity}/key-{digest}",
                    identity,
                    Role.PRIMARY if at == 0 else Role.FOUND,
                    ("security-key-attested",) if hardware else ("ssh-key",),
                    Position(export.file, line, 1),
                    owner=comment,
                    ends=NEVER,
                )
            )
        if by_password:
            first = not found
            ways.append(
                Way(
                    identity if first else f"{identity}/password", identity,
                    Role.PRIMARY if first else Role.FOUND, ("password",), place, ends=NEVER,
                )
            )  # fmt: skip
        if not found and not by_password:
            ways.append(Way(identity, identity, Role.PRIMARY, ("unknown",), place, active=False))
    return Inventory(tuple(holders), tuple(ways), (Root(box, Position(host, 1, 1), (RootWay(),)),))


def _keys(export: Export) -> Iterable[tuple[str, str, str, int]]:
    for line, text in enumerate(decoded(export.whole(), export.file).splitlines(), 1):
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        found = _KEY.search(text)
        if found is None:
            refuse(
                export.file, "form", "This line is no public key.",
                "E.g. `ssh-ed25519 AAAA… alice@example.com`.", line,
            )  # fmt: skip
        kind, body, comment = found.groups()
        yield kind, hashlib.sha256(body.encode()).hexdigest()[:8], comment.strip(), line


def _options(export: Export) -> dict[str, str]:
    """sshd's options: the first word of each counts, as sshd reads them."""
    found: dict[str, str] = {}
    for text in decoded(export.whole(), export.file).splitlines():
        words = text.split("#")[0].replace("=", " ").split()
        if len(words) >= 2 and words[0].lower() == "match":
            break
        if len(words) >= 2:
            found.setdefault(words[0].lower(), words[1].strip('"').lower())
    return found


def _powerful(export: Export) -> Iterable[str]:
    """Accounts that sudoers lets do anything; a group's members are not told here."""
    for text in decoded(export.whole(), export.file).splitlines():
        words = text.split("#")[0].split("=", 1)
        who = words[0].split()
        if len(words) == 2 and len(who) == 2 and who[0][:1] != _GROUP and _ALL in words[1]:
            yield who[0]
