"""Law 6 in the graph: approvers are different people, and the one who asks is none of them."""

from __future__ import annotations

from pathlib import Path

from tests.analysis.checked import checked, person, told, workload

_GLASS = (
    ", fallbacks: {glass: {method: leased-token, requesters: askers, causes: [outage], "
    'probe: {tcp: "a.example.com:443"}, approvals: {of: g, need: 2}, owner: x, reason: y, '
    "limits: {ttl: 30m}, review: {by: administrators}, until: 2027-06-30}}"
)


def test_approvers_who_are_all_one_mailbox_are_one(tmp_path: Path) -> None:
    shared = 'method: password, rests_on: ["mailbox:shared"]'
    report = checked(
        tmp_path,
        "".join(person(name, shared) for name in ("bob", "cy", "dan"))
        + person("eve")
        + workload("api", "method: oauth-token", _GLASS),
        groups="  g: [bob, cy, dan]\n  askers: [eve]",
        rest="  mailbox:shared: {ways: [{method: [password, totp]}]}",
    )
    found = told(report, "approvers-are-one")["api/glass"]
    assert found.about == "mailbox:shared"
    assert found.chain[0].startswith("mailbox:shared is taken")
    assert found.checked
    [verdict] = report.verdicts
    assert verdict.verdict.name == "NARROW"


def test_approvers_who_have_a_mailbox_each_are_several(tmp_path: Path) -> None:
    report = checked(
        tmp_path,
        "".join(
            person(name, f'method: password, rests_on: ["mailbox:{name}"]')
            for name in ("bob", "cy", "dan")
        )
        + person("eve")
        + workload("api", "method: oauth-token", _GLASS),
        groups="  g: [bob, cy, dan]\n  askers: [eve]",
        rest="".join(f"  mailbox:{name}: {{ways: [{{method: totp}}]}}\n" for name in ("bob", "cy")),
    )
    assert not told(report, "approvers-are-one")


def test_whoever_asks_does_not_approve_with_their_own_key(tmp_path: Path) -> None:
    codes = (
        ", fallbacks: {codes: {method: issued-recovery-code, rests_on: [mailbox:al], "
        "causes: [lost], approvals: {of: g, need: 1}, owner: x, reason: y, limits: {ttl: 30m}, "
        "review: {by: administrators}, until: 2027-06-30}}"
    )
    report = checked(
        tmp_path,
        person("al", 'method: password, rests_on: ["mailbox:al"]', codes)
        + person("bob")
        + person("cy"),
        groups="  g: [al, bob, cy]",
        rest="  mailbox:al: {ways: [{method: [password, totp]}]}",
    )
    assert not told(report, "approver-rests-on-requester")
    assert not told(report, "approvers-are-one")


def test_of_two_who_approve_one_may_ask_and_then_nobody_is_spare(tmp_path: Path) -> None:
    spare = (
        ", fallbacks: {key: {method: passkey-device-bound, causes: [lost], owner: x, reason: y, "
        "approvals: {of: g, need: 1}, limits: {ttl: 30m}, review: {by: administrators}, "
        "until: 2027-06-30}}"
    )
    report = checked(
        tmp_path,
        person("al", more=spare) + person("bob") + person("cy"),
        groups="  g: [bob, cy]",
    )
    assert "al/key" in told(report, "no-quorum")
