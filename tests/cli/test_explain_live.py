"""`locum explain --live` asks the running Locum, which knows what its paths were used for."""

from __future__ import annotations

from tests.cli.served import Served


def test_a_running_locum_is_asked(served: Served) -> None:
    said = served.run("alice", "explain", "payments", "--live", "--without", "payments/key")
    assert said.code == 0, said.err
    now, then = said.out.split("Then:")
    assert "payments/key" in now
    assert "payments/key: no way in" in then
    assert "payments/key: no way in" not in now
    data = served.run("alice", "explain", "payments", "--live", "--json").json()
    assert data["kind"] == "locum.explain/1"
    assert data["then"] is None


def test_what_cannot_be_asked_says_why(served: Served) -> None:
    assert served.run("", "explain", "payments", "--live").code == 2, "nobody is signed in"
    unknown = served.run("alice", "explain", "nobody/../x", "--live")
    assert (unknown.code, "Traceback" in unknown.err) == (1, False)
    assert served.run("alice", "explain", "payments", "--live", "--pairs").code == 2
