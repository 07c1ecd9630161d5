"""What the verbs work with, put together in one visible place."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path as FilePath

from locum.estate.loading import Loaded
from locum.evidence.trust_sources import TrustSources
from locum.issue.authority import IssuingAuthority
from locum.issue.authority_openbao import OpenBaoAuthority
from locum.issue.vault import Vault
from locum.laws.opening import Proved, prove
from locum.model.cause import Observation
from locum.model.estate import Estate, Identity
from locum.model.names import Digest, PathName
from locum.model.path import Path
from locum.model.secret import Secret
from locum.service.counters import Metrics
from locum.signals.notice import Mail
from locum.store.port import Store


class EstateInForce:
    """The estate that decisions are made by; replaced whole or not at all."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._proved: dict[PathName, tuple[Path, Proved]] = {}

    @property
    def now(self) -> Estate:
        """The estate in force at this moment; one value for the whole of an act."""
        return self._loaded.estate

    @property
    def loaded(self) -> Loaded:
        """The estate in force with the files' words, roots and what was found included."""
        return self._loaded

    def proved(self, path: Path, identity: Identity) -> Proved:
        """What follows from a declaration alone, worked out once for this very value of it."""
        known = self._proved.get(path.name)
        if known is None or known[0] is not path:
            known = self._proved[path.name] = (path, prove(path, identity))
        return known[1]

    def replace(self, loaded: Loaded) -> None:
        """Put another estate in force."""
        self._loaded = loaded
        self._proved = {}


@dataclass(frozen=True)
class Locum:
    """Everything a verb needs, made once by the face that starts it.

    Args:
        clock: gives aware UTC; the one source of time.
        rng: gives that many random bytes.
        vault: where secrets are sealed.
        hooks: the folder of the operator's rotation and check commands.
        trust: keys and revocation lists of the estate's trust bundles.
        mail: the mail server that notices go through.
        authority: what signs backup certificates; `None` where none is set up.
        pki_url: what revocation pointers in certificates begin with.
        acme_key: what nonces and binding keys of ACME are derived from, hexadecimal.
        metrics: this process's counters.
        looking: held while a probe runs, so that many who wait cause one look.
        observations: what each path's probe saw last.
        declarations: declarations by digest, as read from the store.
    """

    store: Store
    estate: EstateInForce
    vault: Vault
    clock: Callable[[], datetime]
    rng: Callable[[int], bytes]
    hooks: FilePath
    trust: TrustSources
    mail: Mail | None = None
    authority: IssuingAuthority | OpenBaoAuthority | None = None
    pki_url: str = ""
    acme_key: Secret = field(default=Secret(""))
    metrics: Metrics = field(default_factory=Metrics)
    looking: threading.Lock = field(default_factory=threading.Lock)
    observations: dict[PathName, Observation] = field(default_factory=dict)
    declarations: dict[Digest, Path] = field(default_factory=dict)
