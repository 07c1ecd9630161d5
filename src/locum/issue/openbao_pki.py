"""One PKI engine of OpenBao: asked within a bounded time, its refusals said with their remedies.

Sealed, gone, forbidden and set up wrongly are four days with four remedies. OpenBao's own words are
never passed on: they may hold what was sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import hvac
import requests
from hvac import exceptions as bao

from locum.evidence.deadline import within
from locum.issue.vault_openbao import OpenBaoSession
from locum.model.refusal import MalformedInput, NotFound, Unavailable

T = TypeVar("T")
_SECONDS = 10.0
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)*\Z")
_TROUBLE = (
    bao.VaultError,
    requests.RequestException,
    TimeoutError,
    KeyError,
    TypeError,
    ValueError,
)
"""What the client raises, and what an answer of another shape leads to."""


class PkiEngine:
    """A mount of OpenBao's PKI engine, and one role of it.

    Every verb raises `Unavailable` where OpenBao is gone, sealed, forbids it or is none.

    Args:
        session: the sign-in that Locum has at OpenBao.

    Raises:
        MalformedInput: mount or role is no name.
    """

    def __init__(self, session: OpenBaoSession, mount: str, role: str) -> None:
        for name in (mount, role):
            if not _NAME.match(name):
                raise MalformedInput(
                    "The mount or role of OpenBao's PKI is no name.",
                    "Write letters, digits, `-`, `_`, `.` and, in a mount, `/` between them.",
                )
        self._session = session
        self.mount = mount
        self.role = role

    def write(self, path: str, fields: dict[str, object]) -> dict[str, Any]:
        """Write fields to a path below the mount, and give the answer's data.

        Raises:
            NotFound: the fields name a certificate that is not there.
        """

        def ask(client: hvac.Client) -> dict[str, Any]:
            return dict(client.write_data(f"{self.mount}/{path}", data=fields)["data"])

        return self._ask(ask)

    def read(self, path: str) -> dict[str, Any] | None:
        """Give the data of a path below the mount, or `None` where there is nothing."""

        def ask(client: hvac.Client) -> dict[str, Any] | None:
            answer = client.read(f"{self.mount}/{path}")
            return None if answer is None else dict(answer["data"])

        return self._ask(ask)

    def fetch(self, path: str) -> bytes:
        """Give what a path below the mount holds that is not JSON."""

        def ask(client: hvac.Client) -> bytes:
            return bytes(client.adapter.get(f"/v1/{self.mount}/{path}").content)

        return self._ask(ask)

    def exchange(self, path: str, kind: str, body: bytes, answered: str) -> bytes:
        """Post a body of one media type, and give the answer, which must be of another."""
        sent = {"Content-Type": kind}

        def ask(client: hvac.Client) -> bytes:
            answer = client.adapter.request(
                "post",
                f"/v1/{self.mount}/{path}",
                data=body,
                headers=sent,
                raise_exception=False,
            )
            # A malformed request has the status 400 and an answer all the same.
            if answer.headers.get("Content-Type") != answered:
                raise bao.VaultError.from_status(answer.status_code)
            return bytes(answer.content)

        return self._ask(ask)

    def may_write(self, *paths: str) -> None:
        """Check that our token may write to paths below the mount.

        Raises:
            Unavailable: it may not.
        """
        whole = [f"{self.mount}/{path}" for path in paths]

        def ask(client: hvac.Client) -> dict[str, Any]:
            return dict(client.write_data("sys/capabilities-self", data={"paths": whole})["data"])

        allowed = self._ask(ask)
        for path in whole:
            if not {"update", "root"} & set(allowed.get(path) or ()):
                raise _forbidden(path)

    def unfit(self, fact: str, command: str) -> Unavailable:
        """Say what it lacks, and the command that mends it, with `{mount}` and `{role}` in it."""
        mended = command.format(mount=self.mount, role=self.role)
        return Unavailable(f"OpenBao's {self.mount} {fact}.", f"Mend it: `{mended}`.")

    def no_role(self) -> Unavailable:
        """Say that the role is missing."""
        return self.unfit(
            f"has no role {self.role}",
            "bao write {mount}/roles/{role} no_store=false generate_lease=false",
        )

    def odd(self) -> Unavailable:
        """Say that what came back is not an answer of a PKI engine."""
        return Unavailable(
            f"OpenBao's {self.mount} gave an answer that is not one of its PKI engine.",
            "Check that `openbao_mount` names a PKI engine; nothing was delivered.",
        )

    def _ask(self, question: Callable[[hvac.Client], T]) -> T:
        try:
            return within(_SECONDS, lambda: self._session.ask(question))
        except _TROUBLE as error:
            raise self._said(error) from None

    def _said(self, error: Exception) -> Exception:
        match error:
            case bao.InvalidRequest() if "not found" in str(error):
                return no_certificate()
            case bao.InvalidRequest() if "unknown role" in str(error):
                return self.no_role()
            case bao.InvalidRequest() if "expiration of the CA" in str(error):
                return self.unfit(
                    "has an issuing certificate that ends before the backup would",
                    "bao write {mount}/intermediate/generate/internal …",
                )
            case bao.InvalidPath():
                return self.unfit("is no PKI engine", "bao secrets enable -path={mount} pki")
            case bao.Forbidden() | bao.Unauthorized():
                return _forbidden(self.mount)
            case bao.VaultDown():
                return Unavailable(
                    "OpenBao is sealed.",
                    "Unseal it with `bao operator unseal`; until then nothing is issued.",
                )
            case bao.VaultNotInitialized():
                return Unavailable("OpenBao is not initialised.", "Run `bao operator init`.")
            case requests.exceptions.SSLError():
                return Unavailable(
                    "The certificate of OpenBao is not trusted here.",
                    "Name its authority as `ca_file`, or mend the certificate.",
                )
            case requests.RequestException() | TimeoutError():
                return Unavailable(
                    "OpenBao cannot be reached, or did not answer in time.",
                    "Start it, or check the address; it will be tried again.",
                )
            case _:
                return self.odd()


def no_certificate() -> NotFound:
    """Say that there is no certificate of that serial number."""
    return NotFound(
        "OpenBao has no such certificate.",
        "Check the serial number and `openbao_mount`, and that its role has `no_store=false`.",
    )


def _forbidden(path: str) -> Unavailable:
    return Unavailable(
        f"OpenBao does not let Locum at {path}.",
        "Give its token the policy of docs/openbao-pki.md, or renew the token.",
    )
