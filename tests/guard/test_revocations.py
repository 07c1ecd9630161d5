"""What a guard believes, from whom, and for how long."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from locum.guard.admission import Refused, admit
from locum.guard.certificate import Certificate, Issuer
from locum.guard.events import Beat, Revoked, events
from locum.guard.following import Follower, Published
from locum.guard.revocations import RevokedSerials, Standing
from locum.model.refusal import LocumError, MalformedInput, Unavailable
from tests.guard.lists import MINUTE, Authority

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LOCUM, CORPORATE = Authority("Locum issuing", NOW), Authority("Corporate", NOW)
IMPOSTOR = Authority("Locum issuing", NOW)
BEAT = [": beat", ""]


def revoking(serial: str) -> list[str]:
    return ["id: 1", "event: revoked", f'data: {{"serial": "{serial}", "fingerprint": "ab"}}', ""]


@pytest.fixture
def known() -> RevokedSerials:
    return RevokedSerials(Issuer(LOCUM.pem))


def test_nothing_is_known_before_locum_was_heard(known: RevokedSerials) -> None:
    assert known.standing(7, NOW) is Standing.UNKNOWN
    assert known.is_revoked(7, NOW)


def test_what_was_heard_counts_until_it_is_ten_seconds_old(known: RevokedSerials) -> None:
    known.hear(Beat(), NOW)
    assert known.standing(7, NOW + 9 * SECOND) is Standing.GOOD
    assert known.standing(7, NOW + 10 * SECOND) is Standing.UNKNOWN


def test_a_clock_that_was_set_back_makes_nothing_younger(known: RevokedSerials) -> None:
    known.hear(Beat(), NOW)
    assert known.standing(7, NOW - MINUTE) is Standing.UNKNOWN


def test_events_without_a_beat_do_not_say_that_everything_was_told(known: RevokedSerials) -> None:
    known.hear(Revoked(8), NOW)
    assert known.standing(8, NOW) is Standing.REVOKED
    assert known.standing(7, NOW) is Standing.UNKNOWN


def test_a_revocation_is_told_once_whoever_says_it(known: RevokedSerials) -> None:
    told: list[int] = []
    known.on_revoked(told.append)
    known.hear(Revoked(8), NOW)
    known.hear_list(LOCUM.revoke([8, 9]), NOW)
    assert told == [8, 9]


def test_a_revocation_outlives_a_list_that_does_not_name_it(known: RevokedSerials) -> None:
    known.hear(Revoked(8), NOW)
    known.hear_list(LOCUM.revoke([]), NOW)
    assert known.standing(8, NOW) is Standing.REVOKED


@pytest.mark.parametrize(
    "der",
    [
        IMPOSTOR.revoke([]),
        CORPORATE.revoke([]),
        LOCUM.revoke([]) + b"\0",
        LOCUM.revoke([])[:-1] + b"\0",
        LOCUM.revoke([], begins=-10 * MINUTE),
        LOCUM.revoke([], begins=10 * MINUTE),
        LOCUM.revoke([], extension=x509.DeltaCRLIndicator(1)),
        LOCUM.revoke(
            [],
            extension=x509.IssuingDistributionPoint(
                [x509.UniformResourceIdentifier("http://a.example/0")],
                *(None, False, False, None, False, False),
            ),
        ),
        b"",
        b"not DER",
    ],
    ids=[
        "impostor", "corporate", "trailing", "tampered", "old", "of the future", "delta", "part",
        "empty", "text",
    ],
)  # fmt: skip
def test_a_list_that_is_not_locums_complete_one_of_now_changes_nothing(
    known: RevokedSerials, der: bytes
) -> None:
    with pytest.raises(LocumError):
        known.hear_list(der, NOW)
    assert known.standing(7, NOW) is Standing.UNKNOWN


@given(st.binary(max_size=400))
def test_no_bytes_pass_for_a_list(der: bytes) -> None:
    with pytest.raises(LocumError):
        RevokedSerials(Issuer(LOCUM.pem)).hear_list(der, NOW)


@given(st.lists(st.text(max_size=60), max_size=20))
def test_no_lines_do_more_than_raise_what_is_expected(lines: list[str]) -> None:
    with suppress(MalformedInput):
        assert all(isinstance(one, Beat | Revoked) for one in events(lines))


@pytest.mark.parametrize("serial", ["", "-1", "0x1f", " 1", "١", "1_0", "1" * 41, 'a"'])
def test_an_event_that_cannot_be_read_is_never_skipped(serial: str) -> None:
    with pytest.raises(MalformedInput):
        list(events(revoking(serial)))


def test_the_certificates_of_others_are_none_of_the_guards_business(known: RevokedSerials) -> None:
    found = admit(CORPORATE.issue(7), known, NOW)
    assert isinstance(found, Certificate)
    assert not found.backup


def test_a_certificate_that_claims_to_be_a_backup_is_treated_as_one(known: RevokedSerials) -> None:
    known.hear(Beat(), NOW)
    known.hear(Revoked(7), NOW)
    assert isinstance(admit(IMPOSTOR.issue(7), known, NOW), Refused)


@pytest.mark.parametrize("at", [-2 * MINUTE, 60 * MINUTE])
def test_a_certificate_is_refused_outside_its_time(known: RevokedSerials, at: timedelta) -> None:
    assert isinstance(admit(CORPORATE.issue(7), known, NOW + at), Refused)
    assert isinstance(admit(b"", known, NOW), Refused)
    assert isinstance(admit(b"no certificate", known, NOW), Refused)


def stream(*lines: str) -> Generator[str, None, None]:
    yield from lines


def away() -> Generator[str, None, None]:
    raise Unavailable("No stream.", "Wait.")
    yield ""


def test_the_list_is_read_while_the_stream_is_away(known: RevokedSerials) -> None:
    notices: list[str] = []
    follower = Follower(
        known, away, lambda: LOCUM.revoke([8]), clock=lambda: NOW, notice=notices.append
    )
    follower.turn()
    assert (known.standing(7, NOW), known.standing(8, NOW)) == (Standing.GOOD, Standing.REVOKED)
    assert "No stream." in notices[0]


def test_a_stream_that_breaks_off_inside_an_event_tells_nothing_of_it(
    known: RevokedSerials,
) -> None:
    def broken() -> bytes:
        raise Unavailable("No list.", "Wait.")

    lines = [*revoking("8"), *BEAT, *revoking("9")[:-1]]
    notices: list[str] = []
    follower = Follower(
        known, lambda: stream(*lines), broken, clock=lambda: NOW, notice=notices.append
    )
    follower.turn()
    assert known.standing(8, NOW) is Standing.REVOKED
    assert known.standing(9, NOW) is Standing.GOOD
    assert "No list." in notices[0]


def test_revocations_are_read_over_https_only() -> None:
    with pytest.raises(MalformedInput, match="HTTPS"):
        Published("http://locum.example")


@pytest.mark.parametrize("pem", ["", "no PEM", "-----BEGIN CERTIFICATE-----\nAA==\n"])
def test_an_authority_is_wanted_not_just_any_text(pem: str) -> None:
    with pytest.raises(MalformedInput):
        Issuer(pem)
