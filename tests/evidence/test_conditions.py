"""Conditions that a path demands, and what shows that they hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locum.evidence.conditions import missing_conditions

INSIDE = frozenset({"network:10.0.0.0/8"})


@pytest.mark.parametrize(
    ("network", "source"),
    [
        ("10.0.0.0/8", "10.255.0.1"),
        ("10.0.0.0/8", "::ffff:10.1.2.3"),
        ("127.0.0.1", "127.0.0.1"),
        ("2001:db8::/32", "2001:db8::1"),
    ],
)
def test_a_caller_out_of_the_network_meets_its_condition(network: str, source: str) -> None:
    assert missing_conditions(frozenset({f"network:{network}"}), frozenset(), source) == ()


@pytest.mark.parametrize(
    ("network", "source"),
    [
        ("10.0.0.0/8", "11.0.0.1"),
        ("10.0.0.0/8", "::ffff:11.0.0.1"),
        ("10.0.0.0/8", "::10.0.0.1"),
        ("10.0.0.1/8", "10.0.0.1"),
        ("", "10.0.0.1"),
        ("10.0.0.0/33", "10.0.0.1"),
        ("everything", "10.0.0.1"),
        ("10.0.0.0/8", ""),
        ("10.0.0.0/8", "unix:"),
        ("10.0.0.0/8", "10.0.0.1, 10.0.0.2"),
        ("0.0.0.0/0", "::1"),
    ],
)
def test_what_is_outside_or_cannot_be_read_is_missing(network: str, source: str) -> None:
    condition = f"network:{network}"
    assert missing_conditions(frozenset({condition}), frozenset(), source) == (condition,)


def test_nobody_can_vouch_for_a_network() -> None:
    assert missing_conditions(INSIDE, INSIDE, "11.0.0.1") == ("network:10.0.0.0/8",)


def test_every_network_that_is_demanded_must_hold() -> None:
    both = INSIDE | {"network:10.1.0.0/16"}
    assert missing_conditions(both, frozenset(), "10.2.0.1") == ("network:10.1.0.0/16",)


def test_what_an_administrator_vouched_for_holds() -> None:
    required = frozenset({"managed-device", "network:10.0.0.0/8"})
    assert missing_conditions(required, frozenset({"managed-device"}), "10.0.0.1") == ()
    assert missing_conditions(required, frozenset({"Managed-Device"}), "10.0.0.1") == (
        "managed-device",
    )


@given(st.frozensets(st.text()), st.frozensets(st.text()), st.text())
def test_nothing_holds_that_was_neither_vouched_for_nor_decided(
    required: frozenset[str], vouched: frozenset[str], source: str
) -> None:
    missing = missing_conditions(required, vouched, source)
    assert missing == tuple(sorted(missing))
    assert required - vouched - {one for one in required if one.startswith("network:")} <= set(
        missing
    )
    assert set(missing) <= required


@given(st.frozensets(st.text()), st.text())
def test_where_nothing_is_demanded_nothing_is_missing(vouched: frozenset[str], source: str) -> None:
    assert missing_conditions(frozenset(), vouched, source) == ()
