"""ACME's things as Locum keeps them: the key that binds an account, the account, the order.

An account stands for one path of one workload identity and for nothing else. Source: RFC 8555
§7.1, §7.3.4.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from locum.model.names import PathName, RequestId
from locum.model.refusal import LocumError

METHOD = "acme-account"
"""What its holder presents, as the catalogue of methods names it."""


class AcmeBinding(msgspec.Struct, frozen=True):
    """A single-use key that binds an account to a path (external account binding).

    Args:
        kid: its name, from which the key itself follows.
        certificate: the primary that minted it, PEM.
    """

    kid: str
    path: PathName
    certificate: str
    expires_at: datetime


class AcmeAccount(msgspec.Struct, frozen=True):
    """An account key, and what it may act for.

    Args:
        jkt: the key's thumbprint (RFC 7638).
        jwk: the public key as canonical JSON.
        certificate: the identity's primary that Locum saw last, PEM; the account rests on it.
        expires_at: the path's end as it was declared when the account was made.
    """

    id: str
    jkt: str
    jwk: bytes
    path: PathName
    certificate: str
    made_at: datetime
    expires_at: datetime
    deactivated_at: datetime | None = None


class AcmeOrder(msgspec.Struct, frozen=True):
    """An order for one certificate under one request.

    Args:
        names: what is to be in it, each with its kind in front; ordered.
        key: SHA-256 of the public key that it was finalized with, hexadecimal; empty before.
    """

    id: str
    account: str
    request: RequestId
    names: tuple[str, ...]
    made_at: datetime
    expires_at: datetime
    key: str = ""


class AcmeError(LocumError):
    """What a protocol of ACME has a word for.

    Args:
        word: the last part of its error type, e.g. `badCSR`.
    """

    def __init__(self, word: str, fact: str, remedy: str) -> None:
        super().__init__(fact, remedy)
        self.word = word
