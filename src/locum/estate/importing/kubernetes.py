"""Kubernetes manifests: service accounts, their long-lived tokens, and who may do anything.

Who is bound to a role that may do anything, or become others, administers the cluster. Whom a group
of people holds is not told, so it is unknown.

Source: Kubernetes documentation, "Using RBAC Authorization".
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from locum.estate.importing.export import Export
from locum.estate.importing.fields import Fields
from locum.estate.importing.kubernetes_objects import read_objects
from locum.estate.importing.naming import name_of, root_of
from locum.estate.inventory import NEVER, Holder, Inventory, Quorum, Role, Root, RootWay, Way
from locum.estate.named_once import refuse_twice_named
from locum.estate.problem import Position
from locum.model.estate import Kind
from locum.model.strength import Proofing

_TOKEN = "kubernetes.io/service-account-token"
_OF = "kubernetes.io/service-account.name"
_ACCOUNTS = "system:serviceaccounts"
_EVERYBODY = ("system:authenticated", _ACCOUNTS)
_NOBODY = ("system:unauthenticated", "system:anonymous")
"""Whoever shows nothing at all."""
_BECOMES = frozenset({"*", "escalate", "bind", "impersonate"})
_ROLES = ("ClusterRole", "Role")
_SUBJECTS = ("ServiceAccount", "User", "Group")
_CLUSTER_ADMIN = ("ClusterRole", "", "cluster-admin")
_BINDINGS = ("ClusterRoleBinding", "RoleBinding")


class _Found(msgspec.Struct):
    """Objects by what they are.

    Args:
        accounts: by namespace and name, where each is first spoken of.
        wide: roles that may do anything, by kind, namespace and name.
    """

    accounts: dict[tuple[str, str], Position] = {}
    defined: list[Holder] = []
    tokens: list[Fields] = []
    bindings: list[Fields] = []
    wide: set[tuple[str, str, str]] = msgspec.field(default_factory=lambda: {_CLUSTER_ADMIN})


def read_kubernetes(export: Export, cluster: str) -> Inventory:
    """The inventory of a cluster's manifests.

    Args:
        export: YAML documents or JSON, e.g. `kubectl get sa,secret,clusterrolebinding -A -o yaml`.
        cluster: what its issuer is called here.

    Raises:
        EstateError: it is no manifest; nothing of it is used.
    """
    issuer = root_of("identity-provider", cluster)
    found = _sorted(read_objects(export))
    powerful = [
        (subject, one) for one in found.bindings if _is_wide(one, found)
        for subject in one.each("subjects")
    ]  # fmt: skip
    for subject, one in powerful:
        if subject.text("kind") not in _SUBJECTS:
            subject.refuse("value", "A subject is of no kind that RBAC knows.")
        if subject.text("kind") == "ServiceAccount":
            found.accounts.setdefault(_account(subject), one.place)
    refuse_twice_named(Inventory(tuple(found.defined)))
    administrators = {_account(one) for one, _ in powerful if one.text("kind") == "ServiceAccount"}
    groups = {one.text("name") for one, _ in powerful if one.text("kind") == "Group"}
    users = {
        one.needed("name", "A subject"): binding.place
        for one, binding in powerful if one.text("kind") == "User"
    }  # fmt: skip
    holders = [
        Holder(
            name_of(f"{space}.{name}"), Kind.WORKLOAD, place, proofing=Proofing.DECLARED_OWNER,
            privileged=(space, name) in administrators
            or not groups.isdisjoint((*_EVERYBODY, f"{_ACCOUNTS}:{space}")),
        )
        for (space, name), place in found.accounts.items()
    ]  # fmt: skip
    resting = {"": (issuer,)}
    ways = [
        Way(one.name, one.name, Role.PRIMARY, ("oidc-workload-token",), one.place, resting)
        for one in holders
    ] + [_token(one, issuer) for one in found.tokens]
    people = {name: place for name, place in users.items() if name not in _NOBODY}
    for name, place in people.items():
        person = Holder(name_of(f"user.{name}"), Kind.HUMAN, place, privileged=True)
        holders.append(person)
        ways.append(Way(person.name, person.name, Role.PRIMARY, ("unknown",), place))
    others = [
        root_of("custodian", "anybody" if name in _NOBODY else f"group-{name}-of-{cluster}")
        for name in sorted({*groups, *(users.keys() - people.keys())})
        if not name.startswith(_ACCOUNTS)
    ]
    administered = Quorum("cluster-admin", frozenset(one.name for one in holders if one.privileged))
    root = Root(
        issuer, Position(export.file, 1, 1),
        tuple(RootWay(rests_on=(one,)) for one in dict.fromkeys(others)), administered,
    )  # fmt: skip
    return Inventory(tuple(holders), tuple(ways), (root,))


def _sorted(objects: Iterable[Fields]) -> _Found:
    found = _Found()
    for one in objects:
        kind, meta = one.text("kind"), one.inside("metadata")
        if kind == "ServiceAccount":
            space, name = _space(one), meta.needed("name", "A service account")
            found.accounts.setdefault((space, name), one.place)
            # Of one name there is one in a namespace; twice it stands in a broken export.
            found.defined.append(Holder(f"{space}.{name}", Kind.WORKLOAD, one.place))
        elif kind == "Secret" and one.text("type") == _TOKEN:
            account = meta.inside("annotations").needed(_OF, "A token of a service account")
            found.accounts.setdefault((_space(one), account), one.place)
            found.tokens.append(one)
        elif kind in _ROLES and any(_may_all(rule) for rule in one.each("rules")):
            space = _space(one) if kind == "Role" else ""
            found.wide.add((kind, space, meta.text("name")))
        elif kind in _BINDINGS:
            found.bindings.append(one)
    return found


def _space(one: Fields) -> str:
    return one.inside("metadata").text("namespace") or "default"


def _account(subject: Fields) -> tuple[str, str]:
    return subject.text("namespace") or "default", subject.needed("name", "A subject")


def _may_all(rule: Fields) -> bool:
    """Whether a rule lets one do anything with anything, or be somebody else."""
    verbs = rule.texts("verbs")
    anything = "*" in verbs and "*" in rule.texts("resources") and "*" in rule.texts("apiGroups")
    return anything or not (_BECOMES - {"*"}).isdisjoint(verbs)


def _is_wide(binding: Fields, found: _Found) -> bool:
    role = binding.inside("roleRef")
    kind = role.text("kind") or "ClusterRole"
    space = _space(binding) if kind == "Role" else ""
    return (kind, space, role.needed("name", "A binding")) in found.wide


def _token(secret: Fields, issuer: str) -> Way:
    meta = secret.inside("metadata")
    identity = name_of(f"{_space(secret)}.{meta.inside('annotations').text(_OF)}")
    return Way(
        f"{identity}/{name_of(meta.needed('name', 'A secret'))}", identity, Role.FOUND,
        ("api-key",), secret.place, {"": (issuer,)}, ends=NEVER,
    )  # fmt: skip
