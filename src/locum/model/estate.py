"""The estate: every identity with its primary and its declared paths, as one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Literal

import msgspec

from locum.model.authority import NOTHING, Authority
from locum.model.names import Digest, GroupName, IdentityName, PathName
from locum.model.path import Path
from locum.model.strength import Proofing
from locum.model.trust import KnownBy, Trust

ADMINISTRATORS = GroupName("administrators")
"""The group whose members invite people; they have no bypass of any law."""


class Kind(Enum):
    """What an identity is."""

    HUMAN = "human"
    WORKLOAD = "workload"
    AGENT = "agent"


class Primary(msgspec.Struct, frozen=True):
    """The normal way in.

    Args:
        known_by: which certificate or token proves it to Locum; `None` where none does.
    """

    methods: tuple[str, ...]
    authority: Authority = NOTHING
    context: frozenset[str] = frozenset()
    known_by: KnownBy | None = None


class Identity(msgspec.Struct, frozen=True):
    """A person, a workload or an agent.

    Args:
        notify: where its people are told, e.g. `mailto:…`, `https://…`, an Apprise URL.
        disabled: a disabled identity opens nothing, approves nothing and reviews nothing.
        proofing: what the identity was proofed at (a machine: declared owner).
    """

    name: IdentityName
    kind: Kind
    owner: str
    primary: Primary
    paths: Mapping[str, Path]
    notify: tuple[str, ...] = ()
    acts_for: IdentityName | None = None
    disabled: bool = False
    proofing: Proofing = Proofing.NONE


class Database(msgspec.Struct, frozen=True):
    """A PostgreSQL server that holds roles which paths open.

    Args:
        admin: the role that the authority uses to set passwords and end sessions; its own
            password is the vault's secret of the name `admin_secret`.
    """

    name: str
    host: str
    port: int
    dbname: str
    admin: str
    admin_secret: str
    sslmode: Literal["disable", "require", "verify-ca", "verify-full"] = "verify-full"


class Estate(msgspec.Struct, frozen=True):
    """All of it, with the digest of the files that it was read from."""

    identities: Mapping[IdentityName, Identity]
    groups: Mapping[GroupName, frozenset[IdentityName]]
    databases: Mapping[str, Database]
    digest: Digest
    trust: Mapping[str, Trust] = msgspec.field(default_factory=dict)

    def path(self, name: PathName) -> Path | None:
        """The declared path of this name, or `None`."""
        identity = self.identities.get(name.identity)
        return None if identity is None else identity.paths.get(name.path)

    def members(self, group: GroupName) -> frozenset[IdentityName]:
        """Those in `group` who are declared people and not disabled; an unknown group has none."""
        return frozenset(
            name
            for name in self.groups.get(group, frozenset())
            if (person := self.identities.get(name)) is not None
            and person.kind is Kind.HUMAN
            and not person.disabled
        )

    def paths(self) -> tuple[Path, ...]:
        """Every declared path, ordered by name."""
        return tuple(
            path
            for name in sorted(self.identities)
            for path in sorted(
                self.identities[name].paths.values(), key=lambda declared: declared.name
            )
        )
