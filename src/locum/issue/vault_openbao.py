"""The OpenBao vault: secrets as the field `secret` of a KV version 2 engine.

Each write names the version that it replaces (`cas`), so that of two writers one loses. The token
comes from a file, read anew when it is refused, so that an agent may renew it there; or from an
AppRole. Sealed, gone and forbidden are three days with three remedies.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import hvac
import msgspec
import requests
from hvac import exceptions as bao

from locum.evidence.fetch import checked_url
from locum.issue.vault import checked_name, checked_secret
from locum.model.refusal import Conflict, NotFound, Unavailable
from locum.model.secret import Secret

T = TypeVar("T")
_SECONDS = (2.0, 3.0)
_FIELD = "secret"
_TROUBLE = (bao.VaultError, requests.RequestException, KeyError, TypeError, ValueError)
"""What the client raises, and what an answer of another shape leads to."""


class TokenFile(msgspec.Struct, frozen=True):
    """A file that holds a token, e.g. written by `bao agent`."""

    path: Path


class AppRole(msgspec.Struct, frozen=True):
    """A machine's login: a role id, and a file that holds its secret id."""

    role_id: str
    secret_id_file: Path
    mount: str = "approle"


class OpenBaoSession:
    """One sign-in at an OpenBao, for whoever of Locum works with it.

    Args:
        url: HTTPS, or HTTP on loopback.
        login: where the token comes from.
        ca_file: the authority of its certificate; `None` means the system's trust.
    """

    def __init__(
        self, url: str, login: TokenFile | AppRole, *, ca_file: Path | None = None
    ) -> None:
        checked_url(url)
        self._url = url
        self._login = login
        self._verify: bool | str = True if ca_file is None else str(ca_file)
        self._token: Secret | None = None
        self._lock = threading.Lock()

    def ask(self, question: Callable[[hvac.Client], T]) -> T:
        """Ask, and once more with a new token where the one in hand is refused.

        Raises:
            Unavailable: there is no token to sign in with.
            VaultError, RequestException: as the client raises them; their words may hold what was
                sent.
        """
        try:
            return question(self._client(fresh=False))
        except (bao.Forbidden, bao.Unauthorized):
            return question(self._client(fresh=True))

    def _client(self, *, fresh: bool) -> hvac.Client:
        session = requests.Session()
        session.trust_env = False
        client = hvac.Client(
            url=self._url,
            token="",
            verify=self._verify,
            timeout=_SECONDS,
            session=session,
            allow_redirects=False,
        )
        with self._lock:
            if fresh or self._token is None:
                self._token = self._log_in(client)
            client.token = self._token.reveal()
        return client

    def _log_in(self, client: hvac.Client) -> Secret:
        match self._login:
            case TokenFile(path):
                return _from_file(path)
            case AppRole(role_id, secret_id_file, mount):
                answer: dict[str, Any] = client.auth.approle.login(
                    role_id=role_id,
                    secret_id=_from_file(secret_id_file).reveal(),
                    use_token=False,
                    mount_point=mount,
                )
                return Secret(str(answer["auth"]["client_token"]))


class OpenBaoVault:
    """A `Vault` in OpenBao.

    Args:
        url: HTTPS, or HTTP on loopback.
        login: where the token comes from.
        mount: the path of the KV version 2 engine.
        prefix: the folder of our secrets in it.
        ca_file: the authority of its certificate; `None` means the system's trust.
    """

    def __init__(
        self,
        url: str,
        login: TokenFile | AppRole,
        *,
        mount: str = "secret",
        prefix: str = "locum",
        ca_file: Path | None = None,
    ) -> None:
        self._url = url
        self._session = OpenBaoSession(url, login, ca_file=ca_file)
        self._mount = mount
        self._prefix = prefix

    def read(self, name: str) -> Secret:
        """See `Vault.read`."""
        path = self._path(name)

        def look(client: hvac.Client) -> object:
            answer = client.secrets.kv.v2.read_secret_version(
                path=path, mount_point=self._mount, raise_on_deleted_version=True
            )
            return answer["data"]["data"].get(_FIELD)

        found = self._ask(look, name)
        if not isinstance(found, str) or not found:
            raise Unavailable(
                f"OpenBao's {path} has no text in its field `{_FIELD}`.",
                f"Write it: `bao kv put -mount={self._mount} {path} {_FIELD}=-`.",
            )
        return Secret(found)

    def write(self, name: str, secret: Secret) -> int:
        """See `Vault.write`."""
        path, text = self._path(name), checked_secret(secret).decode()

        def put(client: hvac.Client) -> int:
            answer = client.secrets.kv.v2.create_or_update_secret(
                path=path,
                secret={_FIELD: text},
                cas=self._version(client, path),
                mount_point=self._mount,
            )
            return int(answer["data"]["version"])

        return self._ask(put, name)

    def forget(self, name: str) -> None:
        """See `Vault.forget`."""
        path = self._path(name)

        def remove(client: hvac.Client) -> None:
            client.secrets.kv.v2.delete_metadata_and_all_versions(
                path=path, mount_point=self._mount
            )

        self._ask(remove, name)

    def ready(self) -> None:
        """See `Vault.ready`."""
        self._ask(lambda client: client.auth.token.lookup_self(), "its own token")

    def _path(self, name: str) -> str:
        return f"{self._prefix}/{checked_name(name)}"

    def _version(self, client: hvac.Client, path: str) -> int:
        try:
            answer = client.secrets.kv.v2.read_secret_metadata(path=path, mount_point=self._mount)
        except bao.InvalidPath:
            return 0
        return int(answer["data"]["current_version"])

    def _ask(self, question: Callable[[hvac.Client], T], name: str) -> T:
        try:
            return self._session.ask(question)
        except _TROUBLE as error:
            raise self._said(error, name) from None

    def _said(self, error: Exception, name: str) -> Exception:
        """Say what an error means; its own words may hold what was sent."""
        match error:
            case bao.InvalidPath():
                return NotFound(
                    f"OpenBao has no secret {name}.",
                    f"Seal one at {self._mount}/{self._prefix}, or check `mount` and `prefix`.",
                )
            case bao.Forbidden() | bao.Unauthorized():
                return Unavailable(
                    f"OpenBao does not let Locum at {name}.",
                    "Give its token the policy of docs/targets.md, or renew the token.",
                )
            case bao.InvalidRequest() if "check-and-set" in str(error):
                return Conflict(
                    f"Somebody else wrote the secret {name} at the same time.", "Try again."
                )
            case bao.InvalidRequest() if "invalid role" in str(error):
                return Unavailable(
                    "OpenBao does not accept Locum's role id and secret id.",
                    "Write a fresh secret id: `bao write -f auth/approle/role/…/secret-id`.",
                )
            case bao.VaultDown():
                return Unavailable(
                    f"OpenBao at {self._url} is sealed.",
                    "Unseal it with `bao operator unseal`; until then nothing is opened.",
                )
            case bao.VaultNotInitialized():
                return Unavailable(
                    f"OpenBao at {self._url} is not initialised.", "Run `bao operator init`."
                )
            case requests.exceptions.SSLError():
                return Unavailable(
                    f"The certificate of OpenBao at {self._url} is not trusted here.",
                    "Name its authority as `ca_file`, or mend the certificate.",
                )
            case requests.RequestException():
                return Unavailable(
                    f"OpenBao at {self._url} cannot be reached, or did not answer in time.",
                    "Start it, or check the address; it will be tried again.",
                )
            case _:
                return Unavailable(
                    f"OpenBao at {self._url} did not do what it was asked about {name}.",
                    "Look at its log; check that `mount` is a KV engine of version 2.",
                )


def _from_file(path: Path) -> Secret:
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeError):
        text = ""
    if not 0 < len(text) <= 8_192:
        raise Unavailable(
            f"There is no token or secret id for OpenBao in {path}.",
            "Write it there, readable by the user who runs Locum alone.",
        )
    return Secret(text)
