"""The steps of a rotation, each of which can be taken up again after a crash.

What was reached is kept in the backup's folder before it is told, so that a second run goes on
with the same request and the same grant. The backup's key is made here and never leaves.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from locum.cli.workload_client import WorkloadClient
from locum.model.refusal import MalformedInput, Unavailable
from locum.service.private_file import write_private

Tell = Callable[[str, str, dict[str, Any]], None]
_POLL = 1.0


class Kept(msgspec.Struct, frozen=True):
    """How far a rotation came."""

    path: str
    request: str = ""
    grant: str = ""


class Plan(msgspec.Struct, frozen=True):
    """What a run was asked to do.

    Args:
        folder: where the backup goes.
        window: from and until.
        wait: seconds to wait for approvals, the window, and a cutover that others see.
    """

    path: str
    folder: Path
    window: tuple[datetime, datetime] | None
    reason: str
    wait: int
    certificate: Path
    with_backup: str = ""
    replace: str = ""
    new_certificate: Path | None = None
    new_key: Path | None = None


class Rotation:
    """One rotation, from its announcement to the death of its backup.

    Args:
        client: calls with the present primary.
        renewed: makes a client of the new primary's files.
        tell: is told each step: its name, what happened, and facts for a machine.
    """

    def __init__(
        self,
        client: WorkloadClient,
        plan: Plan,
        renewed: Callable[[Path, Path], WorkloadClient],
        tell: Tell,
    ) -> None:
        self._client, self._plan, self._renewed, self._tell = client, plan, renewed, tell
        plan.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = plan.folder / "rotation.json"
        self._kept = self._read()

    @property
    def grant(self) -> str:
        """The grant, once there is one."""
        return self._kept.grant

    def announce(self) -> None:
        """Announce the window, unless that was done."""
        if not self._kept.request:
            body: dict[str, Any] = {
                "path": self._plan.path,
                "cause": "planned-rotation",
                "reason": self._plan.reason,
            }
            if self._plan.window is not None:
                opens, until = self._plan.window
                window = {"from": opens.isoformat(), "until": until.isoformat()}
                body["evidence"] = {"window": window}
            asked = self._client.post("/v1/requests", body)
            self._keep(msgspec.structs.replace(self._kept, request=asked["id"]))
        self._tell("announced", self._kept.request, {"request": self._kept.request})

    def issue(self) -> None:
        """Get the backup inside the window, unless that was done.

        Raises:
            RefusedError: outside the window, or for another reason that the laws give.
        """
        if not self._kept.grant:
            state = self._ready()
            if state != "ready":
                raise Unavailable(
                    f"The request {self._kept.request} is {state}.",
                    "Have it approved, then run this again: it goes on from here.",
                )
            answer = self._client.post(
                f"/v1/requests/{self._kept.request}/activate", {"csr": self._signing_request()}
            )
            write_private(self.backup, answer["credential"]["value"].encode())
            self._keep(msgspec.structs.replace(self._kept, grant=answer["grant"]["id"]))
        grant = self._client.get(f"/v1/grants/{self._kept.grant}")
        self._tell(
            "backup issued",
            f"{self._kept.grant} until {grant['ends_at']}",
            {"grant": self._kept.grant, "ends_at": grant["ends_at"]},
        )
        self._run(self._plan.with_backup, "--with-backup")

    def replace(self) -> None:
        """Have the primary replaced by the operator's command.

        Raises:
            Unavailable: it failed; the backup stays in service until its end.
        """
        self._run(self._plan.replace, "--replace")
        self._tell("primary replaced", self._plan.replace or "by yourself", {})

    def cut_over(self) -> None:
        """Tell the cutover with the new primary, or wait until Locum or a guard sees it."""
        new, key = self._plan.new_certificate, self._plan.new_key
        if self._look()["state"] == "open" and new is not None and key is not None:
            client = self._renewed(new, key)
            try:
                client.post(f"/v1/grants/{self._kept.grant}/cutover")
            finally:
                client.close()
        grant = self._until(lambda found: found["state"] != "open")
        if grant["how"] != "cutover":
            raise Unavailable(
                f"The rotation did not finish: the grant is {grant['state']} ({grant['how']}).",
                "The backup does not work any more. See which certificate is served; announce "
                "another window.",
            )
        self._tell("cutover seen", grant["closed_at"], {"closed_at": grant["closed_at"]})

    def end(self) -> None:
        """See the backup dead, delete its key, and say until when the review is due."""
        new, key = self._plan.new_certificate, self._plan.new_key
        if new is not None and key is not None:
            self._client.close()
            self._client = self._renewed(new, key)
        grant = self._until(lambda found: bool(found["dead"]))
        listed = self._client.get(f"/v1/grants/{self._kept.grant}/certificates")
        if not all(one["revoked_at"] for one in listed):
            raise Unavailable("A backup is not revoked.", "Look at `locum status`.")
        for file in (self.backup_key, self.backup, self._file):
            file.unlink(missing_ok=True)
        serials = [one["serial"] for one in listed]
        self._tell("backup dead", f"revoked, its key deleted ({serials[0]})", {"serials": serials})
        self._tell("review due", grant["review_due"], {"review_due": grant["review_due"]})

    @property
    def backup(self) -> Path:
        """Where the backup certificate with its chain goes."""
        return self._plan.folder / "backup.pem"

    @property
    def backup_key(self) -> Path:
        """Where its key goes."""
        return self._plan.folder / "backup.key"

    def _ready(self) -> str:
        until = time.monotonic() + self._plan.wait
        while True:
            asked = self._client.get(f"/v1/requests/{self._kept.request}")
            opens = self._opens(asked)
            if asked["state"] not in ("requested", "ready") or time.monotonic() > until:
                return str(asked["state"])
            if asked["state"] == "ready" and datetime.now(UTC) >= opens:
                return "ready"
            time.sleep(_POLL)

    def _opens(self, asked: Any) -> datetime:
        window = asked.get("window")
        return datetime.fromisoformat(window["from"]) if window else datetime.now(UTC)

    def _signing_request(self) -> str:
        """A request for a fresh key, with the primary's own names."""
        try:
            primary = x509.load_pem_x509_certificate(self._plan.certificate.read_bytes())
        except ValueError:
            raise MalformedInput(
                f"{self._plan.certificate} holds no certificate.", "Name the primary's."
            ) from None
        key = generate_private_key(SECP256R1())
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_private(self.backup_key, pem)
        builder = x509.CertificateSigningRequestBuilder().subject_name(primary.subject)
        for extension in primary.extensions:
            if isinstance(extension.value, x509.SubjectAlternativeName):
                builder = builder.add_extension(extension.value, critical=extension.critical)
        return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()

    def _run(self, command: str, option: str) -> None:
        if not command:
            return
        grant = self._look()
        told = {
            "LOCUM_BACKUP_CERTIFICATE": str(self.backup),
            "LOCUM_BACKUP_KEY": str(self.backup_key),
            "LOCUM_WINDOW_ENDS": grant["ends_at"],
        }
        try:
            done = subprocess.run(shlex.split(command), env=os.environ | told, check=False)
            code = done.returncode
        except (OSError, ValueError):
            code = 127
        if code != 0:
            raise Unavailable(
                f"The command of {option} ended with {code}.",
                f"The backup stays in service until {grant['ends_at']}. Mend it and run this "
                f"again: it goes on from here. To end the backup now: close {self._kept.grant}.",
            )

    def _look(self) -> Any:
        return self._client.get(f"/v1/grants/{self._kept.grant}")

    def _until(self, holds: Callable[[Any], bool]) -> Any:
        until = time.monotonic() + self._plan.wait
        while True:
            found = self._look()
            if holds(found) or time.monotonic() > until:
                return found
            time.sleep(_POLL)

    def _read(self) -> Kept:
        try:
            kept = msgspec.json.decode(self._file.read_bytes(), type=Kept)
        except FileNotFoundError:
            return Kept(self._plan.path)
        except msgspec.DecodeError:
            raise MalformedInput(
                f"{self._file} cannot be read.", "Remove it to begin anew."
            ) from None
        if kept.path != self._plan.path:
            raise MalformedInput(
                f"{self._plan.folder} holds a rotation of {kept.path}.",
                "Name another --backup-dir, or finish that one.",
            )
        return kept

    def _keep(self, kept: Kept) -> None:
        self._kept = kept
        write_private(self._file, msgspec.json.encode(kept))


def default_window(minutes: int) -> tuple[datetime, datetime]:
    """A window that opens now."""
    now = datetime.now(UTC)
    return now, now + timedelta(minutes=minutes)
