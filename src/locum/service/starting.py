"""Put a Locum together from its settings; make the folder of a new one."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from locum.estate.loading import load_lawful
from locum.evidence.trust_sources import TrustSources
from locum.issue.authority import IssuingAuthority
from locum.issue.authority_openbao import OpenBaoAuthority
from locum.issue.kek import (
    KeyEncryptionKey,
    create_key_file,
    derive,
    kek_from_command,
    kek_from_environment,
    kek_from_file,
)
from locum.issue.vault import Vault
from locum.issue.vault_builtin import BuiltinVault
from locum.issue.vault_openbao import AppRole, OpenBaoSession, OpenBaoVault, TokenFile
from locum.ledger.anchor import Anchor, FileAnchor, OpenBaoAnchor
from locum.ledger.entry import Entry
from locum.ledger.note import Signer
from locum.ledger.succession import Succession, log_name
from locum.model.refusal import MalformedInput, NotFound
from locum.model.secret import Secret
from locum.service.authority_keys import kept_authority
from locum.service.private_file import write_private
from locum.service.record import record
from locum.service.sequencer import Sequencer
from locum.service.settings import Settings, VaultSettings, read_settings
from locum.service.wiring import EstateInForce, Locum
from locum.signals.notice import Mail
from locum.store.opening import open_store
from locum.store.sql_ledger import check_seal

LEDGER_KEY = "locum/ledger-key"
TOKEN_KEY = "locum/token-key"
SUCCESSION = "locum/ledger-succession"
_SEAL = "ledger pending seal"
_ACME = "acme nonces and binding keys"


class Started(msgspec.Struct, frozen=True):
    """A Locum put together, and what its faces need beside it."""

    settings: Settings
    folder: Path
    locum: Locum
    sequencer: Sequencer
    token_key: Secret
    builtin: BuiltinVault
    root_list: bytes = b""


def start(folder: Path, clock: Callable[[], datetime], rng: Callable[[int], bytes]) -> Started:
    """Open everything that `locum.toml` names; the estate must break no law.

    Raises:
        LocumError: with what to mend.
    """
    settings = read_settings(folder)
    kek = _kek(settings, folder)
    loaded = load_lawful(folder / settings.estate, clock())
    store = open_store(_store_url(settings, folder), derive(kek, _SEAL), clock)
    builtin = BuiltinVault(store, kek, rng)
    vault = _vault(settings, folder, builtin)
    authority, root_list = _authority(settings, folder, builtin)
    locum = Locum(
        store,
        EstateInForce(loaded),
        vault,
        clock,
        rng,
        folder / settings.hooks,
        TrustSources(clock),
        _mail(settings, vault),
        authority,
        settings.pki.url or settings.server.origin,
        Secret(derive(kek, _ACME).hex()),
    )
    private = serialization.load_pem_private_key(
        builtin.read(LEDGER_KEY).reveal().encode(), password=None
    )
    if not isinstance(private, Ed25519PrivateKey):
        raise MalformedInput("The ledger's key is not Ed25519.", "Restore the data folder.")
    follows = _succession(builtin)
    generation = 1 if follows is None else follows.generation
    signer = Signer(log_name(first_log(settings), generation), private)
    seal_key = derive(kek, _SEAL)
    sequencer = Sequencer(
        store,
        signer,
        _anchor(settings, folder),
        lambda number, entry, seal: check_seal(seal_key, number, entry, seal),
        locum.metrics.acted,
        None if follows is None else follows.follows,
    )
    entry = Entry(
        "estate.in-force", clock(), subject=loaded.estate.digest,
        facts={"identities": len(loaded.estate.identities), "paths": len(loaded.estate.paths())},
    )  # fmt: skip
    store.act(lambda transaction: record(transaction, entry)).result()
    token_key = builtin.read(TOKEN_KEY)
    return Started(settings, folder, locum, sequencer, token_key, builtin, root_list)


def make_folder(
    folder: Path, settings_text: str, clock: Callable[[], datetime], rng: Callable[[int], bytes]
) -> None:
    """Make a data folder: settings, key-encryption key, store, and the keys that Locum signs with.

    Raises:
        MalformedInput: the folder holds a Locum already.
    """
    if (folder / "locum.toml").exists():
        raise MalformedInput(
            f"{folder} holds a Locum already.",
            f"Serve it: `locum serve --data {folder}`. `locum init … --again` only invites anew.",
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "hooks").mkdir(mode=0o700, exist_ok=True)
    write_private(folder / "locum.toml", settings_text.encode())
    try:
        _make_keys(folder, clock, rng)
    except BaseException:
        # A folder that could not be made whole must not look like one that was.
        (folder / "locum.toml").unlink()
        raise


def _make_keys(folder: Path, clock: Callable[[], datetime], rng: Callable[[int], bytes]) -> None:
    settings = read_settings(folder)
    if settings.kek.file and not (folder / settings.kek.file).exists():
        create_key_file(folder / settings.kek.file, rng)
    kek = _kek(settings, folder)
    store = open_store(_store_url(settings, folder), derive(kek, _SEAL), clock)
    try:
        vault = BuiltinVault(store, kek, rng)
        vault.write(LEDGER_KEY, _pem(Ed25519PrivateKey.generate()))
        vault.write(TOKEN_KEY, _pem(generate_private_key(SECP256R1())))
    finally:
        store.close()


def _pem(key: Ed25519PrivateKey | EllipticCurvePrivateKey) -> Secret:
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return Secret(pem.decode())


def _kek(settings: Settings, folder: Path) -> KeyEncryptionKey:
    source = settings.kek
    if source.environment:
        return kek_from_environment(source.environment, os.environ)
    if source.command:
        return kek_from_command(source.command)
    return kek_from_file(folder / source.file)


def _store_url(settings: Settings, folder: Path) -> str:
    file = settings.store.url.removeprefix("sqlite:///")
    return settings.store.url if file == settings.store.url else f"sqlite:///{folder / file}"


def _vault(settings: Settings, folder: Path, builtin: BuiltinVault) -> Vault:
    chosen = settings.vault
    if chosen.kind == "builtin":
        return builtin
    return OpenBaoVault(
        chosen.url,
        _login(chosen, folder),
        mount=chosen.mount,
        prefix=chosen.prefix,
        ca_file=_ca_file(chosen, folder),
    )


def _login(chosen: VaultSettings, folder: Path) -> TokenFile | AppRole:
    if chosen.role_id:
        return AppRole(chosen.role_id, folder / chosen.secret_id_file)
    return TokenFile(folder / chosen.token_file)


def _ca_file(chosen: VaultSettings, folder: Path) -> Path | None:
    return folder / chosen.ca_file if chosen.ca_file else None


def _anchor(settings: Settings, folder: Path) -> Anchor:
    chosen = settings.anchor
    if not chosen.openbao_path:
        return FileAnchor(folder / chosen.file)
    bao = settings.vault
    session = OpenBaoSession(bao.url, _login(bao, folder), ca_file=_ca_file(bao, folder))
    return OpenBaoAnchor(session.ask, bao.mount, chosen.openbao_path)


def _authority(
    settings: Settings, folder: Path, builtin: BuiltinVault
) -> tuple[IssuingAuthority | OpenBaoAuthority | None, bytes]:
    chosen, bao = settings.pki, settings.vault
    if chosen.issuer == "openbao":
        session = OpenBaoSession(bao.url, _login(bao, folder), ca_file=_ca_file(bao, folder))
        return OpenBaoAuthority(session, chosen.openbao_mount, chosen.openbao_role), b""
    kept = kept_authority(builtin)
    return (None, b"") if kept is None else kept


def _mail(settings: Settings, vault: Vault) -> Mail | None:
    chosen = settings.mail
    if chosen is None:
        return None
    password = vault.read(chosen.password_secret) if chosen.password_secret else None
    return Mail(chosen.host, chosen.port, chosen.sender, chosen.security, chosen.user, password)


def _succession(builtin: BuiltinVault) -> Succession | None:
    try:
        sealed = builtin.read(SUCCESSION)
    except NotFound:
        return None
    return msgspec.json.decode(sealed.reveal(), type=Succession)


def first_log(settings: Settings) -> str:
    """The name of this Locum's first log; see `ledger.succession` for those that follow it."""
    return settings.server.origin.split("://", 1)[1] + "/ledger"
