"""certbot, unchanged: its certificate comes inside the window, and dies with the cutover."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from cryptography import x509

from locum.service.revocations import LOOKED
from tests.pki.rotating import NAME, PATH, RotatingWorld
from tests.pki.test_rotation import Chain


class Certbot:
    """certbot with folders of its own."""

    def __init__(self, world: RotatingWorld, folder: Path) -> None:
        self._world, self._folder = world, folder / "certbot"

    def __call__(self, *words: str, expect: int = 0) -> str:
        program = Path(sys.executable).with_name("certbot")
        folders = [f"--{name}-dir={self._folder / name}" for name in ("config", "work", "logs")]
        done = subprocess.run(
            [program, *words, *folders, "--server", f"{self._world.origin}/acme/directory",
             "--non-interactive"],
            env=os.environ | {"REQUESTS_CA_BUNDLE": str(self._world.corporate.file)},
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout + done.stderr

    def register(self) -> None:
        minted = self._world.call(
            "POST", "/v1/acme-keys", self._world.primary, json={"path": PATH}
        ).json()
        self("register", "--agree-tos", "--register-unsafely-without-email",
             "--eab-kid", minted["kid"], "--eab-hmac-key", minted["hmac_key"])  # fmt: skip

    def order(self, *more: str, expect: int = 0) -> str:
        return self("certonly", "--standalone", "--http-01-port", "0", "--key-type", "ecdsa",
                    "-d", NAME, "-d", "pay.example.com", "--cert-name", "backup", *more,
                    expect=expect)  # fmt: skip

    @property
    def chain(self) -> str:
        return (self._folder / "config" / "live" / "backup" / "fullchain.pem").read_text()

    @property
    def certificate(self) -> str:
        return str(self._folder / "config" / "live" / "backup" / "cert.pem")


def open_grant(world: RotatingWorld) -> str:
    [row] = world.started.locum.store.look(
        lambda transaction: transaction.requests(state="open", limit=2)
    ).rows
    return str(row.state.grant.id)


def test_certbot_gets_a_backup_inside_the_window_only_and_goes_on_after_the_cutover(
    world: RotatingWorld, tmp_path: Path
) -> None:
    certbot = Certbot(world, tmp_path)
    certbot.register()
    assert "No rotation of payments-api/rotation-backup is announced" in certbot.order(expect=1)

    assert world.announce().status_code == 201
    certbot.order()
    chain = Chain(world, tmp_path, certbot.chain)
    names = chain.leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == {NAME, "pay.example.com"}
    assert "OK" in chain.verified()
    new = world.renewed()
    assert world.cutover(open_grant(world), new).json()["dead"]
    world.clock.advance(LOOKED)
    assert "certificate revoked" in chain.verified()

    assert "No rotation of" in certbot.order("--force-renewal", expect=1)
    world.announce(new)
    certbot.order("--force-renewal")
    later = Chain(world, tmp_path, certbot.chain)
    assert later.leaf.serial_number != chain.leaf.serial_number
    assert "OK" in later.verified()


def test_certbot_revokes_what_it_got_and_the_grant_is_closed(
    world: RotatingWorld, tmp_path: Path
) -> None:
    certbot = Certbot(world, tmp_path)
    certbot.register()
    world.announce()
    certbot.order()
    chain = Chain(world, tmp_path, certbot.chain)
    certbot("revoke", "--cert-path", certbot.certificate, "--no-delete-after-revoke")
    world.clock.advance(LOOKED)
    assert "certificate revoked" in chain.verified()
