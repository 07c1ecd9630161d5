"""A host's side doors: authorized_keys, sshd_config and sudoers.

A key on a security key counts as any SSH key, because its line shows no attestation and not whether
a PIN is asked for (EVT-4).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator

import msgspec

from locum.estate.importing.export import Export
from locum.estate.importing.naming import name_of, root_of
from locum.estate.importing.refusing import decoded, refuse
from locum.estate.importing.sshd_options import Options, read_sshd
from locum.estate.importing.sudoers import Powerful, read_sudoers
from locum.estate.inventory import NEVER, Holder, Inventory, Role, Root, RootWay, Way
from locum.estate.problem import Position
from locum.model.estate import Kind

_KEY = re.compile(r"(?:^|\s)((?:sk-)?(?:ssh|ecdsa)-[a-z0-9@.-]+)\s+([A-Za-z0-9+/=]{16,})\s*(.*)$")
_BY_OTHERS = (("trustedusercakeys", "certificates"), ("authorizedkeyscommand", "keys-by-command"))
"""Options by which somebody else says whose keys are let in."""


class _Key(msgspec.Struct, frozen=True):
    """A line of authorized_keys; an authority lets in whomever it signs for."""

    digest: str
    comment: str
    place: Position
    is_authority: bool


def read_ssh_host(
    host: str, keys: Iterable[tuple[str, Export]], sshd: Export | None = None,
    sudoers: Export | None = None, groups: Export | None = None,
) -> Inventory:  # fmt: skip
    """The inventory of a host.

    Args:
        host: its name.
        keys: of each account its name and its authorized_keys.
        sshd: sshd_config; without it, passwords are taken to work, as they do by default.
        sudoers: sudoers.
        groups: `/etc/group`, for the groups that sudoers names.

    Raises:
        EstateError: a file cannot be read; nothing of it is used.
    """
    options = Options() if sshd is None else read_sshd(sshd)
    powerful = Powerful() if sudoers is None else read_sudoers(sudoers, groups)
    holders: list[Holder] = []
    ways: list[Way] = []
    for account, export in keys:
        identity = name_of(f"{account}-at-{host}")
        place = Position(export.file, 1, 1)
        holders.append(Holder(identity, Kind.HUMAN, place, privileged=account in powerful))
        ways += _ways(identity, account, host, options, [*_keys(export)], place)
    box = Root(root_of("device", host), Position(host, 1, 1), (RootWay(),))
    return Inventory(tuple(holders), tuple(ways), (box,))


def _ways(
    identity: str, account: str, host: str, options: Options, keys: Iterable[_Key], place: Position
) -> Iterator[Way]:
    """An account's ways in; the first is the normal one."""
    is_root = account == "root"
    found: list[tuple[str, tuple[str, ...], str, Position, str]] = []
    if options.takes_keys:
        for key in keys:
            by = root_of("authority", f"ssh-{key.digest}") if key.is_authority else ""
            found.append((f"key-{key.digest}", ("ssh-key",), by, key.place, key.comment))
        for option, by in _BY_OTHERS:
            if options.names(option):
                root = root_of("authority", f"{by}-of-{host}")
                found.append((by, ("ssh-key",), root, place, ""))
    if options.takes_passwords and (not is_root or options.lets_root_in_by_password):
        found.append(("password", ("password",), "", place, ""))
    if is_root and not options.lets_root_in:
        found = []
    if not found:
        yield Way(identity, identity, Role.PRIMARY, ("unknown",), place, active=False)
    for at, (name, methods, root, where, owner) in enumerate(found):
        yield Way(
            identity if at == 0 else f"{identity}/{name}", identity,
            Role.FOUND if at else Role.PRIMARY, methods, where, {"": (root,)} if root else {},
            owner=owner, ends=NEVER,
        )  # fmt: skip


def _keys(export: Export) -> Iterator[_Key]:
    """Each key once: a line that repeats one lets nobody else in."""
    seen: set[str] = set()
    for line, text in enumerate(decoded(export.whole(), export.file).splitlines(), 1):
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        found = _KEY.search(text)
        if found is None:
            refuse(
                export.file, "form", "This line is no public key.",
                "E.g. `ssh-ed25519 AAAA… alice@example.com`.", line,
            )  # fmt: skip
        _, body, comment = found.groups()
        digest = hashlib.sha256(body.encode()).hexdigest()[:8]
        if digest not in seen:
            seen.add(digest)
            before = text[: found.start()].lower()
            place = Position(export.file, line, 1)
            yield _Key(digest, comment.strip(), place, "cert-authority" in before)
