"""Settings: the operator's `locum.toml`, read once at the start and nowhere else."""

from __future__ import annotations

import ipaddress
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from locum.model.refusal import MalformedInput


class Server(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where Locum listens. Plain HTTP is for loopback only; `origin` is the public address.

    Args:
        fronts: processes that speak HTTP and prove callers beside the one that decides; none does
            it all in one process.
    """

    origin: str
    host: str = "127.0.0.1"
    port: int = 8440
    certificate: str = ""
    key: str = ""
    calls_per_second: float = 50.0
    burst: float = 200.0
    fronts: Annotated[int, msgspec.Meta(ge=0, le=64)] = 0


class StoreSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`sqlite:///FILE` (beside locum.toml) or `postgresql://…`."""

    url: str = "sqlite:///locum.db"


class Kek(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The key-encryption key: a 0600 file, an environment variable, or a command's output."""

    file: str = ""
    environment: str = ""
    command: list[str] = []


class VaultSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where secrets are sealed."""

    kind: Literal["builtin", "openbao"] = "builtin"
    url: str = ""
    mount: str = "secret"
    prefix: str = "locum"
    token_file: str = ""
    role_id: str = ""
    secret_id_file: str = ""
    ca_file: str = ""


class Anchor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the last signed checkpoint is kept, apart from the database."""

    file: str = "anchor"
    openbao_path: str = ""


class PkiSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Backup certificates: who signs them, and where relying parties ask whether they hold.

    Args:
        url: what revocation pointers begin with; the origin where it is empty.
        listen_host, listen_port: a plain HTTP port for `/pki/…` and nothing else; 0 for none.
    """

    url: str = ""
    listen_host: str = "127.0.0.1"
    listen_port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
    issuer: Literal["builtin", "openbao"] = "builtin"
    openbao_mount: str = "pki"
    openbao_role: str = "locum"


class MailSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The mail server for notices."""

    host: str
    sender: str
    port: int = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password_secret: str = ""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of `locum.toml`."""

    server: Server
    estate: str = "estate.yaml"
    hooks: str = "hooks"
    store: StoreSettings = StoreSettings()
    kek: Kek = Kek(file="kek")
    vault: VaultSettings = VaultSettings()
    anchor: Anchor = Anchor()
    mail: MailSettings | None = None
    pki: PkiSettings = PkiSettings()


def read_settings(folder: Path) -> Settings:
    """Read `locum.toml` of a data folder.

    Raises:
        MalformedInput: missing, not TOML, an unknown or wrong field, or plain HTTP beyond
            loopback.
    """
    file = folder / "locum.toml"
    try:
        raw: Mapping[str, object] = tomllib.loads(file.read_text())
        settings = msgspec.convert(raw, Settings)
    except OSError:
        raise MalformedInput(
            f"{file} cannot be read.", f"Make a data folder first: `locum init {folder}`."
        ) from None
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise MalformedInput(
            f"{file}: {error}.", "See docs/operations.md for every field."
        ) from None
    _check_transport(settings.server, file)
    return settings


def _check_transport(server: Server, file: Path) -> None:
    if bool(server.certificate) != bool(server.key):
        raise MalformedInput(
            f"{file}: `server.certificate` and `server.key` go together.", "Set both, or neither."
        )
    scheme = "https" if server.certificate else "http"
    if not server.origin.startswith(f"{scheme}://") or server.origin.endswith("/"):
        raise MalformedInput(
            f"{file}: `server.origin` is {server.origin!r}.",
            f"Write it as {scheme}://HOST[:PORT], without a slash at its end.",
        )
    if scheme == "http" and not _is_loopback(server.host):
        raise MalformedInput(
            f"{file}: plain HTTP on {server.host}, which is not loopback.",
            "Set `server.certificate` and `server.key`, or listen on 127.0.0.1.",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
