"""Kubernetes manifests: whoever may do anything by any binding, and YAML that stays small."""

from __future__ import annotations

import json
from typing import Any

import pytest

from locum.estate.importing.export import in_memory
from locum.estate.importing.kubernetes import read_kubernetes
from locum.estate.inventory import Inventory
from locum.estate.named_once import refuse_twice_named
from locum.estate.problem import EstateError

ACCOUNT = {"kind": "ServiceAccount", "metadata": {"name": "b", "namespace": "ci"}}
OTHER = {"kind": "ServiceAccount", "metadata": {"name": "b", "namespace": "web"}}
CI = {"kind": "ServiceAccount", "name": "b", "namespace": "ci"}
TOKEN = "kubernetes.io/service-account-token"
ANYTHING = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}


def _text(text: str) -> Inventory:
    return read_kubernetes(in_memory(text.encode(), "f"), "c")


def _read(*objects: Any, **more: Any) -> Inventory:
    return _text(json.dumps({"kind": "List", "items": [ACCOUNT, OTHER, *objects], **more}))


def _bound(subject: Any, role: str = "cluster-admin", kind: str = "ClusterRole") -> dict[str, Any]:
    return {"kind": "ClusterRoleBinding", "metadata": {"name": "x"},
            "roleRef": {"kind": kind, "name": role}, "subjects": [subject]}  # fmt: skip


def _privileged(*objects: Any) -> list[str]:
    return [one.name for one in _read(*objects).holders if one.privileged]


@pytest.mark.parametrize(
    ("group", "privileged"),
    [
        ("system:serviceaccounts:ci", ["ci.b"]),
        ("system:serviceaccounts", ["ci.b", "web.b"]),
        ("system:authenticated", ["ci.b", "web.b"]),
        ("devs", []),
    ],
)
def test_a_group_that_is_bound_holds_its_service_accounts(
    group: str, privileged: list[str]
) -> None:
    assert _privileged(_bound({"kind": "Group", "name": group})) == privileged


@pytest.mark.parametrize(
    ("rule", "wide"),
    [
        (ANYTHING, True),
        ({**ANYTHING, "verbs": ["impersonate"]}, True),
        ({**ANYTHING, "verbs": ["get"]}, False),
        ({**ANYTHING, "resources": ["pods"]}, False),
    ],
)
def test_a_role_that_may_do_anything_is_as_good_as_the_administrators(
    rule: dict[str, Any], wide: bool
) -> None:
    for kind, binding in (("ClusterRole", "ClusterRoleBinding"), ("Role", "RoleBinding")):
        role = {"kind": kind, "metadata": {"name": "r", "namespace": "ci"}, "rules": [rule]}
        bound = _bound(CI, "r", kind) | {
            "kind": binding,
            "metadata": {"name": "x", "namespace": "ci"},
        }
        assert _privileged(role, bound) == (["ci.b"] if wide else [])
    elsewhere = bound | {"metadata": {"name": "x", "namespace": "web"}}
    assert _privileged(role, elsewhere) == []
    assert _privileged(_bound(CI) | {"kind": "RoleBinding"}) == ["ci.b"]


def test_people_and_groups_that_are_bound_administer_the_cluster() -> None:
    inventory = _read(
        _bound({"kind": "User", "name": "eve"}), _bound({"kind": "Group", "name": "devs"})
    )
    [root] = inventory.roots
    assert root.administered_by is not None
    assert root.administered_by.people == {"user.eve"}
    assert [one.rests_on for one in root.ways] == [("custodian:group-devs-of-c",)]
    for kind, name in (("User", "system:anonymous"), ("Group", "system:unauthenticated")):
        [root] = _read(_bound({"kind": kind, "name": name})).roots
        assert [one.rests_on for one in root.ways] == [("custodian:anybody",)]


def test_an_account_that_is_only_bound_is_there() -> None:
    assert _privileged(_bound(CI | {"name": "away"})) == ["ci.away"]


@pytest.mark.parametrize(
    "change",
    [
        {"kind": 5},
        {"metadata": []},
        {"metadata": {}},
        {"metadata": {"name": 5}},
        {"metadata": {"name": "b", "namespace": ["ci"]}},
        _bound(5),
        _bound({"name": "b"}),
        _bound(CI) | {"subjects": True},
        _bound(CI) | {"roleRef": "x"},
        {"kind": "Role", "rules": "x"},
        {
            "kind": "Secret",
            "type": TOKEN,
            "metadata": {"name": "t"},
        },
    ],
)
def test_what_is_of_another_kind_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(EstateError) as refused:
        _read(ACCOUNT | {"metadata": {"name": "c"}} | change)
    assert refused.value.problems[0].position.column > 60


def test_what_stands_twice_is_refused_with_both_places() -> None:
    secret = {"kind": "Secret", "type": TOKEN,
              "metadata": {"name": "t", "namespace": "ci",
                           "annotations": {"kubernetes.io/service-account.name": "b"}}}  # fmt: skip
    for objects in ([ACCOUNT], [secret, secret]):
        with pytest.raises(EstateError, match="a second time") as refused:
            refuse_twice_named(_read(*objects))
        assert refused.value.problems[0].related is not None


@pytest.mark.parametrize(
    "text",
    [
        "kind: List\nitems: null\n", "kind: List\n", "kind: List\nitems: {}\n",
        '{"kind": "List"}', '{"kind": "List", "items": null}',
        '{"kind": "List", "items": [], "metadata": {"continue": "x"}}',
        "kind: List\nitems: []\nmetadata: {continue: x}\n",
    ],
)  # fmt: skip
def test_a_list_without_its_items_or_its_rest_is_refused(text: str) -> None:
    with pytest.raises(EstateError) as refused:
        _text(text)
    assert refused.value.problems[0].rule == "missing-key"


@pytest.mark.parametrize(
    ("text", "rule", "line"),
    [
        ("a: &a {x: 1}\nb: *a\n", "anchor", 1),
        ("a: 1\n<<: *a\n", "anchor", 2),
        ("%YAML 9.9\n---\na: b\n", "yaml", 1),
        ("%YAML 1.1\n---\na: b\n", "directive", 2),
        ("a: !!bool x\n", "tag", 1),
        ('a:\n  b: "\\UFFFFFFFF"\n', "yaml", 2),
        ("a: 1\na: 2\n", "duplicate-key", 2),
        ("? [a]\n: b\n", "key", 1),
        ("a: " + "[" * 100 + "]" * 100, "bounds", 1),
        (" \n", "empty", 1),
        ("kind: x\n---\nnone: 1\n", "missing-key", 3),
    ],
)
def test_yaml_that_surprises_is_refused_at_its_place(text: str, rule: str, line: int) -> None:
    with pytest.raises(EstateError) as refused:
        _text(text)
    [problem] = refused.value.problems
    assert (problem.rule, problem.position.line) == (rule, line)


def test_each_object_has_its_line() -> None:
    documents = "\n---\n".join(
        f"kind: ServiceAccount\nmetadata: {{name: a{at}}}" for at in range(3)
    )
    assert [one.place.line for one in _text(documents).holders] == [1, 4, 7]
    items = "kind: List\nitems:\n" + "".join(
        f"- kind: ServiceAccount\n  metadata: {{name: a{at}}}\n" for at in range(3)
    )
    assert [one.place.line for one in _text(items).holders] == [3, 5, 7]
