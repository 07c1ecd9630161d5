"""Break-glass by commands alone: asked, approved, used, closed, reviewed; and what is refused."""

from __future__ import annotations

import pytest

from tests.cli.served import SECRET, Ended, Served
from tests.servers.program import wait_until

PATH = "payments/key"
ASK = ("request", PATH, "--cause", "outage", "--reason", "the provider is down", "--incident", "I1")


def asked(served: Served, who: str = "alice") -> str:
    ended = served.run(who, *ASK, "--json")
    assert ended.code == 0, ended.err
    return str(ended.json()["id"])


def judged(served: Served, grant: str, verdict: str) -> None:
    """Wait until the old key is seen dead, then review."""
    wait_until(
        lambda: any(
            one["id"] == grant and one["dead"]
            for one in served.run("dana", "status", "--json").json()["grants"]
        ),
        served.process,
        served.folder / "log",
        "the rotated key",
    )
    words = ("--verdict", verdict, "--comment", "as announced")
    ended = served.run("dana", "review", grant, *words)
    assert ended.code == 0, ended.err


def refused(ended: Ended) -> str:
    """What a refused command said: on stderr, in sentences, with the exit code of a refusal."""
    assert ended.code == 1, (ended.code, ended.out, ended.err)
    assert ended.err.strip()
    return " ".join(ended.err.split())


def test_a_life_from_asking_to_review(served: Served) -> None:
    request = asked(served)
    waiting = served.run("bob", "status", "--json").json()
    assert [one["id"] for one in waiting["requests"]] == [request]
    assert "law 6" in refused(served.run("alice", "approve", request))
    assert "approval" in refused(served.run("alice", "activate", request))
    approved = served.run("bob", "approve", request, "--comment", "seen the incident")
    assert approved.code == 0
    assert "the provider is down" in approved.out, "what is approved is shown first"
    opened = served.run("alice", "activate", request)
    assert opened.code == 0
    assert SECRET not in opened.out + opened.err
    grant = served.run("alice", "status", "--json").json()["grants"][0]["id"]
    assert grant in opened.out
    used = served.run("alice", "run", grant, "--", "sh", "-c", "echo ${#PAYMENTS_KEY}; exit 7")
    assert used.code == 7, "the command's own exit code"
    assert used.out.splitlines()[0] == str(len(SECRET))
    shown = served.run("alice", "status")
    assert "review" in shown.out
    assert "law 5" in refused(served.run("bob", *ASK)), "blocked until reviewed"
    judge = ("--verdict", "emergency", "--comment", "as announced")
    assert "law 6" in refused(served.run("bob", "review", grant, *judge))
    judged(served, grant, "emergency")
    again = asked(served, "bob")
    assert served.run("bob", "deny", again, "--comment", "not needed").code == 0


def test_an_approval_binds_the_digest(served: Served) -> None:
    request = asked(served)
    said = refused(served.run("bob", "approve", request, "--digest", "sha256:" + "0" * 64))
    assert "digest" in said
    assert served.run("bob", "deny", request).code == 0
    assert served.run("alice", "activate", request).code == 1


def test_a_grant_that_is_closed_gives_nothing_more(served: Served) -> None:
    request = asked(served)
    served.run("carol", "approve", request)
    grant = served.run("alice", "activate", request, "--json").json()["grant"]["id"]
    closed = served.run("alice", "close", grant, "--reason", "not needed", "--json")
    assert closed.json()["state"] == "closed"
    assert "closed" in refused(served.run("alice", "run", grant, "--", "true"))
    judged(served, grant, "misuse")


def test_a_drill_goes_the_whole_way(served: Served) -> None:
    use = ("sh", "-c", 'test -n "$PAYMENTS_KEY"')
    assert served.run("alice", "drill", PATH).code == 2, "a drill uses what it opens"
    ended = served.run("alice", "drill", PATH, "--wait", "0", "--", *use)
    said = " ".join((ended.out + ended.err).split())
    assert ended.code == 1, said
    waiting = served.run("bob", "status", "--json").json()["requests"][0]
    assert waiting["cause"] == "drill"
    assert f"--resume {waiting['id']}" in said, "how to go on"
    assert served.run("bob", "approve", waiting["id"]).code == 0
    resumed = served.run(
        "alice", "drill", PATH, "--resume", waiting["id"], "--wait", "30", "--", *use
    )
    assert resumed.code == 0, resumed.out + resumed.err
    judged(served, waiting["id"].replace("rq_", "gr_"), "drill")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("request", "payments/nothing", "--cause", "outage", "--reason", "x"), "payments/nothing"),
        (("request", PATH, "--cause", "lost", "--reason", "x"), "law 4"),
        (("approve", "rq_none"), "rq_none"),
        (("activate", "rq_none"), "rq_none"),
        (("close", "gr_none"), "gr_none"),
        (("review", "gr_none", "--verdict", "drill", "--comment", "x"), "gr_none"),
        (("run", "gr_none", "--", "true"), "gr_none"),
        (("invite", "dana"), "administrator"),
        (("keys", "--revoke", "none"), "administrator"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_what_is_not_there_or_not_allowed_is_named(
    served: Served, words: tuple[str, ...], part: str
) -> None:
    assert part in refused(served.run("bob", *words))


@pytest.mark.parametrize(
    "words",
    [("request", PATH), ("request", PATH, "--cause", "boredom", "--reason", "x"), ("fly",),
     ("review", "gr_x", "--verdict", "fine", "--comment", "x"), ("run",)],
    ids=str,
)  # fmt: skip
def test_wrong_usage_ends_with_2_and_says_how(served: Served, words: tuple[str, ...]) -> None:
    ended = served.run("bob", *words)
    assert ended.code == 2, ended.out + ended.err
    assert ended.err.strip()
