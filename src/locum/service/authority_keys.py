"""The built-in certificate authority's keys: made once, sealed in the vault, loaded at the start.

The root signs nothing but the issuing authority and the root's own (empty) revocation list, so its
key is given to the operator, who takes it offline; Locum does not keep it. Or there is no root
here at all: the operator's own authority signs the issuing one.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime
from typing import Literal

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from locum.evidence.x509 import read_bundle
from locum.issue.authority import (
    ISSUING_LIFE,
    IssuingAuthority,
    load_authority,
    make_intermediate,
    make_root,
    request_for_intermediate,
)
from locum.issue.revocation_list import build_crl
from locum.issue.vault_builtin import BuiltinVault
from locum.model.refusal import MalformedInput, NotFound
from locum.model.secret import Secret

KEPT = "locum/pki"
ASKED = "locum/pki-asked"
ROOT_LIST_LIFE = ISSUING_LIFE
"""As long as the issuing authority: a server that wants the list must never be without one."""

Kind = Literal["p256", "ed25519"]
WEAKEST_RSA = 2048


class KeptAuthority(msgspec.Struct, frozen=True):
    """What is sealed of the issuing authority.

    Args:
        key: PEM.
        chain: its certificate first, then those that signed it, PEM.
        root_list: the root's revocation list, DER in base64; empty where the root is not ours.
    """

    key: str
    chain: str
    root_list: str = ""

    def __repr__(self) -> str:
        return "KeptAuthority()"


def make_authority(
    builtin: BuiltinVault,
    kind: Kind,
    name: str,
    now: datetime,
    rng: Callable[[int], bytes],
) -> tuple[Secret, str]:
    """Make a root and the issuing authority below it, and seal the latter.

    Args:
        name: what the certificates are to be called, e.g. the host of the origin.

    Returns:
        The root's key, which is kept nowhere here, and its certificate, both PEM.

    Raises:
        MalformedInput: there is an issuing authority already.
    """
    _demand_none(builtin)
    root_key, root = make_root(kind, f"Locum Root CA {name}", now, rng)
    key, chain = make_intermediate(root_key, root, kind, f"Locum Issuing CA {name}", now, rng)
    listed = build_crl(
        load_authority(root_key, root),
        (),
        number=1,
        this_update=now,
        next_update=now + ROOT_LIST_LIFE,
    )
    _keep(builtin, KeptAuthority(key.reveal(), chain, base64.b64encode(listed).decode()))
    return root_key, root


def ask_for_authority(builtin: BuiltinVault, kind: Kind, name: str) -> str:
    """Make the issuing authority's key, seal it, and give the signing request for it, PEM.

    Raises:
        MalformedInput: there is an issuing authority already.
    """
    _demand_none(builtin)
    key, request = request_for_intermediate(kind, f"Locum Issuing CA {name}")
    builtin.write(ASKED, key)
    return request


def install_chain(builtin: BuiltinVault, chain: str, now: datetime) -> IssuingAuthority:
    """Take what the operator's authority answered to the signing request.

    Args:
        chain: the issuing certificate first, then those that signed it, PEM.

    Raises:
        MalformedInput: nothing was asked for, the chain does not fit the key, or a certificate of
            it is not valid now or of a weak key.
    """
    try:
        key = builtin.read(ASKED)
    except NotFound:
        raise MalformedInput(
            "No signing request was made here.", "Make one: `locum pki request --data DIR`."
        ) from None
    authority = load_authority(key, chain)
    for one in read_bundle(chain):
        _demand_sound(one, now)
    _keep(builtin, KeptAuthority(key.reveal(), chain))
    builtin.forget(ASKED)
    return authority


def _demand_sound(certificate: x509.Certificate, now: datetime) -> None:
    name, key = certificate.subject.rfc4514_string(), certificate.public_key()
    if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
        raise MalformedInput(
            f"The certificate of {name} is not valid now.", "Give one that is; look at the clocks."
        )
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < WEAKEST_RSA:
        raise MalformedInput(
            f"The key of {name} has {key.key_size} bits.",
            f"Have an authority of {WEAKEST_RSA} bits or more sign it, or of P-256.",
        )


def kept_authority(builtin: BuiltinVault) -> tuple[IssuingAuthority, bytes] | None:
    """The issuing authority and its root's revocation list (DER, or empty), where there is one."""
    try:
        sealed = builtin.read(KEPT)
    except NotFound:
        return None
    kept = msgspec.json.decode(sealed.reveal(), type=KeptAuthority)
    return load_authority(Secret(kept.key), kept.chain), base64.b64decode(kept.root_list)


def _keep(builtin: BuiltinVault, kept: KeptAuthority) -> None:
    builtin.write(KEPT, Secret(msgspec.json.encode(kept).decode()))


def _demand_none(builtin: BuiltinVault) -> None:
    try:
        builtin.read(KEPT)
    except NotFound:
        return
    raise MalformedInput(
        "There is a certificate authority already.",
        "Relying parties trust it; `locum pki show` prints it.",
    )
