"""Kubernetes manifests: service accounts, their long-lived tokens, and who may do anything."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from locum.estate.importing.export import Export
from locum.estate.importing.json_text import field, inside, listed
from locum.estate.importing.naming import name_of, root_of
from locum.estate.importing.refusing import decoded, refuse
from locum.estate.inventory import NEVER, Holder, Inventory, Quorum, Role, Root, Way
from locum.estate.problem import Position
from locum.model.estate import Kind
from locum.model.strength import Proofing

_TOKEN = "kubernetes.io/service-account-token"
_OF = "kubernetes.io/service-account.name"
_MOST = 200_000


def read_kubernetes(export: Export, cluster: str) -> Inventory:
    """The inventory of a cluster's manifests.

    Args:
        export: YAML documents or JSON, e.g. `kubectl get sa,secret,clusterrolebinding -A -o yaml`.
        cluster: what its issuer is called here.

    Raises:
        EstateError: it is no manifest; nothing of it is used.
    """
    issuer = root_of("identity-provider", cluster)
    objects = [*_objects(decoded(export.whole(), export.file), export.file)]
    powerful = {subject for one, _ in objects for subject in _powerful(one)}
    accounts: dict[tuple[str, str], Position] = {}
    ways: list[Way] = []
    for one, place in objects:
        meta = inside(one, "metadata")
        space = field(meta, "namespace") or "default"
        if one.get("kind") == "ServiceAccount":
            accounts.setdefault((space, field(meta, "name")), place)
        if one.get("kind") == "Secret" and one.get("type") == _TOKEN:
            account = field(meta.get("annotations"), _OF)
            if not account:
                continue
            accounts.setdefault((space, account), place)
            identity = name_of(f"{space}.{account}")
            ways.append(
                Way(
                    f"{identity}/{name_of(field(meta, 'name'))}", identity, Role.FOUND,
                    ("api-key",), place, {"": (issuer,)}, ends=NEVER,
                )
            )  # fmt: skip
    holders = tuple(
        Holder(
            name_of(f"{space}.{name}"), Kind.WORKLOAD, place,
            privileged=(space, name) in powerful, proofing=Proofing.DECLARED_OWNER,
        )
        for (space, name), place in accounts.items()
    )  # fmt: skip
    primaries = tuple(
        Way(one.name, one.name, Role.PRIMARY, ("oidc-workload-token",), one.place, {"": (issuer,)})
        for one in holders
    )
    cluster_root = Root(
        issuer, Position(export.file, 1, 1), administered_by=_administrators(holders)
    )
    return Inventory(holders, (*primaries, *ways), (cluster_root,))


def _administrators(holders: tuple[Holder, ...]) -> Quorum:
    return Quorum("cluster-admin", frozenset(one.name for one in holders if one.privileged))


def _objects(text: str, file: str) -> Iterator[tuple[dict[str, Any], Position]]:
    loader = YAML(typ="safe", pure=True)
    count = 0
    try:
        for document in loader.load_all(io.StringIO(text)):
            if document is None:
                continue
            if not isinstance(document, dict) or "kind" not in document:
                refuse(
                    file, "missing-key", "A document has no `kind`, so it is no manifest.",
                    "E.g. kubectl get serviceaccounts,secrets -A -o yaml.",
                )  # fmt: skip
            for one in listed(document, "items") if "items" in document else [document]:
                count += 1
                if count > _MOST:
                    refuse(file, "bounds", f"There are more than {_MOST} objects.", "Split it.")
                if isinstance(one, dict):
                    yield one, Position(file, 1, 1)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        refuse(file, "yaml", f"This is not YAML: {error.problem}.", "Export it anew.", line, column)
    except (YAMLError, RecursionError, ValueError, AttributeError) as error:
        refuse(file, "yaml", f"This is not YAML: {type(error).__name__}.", "Export it anew.")


def _powerful(one: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Service accounts that are bound to cluster-admin."""
    if one.get("kind") != "ClusterRoleBinding":
        return
    if field(one.get("roleRef"), "name") != "cluster-admin":
        return
    for subject in listed(one, "subjects"):
        if field(subject, "kind") == "ServiceAccount":
            yield field(subject, "namespace") or "default", field(subject, "name")
