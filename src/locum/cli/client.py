"""The caller's side: a key on this machine, a short access token, and a proof for every call."""

from __future__ import annotations

import base64
import hashlib
import os
import time
import uuid
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

from locum.cli.answers import raise_problem, trusting, unreached
from locum.model.refusal import MalformedInput, Unavailable
from locum.model.secret import Secret
from locum.service.private_file import write_private

Key = ECKey | OKPKey
_SECONDS = 30.0
_T = TypeVar("_T")


class Login(msgspec.Struct, frozen=True):
    """What `locum login` leaves behind: where, who, and until when."""

    origin: str
    identity: str
    jkt: str
    expires_at: str
    key_file: str
    ca_file: str = ""


class Registered(msgspec.Struct, frozen=True):
    """What Locum answers to a key that it registered."""

    identity: str
    jkt: str
    expires_at: str


class _Token(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: int


def home() -> Path:
    """The folder of this person's key: `LOCUM_HOME`, or `~/.config/locum`."""
    return Path(os.environ.get("LOCUM_HOME") or Path.home() / ".config" / "locum")


class Client:
    """Calls to one Locum, each bound to the caller's key (RFC 9449)."""

    def __init__(
        self,
        origin: str,
        key: Key,
        *,
        ca_file: str = "",
    ) -> None:
        self.origin, self._key = origin, key
        verify = trusting(ca_file) if ca_file else True
        self._http = httpx.Client(base_url=origin, timeout=_SECONDS, verify=verify)
        self._token: tuple[str, float] | None = None

    def __repr__(self) -> str:
        return f"Client({self.origin})"

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def get(self, place: str, /, **query: Any) -> Any:
        """GET with query parameters; those that are `None` are left out."""
        given = {name: value for name, value in query.items() if value is not None}
        return self._call("GET", place, params=given)

    def post(self, path: str, body: Any = None, *, key: str | None = None) -> Any:
        """POST a JSON body under an idempotency key, so that a retry does not act twice."""
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        return self._call("POST", path, json=body if body is not None else {}, headers=headers)

    def delete(self, path: str) -> Any:
        """DELETE."""
        return self._call("DELETE", path)

    def register(self, invitation: Secret) -> Registered:
        """Register the key against an invitation."""
        answer = self._send(
            "POST",
            "/v1/keys",
            json={"invitation": invitation.reveal()},
            headers={"DPoP": self.proof("POST", "/v1/keys")},
        )
        return self._as(answer, Registered)

    def proof(self, method: str, path: str, token: str | None = None) -> str:
        """A DPoP proof for one call."""
        algorithm = "ES256" if isinstance(self._key, ECKey) else "Ed25519"
        header = {
            "typ": "dpop+jwt",
            "alg": algorithm,
            "jwk": self._key.as_dict(private=False),
        }
        claims: dict[str, Any] = {
            "htm": method,
            "htu": self.origin + path,
            "iat": int(time.time()),
            "jti": str(uuid.uuid4()),
        }
        if token is not None:
            digest = hashlib.sha256(token.encode()).digest()
            claims["ath"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        return jwt.encode(header, claims, self._key, algorithms=[algorithm])

    def token(self) -> str:
        """An access token, fetched anew shortly before the last one ends."""
        if self._token is None or time.time() > self._token[1] - 30:
            path = "/oauth/token"
            answer = self._send(
                "POST",
                path,
                data={"grant_type": "client_credentials"},
                headers={"DPoP": self.proof("POST", path)},
            )
            told = self._as(answer, _Token)
            self._token = (told.access_token, time.time() + told.expires_in)
        return self._token[0]

    def _call(self, method: str, path: str, **how: Any) -> Any:
        token = self.token()
        headers = {
            "Authorization": f"DPoP {token}",
            "DPoP": self.proof(method, path, token),
            **how.pop("headers", {}),
        }
        return self._send(method, path, headers=headers, **how)

    def _send(self, method: str, path: str, **how: Any) -> Any:
        try:
            answer = self._http.request(method, path, **how)
        except httpx.HTTPError as error:
            raise unreached(self.origin, error) from None
        if not answer.is_success:
            raise_problem(answer)
        try:
            return msgspec.json.decode(answer.content) if answer.content else None
        except msgspec.DecodeError:
            raise self._no_locum() from None

    def _as(self, answer: Any, kind: type[_T]) -> _T:
        try:
            return msgspec.convert(answer, kind)
        except msgspec.ValidationError:
            raise self._no_locum() from None

    def _no_locum(self) -> Unavailable:
        return Unavailable(
            f"{self.origin} answers, but not as Locum does.",
            "Take the address from the line that the invitation came with.",
        )


def new_key(kind: str) -> Key:
    """A fresh key: `p256` or `ed25519`."""
    return ECKey.generate_key("P-256") if kind == "p256" else OKPKey.generate_key("Ed25519")


def save_key(key: Key) -> str:
    """Keep a key, readable by this person only, and give the name of its file."""
    folder = home()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"key-{key.thumbprint()}.pem"
    write_private(folder / name, key.as_pem(private=True))
    return name


def forget_key(name: str) -> None:
    """Remove a kept key that was not registered."""
    (home() / name).unlink(missing_ok=True)


def save_login(login: Login) -> None:
    """Keep where a kept key is registered; from here on it is the one that is used."""
    write_private(home() / "login.json", msgspec.json.encode(login))


def saved_client() -> Client:
    """The client of the person who logged in on this machine.

    Raises:
        MalformedInput: nobody did.
    """
    folder = home()
    try:
        login = msgspec.json.decode((folder / "login.json").read_bytes(), type=Login)
        pem = (folder / login.key_file).read_bytes()
    except (OSError, msgspec.DecodeError):
        raise MalformedInput(
            "Nobody is signed in here.", "Run `locum login --invite CODE --url URL`."
        ) from None
    try:
        key = read_key(pem)
    except (ValueError, TypeError, JoseError):
        raise MalformedInput(
            f"{folder / login.key_file} holds no key that can be read.",
            "Restore the file, or sign in with a new invitation: `locum login`.",
        ) from None
    return Client(login.origin, key, ca_file=login.ca_file)


def read_key(pem: bytes) -> Key:
    """Read a P-256 or Ed25519 private key."""
    try:
        return ECKey.import_key(pem)
    except (ValueError, JoseError):
        return OKPKey.import_key(pem)
