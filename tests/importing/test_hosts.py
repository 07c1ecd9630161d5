"""Hosts: what sshd_config and sudoers leave open, or hide in another file, may be a way in."""

from __future__ import annotations

import pytest

from locum.estate.importing.export import Export, in_memory
from locum.estate.importing.ssh_host import read_ssh_host
from locum.estate.inventory import Inventory, Way

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExampleExampleExample a@b\n"
HARDWARE = "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2g a\n"
SHUT = "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"


def _export(text: str) -> Export:
    return in_memory(text.encode(), "f")


def _read(
    sshd: str, keys: str = KEY, account: str = "a", sudoers: str = "", groups: str | None = None
) -> Inventory:
    return read_ssh_host(
        "h", [(account, _export(keys))], _export(sshd), _export(sudoers),
        None if groups is None else _export(groups),
    )  # fmt: skip


def _ways(sshd: str, keys: str = KEY, account: str = "a") -> list[Way]:
    return [*_read(sshd, keys, account).ways]


def _by_password(sshd: str, account: str = "a") -> bool:
    return any(one.methods == ("password",) for one in _ways(sshd, account=account))


def _may_all(sudoers: str, groups: str | None = None) -> bool:
    [holder] = _read("", sudoers=sudoers, groups=groups).holders
    return holder.privileged


def test_a_key_on_a_security_key_is_worth_what_its_line_shows() -> None:
    assert [one.methods for one in _ways(SHUT, HARDWARE)] == [("ssh-key",)]


@pytest.mark.parametrize(
    ("sshd", "by_password"),
    [
        (SHUT, False),
        ("", True),
        ("PasswordAuthentication no\n", False),
        ("PasswordAuthentication no\nUsePAM yes\n", True),
        (SHUT + "UsePAM yes\n", False),
        ("PasswordAuthentication no\nUsePAM yes\nChallengeResponseAuthentication no\n", False),
        (SHUT + "Match User a\n  PasswordAuthentication yes\n", True),
        (SHUT + "Match User a\n  PasswordAuthentication no\n", False),
        ("Include /etc/ssh/sshd_config.d/*.conf\n" + SHUT, True),
        (SHUT + "UsePAM no\nInclude /etc/ssh/sshd_config.d/*.conf\n", False),
        ("PasswordAuthentication=no\nPasswordAuthentication yes\n", False),
    ],
)
def test_passwords_are_taken_where_a_line_may_say_so(sshd: str, by_password: bool) -> None:
    assert _by_password(sshd) == by_password


@pytest.mark.parametrize(
    ("sshd", "active", "by_password"),
    [
        ("", True, False),
        ("PermitRootLogin yes\n", True, True),
        ("PermitRootLogin no\n", False, False),
        ("PermitRootLogin no\nMatch Address 10.0.0.0/8\nPermitRootLogin yes\n", True, True),
        ("Include x\nPermitRootLogin no\n", True, True),
    ],
)
def test_root_gets_in_where_a_line_may_let_it(sshd: str, active: bool, by_password: bool) -> None:
    ways = _ways(sshd, account="root")
    assert ways[0].active == active
    assert _by_password(sshd, "root") == by_password


def test_whoever_says_whose_keys_are_let_in_is_a_way_in() -> None:
    for option, name in (
        ("TrustedUserCAKeys /etc/ssh/ca.pub", "certificates"),
        ("AuthorizedKeysCommand /usr/bin/sss_ssh_authorizedkeys", "keys-by-command"),
    ):
        [_, other] = _ways(f"{SHUT}{option}\n")
        assert (other.name, other.rests_on) == (f"a-at-h/{name}", {"": (f"authority:{name}-of-h",)})
        assert len(_ways(f"{SHUT}{option.split()[0]} none\n")) == 1
    [way] = _ways(SHUT, "cert-authority " + KEY)
    assert way.rests_on[""][0].startswith("authority:ssh-")


def test_no_key_gets_in_where_keys_are_not_taken() -> None:
    [way] = _ways(SHUT + "PubkeyAuthentication no\n")
    assert not way.active


def test_a_line_that_repeats_a_key_is_no_other_way_in() -> None:
    assert len(_ways(SHUT, KEY * 3)) == 1


@pytest.mark.parametrize(
    ("sudoers", "may_all"),
    [
        ("", False),
        ("a ALL=(ALL) ALL\n", True),
        ("a ALL=(ALL:ALL) NOPASSWD: ALL\n", True),
        ("b, a ALL = (root) ALL\n", True),
        ("a ALL=(ALL) /bin/ls\n", False),
        ("b ALL=(ALL) ALL # and a ALL=(ALL) ALL\n", False),
        ("User_Alias OPS = b, a\nOPS ALL=(ALL) ALL\n", True),
        ("User_Alias OPS = b : DEV = a\nOPS ALL=(ALL) ALL\n", False),
        ("Cmnd_Alias X = /bin/ls, \\\n ALL\na ALL=(ALL) X\n", True),
        ("ALL ALL=(ALL) ALL\n", True),
        ("Defaults env_reset\nDefaults:a x=ALL\n", False),
        ("@includedir /etc/sudoers.d\n", True),
        ("#includedir /etc/sudoers.d\n", True),
        ("# include nothing\n", False),
        ("= ALL\n", False),
        ("%wheel ALL=(ALL) ALL\n", True),
        ("#1000 ALL=(ALL) ALL\n", True),
    ],
)
def test_whoever_a_rule_may_be_about_may_do_anything(sudoers: str, may_all: bool) -> None:
    assert _may_all(sudoers) == may_all


def test_members_of_a_group_are_told_by_the_list_of_groups() -> None:
    rule = "%wheel ALL=(ALL) ALL\n"
    assert _may_all(rule, "wheel:x:10:b,a\n")
    assert not _may_all(rule, "wheel:x:10:b\nother:x:11:a\n")
