"""Probes: is the primary up?

A probe answers "up" or "down" only about what is declared. Down is: the address refuses, breaks or
times out, an HTTP answer says 500 or worse, a database says that it serves nobody, an issuer's
discovery is not what it must be. Where the fault may be ours (the name does not resolve, no
network, no trust in the certificate, our vault is shut, our probe role is refused) nothing is
decided: `Unavailable`, and the path stays shut. A time-out cannot tell a dead primary from a
filtered network, and counts as down; the detail says which it was. Source: law 4.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar, assert_never

import msgspec

from locum.evidence.address import OURS, resolve
from locum.evidence.database import NotConnected, session
from locum.evidence.fetch import Answered, Silent, fetch
from locum.model.cause import HttpProbe, Observation, OidcProbe, Probe, SqlProbe, TcpProbe
from locum.model.estate import Database
from locum.model.refusal import MalformedInput, Unavailable
from locum.model.secret import Secret

PROBE_SECONDS = 3.0
T = TypeVar("T")
_DISCOVERY = "/.well-known/openid-configuration"


class _Discovery(msgspec.Struct):
    issuer: str
    jwks_uri: str


class _Keys(msgspec.Struct):
    keys: list[dict[str, object]]


def observe(
    probe: Probe,
    now: datetime,
    databases: Mapping[str, Database],
    read_secret: Callable[[str], Secret],
) -> Observation:
    """Look at the primary once.

    Args:
        now: when this is; the observation carries it.
        databases: the estate's databases, by name.
        read_secret: gives a sealed secret by name, for the role that a database probe uses.

    Raises:
        Unavailable: nothing can be decided, because the fault may be ours.
        MalformedInput: the probe cannot be run as it is declared.
    """
    match probe:
        case HttpProbe(url):
            up, detail = _http(url)
        case TcpProbe(host, port):
            up, detail = _tcp(host, port)
        case OidcProbe(issuer):
            up, detail = _oidc(issuer)
        case SqlProbe(name):
            up, detail = _sql(name, databases, read_secret)
        case _:
            assert_never(probe)
    return Observation(up, now, detail)


def _http(url: str) -> tuple[bool, str]:
    answer = fetch("GET", url, seconds=PROBE_SECONDS)
    if isinstance(answer, Silent):
        return False, answer.detail
    return answer.status < 500, f"{url} answered {answer.status}."


def _tcp(host: str, port: int) -> tuple[bool, str]:
    where = f"{host}:{port}"
    if not 0 < port < 65_536:
        raise MalformedInput(f"{port} is no TCP port.", "Declare a port from 1 to 65535.")
    try:
        with socket.create_connection((resolve(host, port), port), timeout=PROBE_SECONDS):
            return True, f"{where} accepts connections."
    except TimeoutError:
        return False, f"{where} did not answer within {PROBE_SECONDS:g} s."
    except OSError as error:
        if error.errno in OURS:
            raise Unavailable(
                f"This machine has no way to {where}, so nothing is known of it.",
                "Check the network of this machine.",
            ) from None
        return False, f"{where} refused the connection or cannot be reached."


def _oidc(issuer: str) -> tuple[bool, str]:
    found = _load(issuer.removesuffix("/") + _DISCOVERY, _Discovery)
    if isinstance(found, str):
        return False, found
    if found.issuer != issuer:
        return False, f"The discovery document of {issuer} names another issuer."
    try:
        keys = _load(found.jwks_uri, _Keys)
    except MalformedInput:
        return False, f"{issuer} names a place for its keys that is not called."
    if isinstance(keys, str):
        return False, keys
    if not keys.keys:
        return False, f"{issuer} publishes no key."
    return True, f"{issuer} is discovered with {len(keys.keys)} keys."


def _load(url: str, kind: type[T]) -> T | str:
    answer = fetch("GET", url, seconds=PROBE_SECONDS)
    match answer:
        case Silent(detail):
            return detail
        case Answered(200, body):
            try:
                return msgspec.json.decode(body, type=kind)
            except (msgspec.MsgspecError, UnicodeError, RecursionError):
                return f"{url} answered with something else than it must."
        case Answered(status, _):
            return f"{url} answered {status}."


def _sql(
    name: str, databases: Mapping[str, Database], read_secret: Callable[[str], Secret]
) -> tuple[bool, str]:
    database = databases.get(name)
    if database is None:
        raise MalformedInput(
            f"The estate has no database {name}.", "Declare it, or name another in the probe."
        )
    password = read_secret(database.admin_secret)
    try:
        with session(database, database.admin, password) as connection:
            answered = connection.execute("SELECT 1").fetchone() == (1,)
    except NotConnected as error:
        if error.down:
            return False, error.fact
        raise
    except Unavailable as error:
        return False, error.fact
    return answered, f"The database {name} {'answers' if answered else 'does not answer'} SELECT 1."
