"""A service behind the guard, a real Locum, real TLS: what is open is cut with the cutover."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from locum.guard.certificate import Certificate
from locum.guard.reporting import Reports, report_cutover
from tests.guard.service import Service, until
from tests.pki.rotating import RotatingWorld


def test_a_cutover_cuts_open_connections_of_the_backup_and_nobody_elses(
    world: RotatingWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So that only what is told can cut, and not a look at the connection now and then.
    monkeypatch.setattr("locum.guard.uvicorn.LOOK_SECONDS", 3600.0)
    grant, backup = world.backed_up(tmp_path)
    with Service(world, tmp_path) as service:
        idle, streaming, primary = (
            service.connect(backup),
            service.connect(backup),
            service.connect(world.primary),
        )
        assert idle.ask().startswith("HTTP/1.1 200")
        assert streaming.ask("/stream").endswith("more\n\r\n")
        assert primary.is_open()
        new, began = world.renewed(), time.monotonic()
        assert world.cutover(grant, new).json()["dead"]
        told = time.monotonic()
        idle.wait_for_the_end()
        streaming.wait_for_the_end()
        cut = time.monotonic()
        print(
            f"open connections cut {1000 * (cut - told):.0f} ms after the answer to the cutover, "
            f"{1000 * (cut - began):.0f} ms after it was sent"
        )
        answer = service.connect(backup).ask()
        assert answer.startswith("HTTP/1.1 403")
        assert "This backup certificate is revoked" in answer
        assert primary.is_open()
        assert service.connect(new).is_open()


def test_a_backup_is_refused_and_cut_once_locum_is_not_heard_and_the_primary_is_served(
    world: RotatingWorld, tmp_path: Path
) -> None:
    _, backup = world.backed_up(tmp_path)
    ahead = [timedelta(0)]
    with Service(world, tmp_path, clock=lambda: datetime.now(UTC) + ahead[0]) as service:
        open_before, primary = service.connect(backup), service.connect(world.primary)
        assert open_before.is_open()
        assert primary.is_open()
        service.follower.__exit__(None, None, None)
        ahead[0] = timedelta(seconds=11)
        answer = service.connect(backup).ask()
        assert answer.startswith("HTTP/1.1 403")
        assert "Locum was not heard" in answer
        open_before.wait_for_the_end()
        assert primary.is_open()


def test_every_connection_is_cut_when_its_certificate_ends(
    world: RotatingWorld, tmp_path: Path
) -> None:
    ending = world.corporate.issue(
        "soon over", ("soon.internal",), begins=timedelta(hours=-1), life=timedelta(hours=1.001)
    )
    left = ending.certificate.not_valid_after_utc - datetime.now(UTC) - timedelta(seconds=0.5)
    with Service(world, tmp_path, clock=lambda: datetime.now(UTC) + left) as service:
        connection = service.connect(ending)
        assert connection.ask("/stream").startswith("HTTP/1.1 200")
        connection.wait_for_the_end()
        assert "is valid from" in service.connect(ending).ask()


def test_who_shows_no_certificate_does_not_come_in(world: RotatingWorld, tmp_path: Path) -> None:
    with (
        Service(world, tmp_path) as service,
        httpx.Client(verify=world.context()) as client,
        pytest.raises(httpx.HTTPError),
    ):
        client.get(f"https://127.0.0.1:{service.port}/")


def test_a_guard_that_sees_the_new_primary_ends_the_grant(
    world: RotatingWorld, tmp_path: Path
) -> None:
    grant, backup = world.backed_up(tmp_path)
    gateway = httpx.Client(base_url=world.origin, verify=world.context(world.gateway))
    told: list[str] = []

    def report(certificate: Certificate) -> None:
        told.append(certificate.fingerprint)
        report_cutover(gateway, grant, certificate)

    with gateway, Service(world, tmp_path, reports=Reports(report)) as service:
        connection = service.connect(backup)
        assert connection.is_open()
        for _ in range(3):
            assert service.connect(world.primary).is_open()
        assert service.connect(world.renewed()).is_open()
        connection.wait_for_the_end()
        until(lambda: len(told) == 2)
        state = world.call("GET", f"/v1/grants/{grant}", world.primary).json()
        assert (state["state"], state["how"]) == ("closed", "cutover")
