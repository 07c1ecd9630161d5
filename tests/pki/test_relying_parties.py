"""OpenSSL as the relying party: the backup is accepted inside the window, refused after cutover."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID

from tests.pki.rotating import RotatingWorld, RunningClock


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RotatingWorld]:
    made = RotatingWorld(tmp_path / "world", clock=RunningClock(), plain=True)
    yield made
    made.close()


class Shown:
    """A backup certificate in files, and what it says of its own revocation."""

    def __init__(self, world: RotatingWorld, folder: Path) -> None:
        self.grant, chain = world.opened()
        self.leaf, issuer, *_ = x509.load_pem_x509_certificates(chain.encode())
        self.folder, self.root = folder, folder / "root.pem"
        self.root.write_text(world.root)
        self.file, self.issuer = folder / "leaf.pem", folder / "issuer.pem"
        self.file.write_bytes(self.leaf.public_bytes(Encoding.PEM))
        self.issuer.write_bytes(issuer.public_bytes(Encoding.PEM))
        points = self.leaf.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
        [place] = points[0].full_name or []
        self.part = str(place.value)
        self.ocsp = next(
            str(one.access_location.value)
            for one in self.leaf.extensions.get_extension_for_class(
                x509.AuthorityInformationAccess
            ).value
            if one.access_method == AuthorityInformationAccessOID.OCSP
        )

    def fetched(self, url: str) -> list[str]:
        """A list in PEM, as an argument of `openssl verify`."""
        found = x509.load_der_x509_crl(httpx.get(url, trust_env=False).content)
        file = self.folder / url.rpartition("/")[2]
        file.write_bytes(found.public_bytes(Encoding.PEM))
        return ["-CRLfile", str(file)]

    def verified(self, *how: str) -> str:
        return told(
            "openssl", "verify", "-CAfile", str(self.root), "-untrusted", str(self.issuer),
            "-crl_check", *how, str(self.file),
        )  # fmt: skip


def told(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    return done.stdout + done.stderr


def test_openssl_verify_goes_by_the_part_that_the_certificate_names(
    running: RotatingWorld, tmp_path: Path
) -> None:
    shown = Shown(running, tmp_path)
    assert "/pki/crl/" in shown.part
    assert ": OK" in shown.verified(*shown.fetched(shown.part))
    cut = time.monotonic()
    assert running.cutover(shown.grant, running.renewed()).json()["dead"]
    said = ""
    while "certificate revoked" not in said:
        said = shown.verified(*shown.fetched(shown.part))
        assert time.monotonic() < cut + 20, said
    print(f"openssl verify, part: refused {1000 * (time.monotonic() - cut):.0f} ms after cutover")


def test_openssl_verify_goes_by_an_older_complete_list_with_the_delta(
    running: RotatingWorld, tmp_path: Path
) -> None:
    shown = Shown(running, tmp_path)
    base = running.started.settings.pki.url
    complete = shown.fetched(f"{base}/pki/crl.der")
    how = ["-use_deltas", "-extended_crl", *complete]
    assert ": OK" in shown.verified(*how, *shown.fetched(f"{base}/pki/delta.der"))
    cut = time.monotonic()
    assert running.cutover(shown.grant, running.renewed()).json()["dead"]
    said = ""
    while "certificate revoked" not in said:
        said = shown.verified(*how, *shown.fetched(f"{base}/pki/delta.der"))
        assert time.monotonic() < cut + 20, said
    assert ": OK" in shown.verified(*complete)
    print(f"openssl verify, delta: refused {1000 * (time.monotonic() - cut):.0f} ms after cutover")


def test_openssl_ocsp_is_told_good_and_right_after_the_cutover_revoked(
    running: RotatingWorld, tmp_path: Path
) -> None:
    shown = Shown(running, tmp_path)
    ask = ("openssl", "ocsp", "-issuer", str(shown.issuer), "-cert", str(shown.file),
           "-url", shown.ocsp, "-CAfile", str(shown.root), "-nonce")  # fmt: skip
    said = told(*ask)
    assert "Response verify OK" in said, said
    assert ": good" in said, said
    assert "no nonce" not in said, said
    assert running.cutover(shown.grant, running.renewed()).json()["dead"]
    cut = time.monotonic()
    said = told(*ask)
    assert "Response verify OK" in said, said
    assert ": revoked" in said, said
    print(f"openssl ocsp: refused {1000 * (time.monotonic() - cut):.0f} ms after cutover")


def test_a_question_about_many_certificates_is_refused_and_the_responder_goes_on(
    running: RotatingWorld, tmp_path: Path
) -> None:
    shown = Shown(running, tmp_path)
    # Who is refused before all is sent may hear that nobody listens, and not why.
    for many, sayings in ((2, {"malformedrequest"}), (300, {"413", "error sending"})):
        serials = [word for number in range(many) for word in ("-serial", f"0x{number + 1:x}")]
        said = told(
            "openssl", "ocsp", "-issuer", str(shown.issuer), *serials, "-url", shown.ocsp,
            "-CAfile", str(shown.root),
        )  # fmt: skip
        assert any(saying in said for saying in sayings), said
    once = told(
        "openssl", "ocsp", "-issuer", str(shown.issuer), "-cert", str(shown.file), "-url",
        shown.ocsp, "-CAfile", str(shown.root),
    )  # fmt: skip
    assert ": good" in once, once
