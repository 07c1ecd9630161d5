"""Serve: the HTTP face and the rounds of one process, from start to graceful stop."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import structlog
import uvicorn
import uvloop
from joserfc.jwk import ECKey

from locum.cli.fronts import Fronts, listen
from locum.http.access_token import AccessTokens
from locum.http.app import LARGEST_BODY, make_app, make_pki_app
from locum.http.face import Face
from locum.http.frames import FrontSettings
from locum.http.hot import ShortWay
from locum.http.peer import authorities_of
from locum.http.proof import ProofVerifier
from locum.http.prover import Prover
from locum.http.server import server_for
from locum.http.throttle import Throttle
from locum.issue.authority import IssuingAuthority
from locum.issue.authority_openbao import OpenBaoAuthority
from locum.model.refusal import LocumError
from locum.service.presenters import Presenters
from locum.service.revocations import Revocations
from locum.service.rounds import EstateWatch, Rounds
from locum.service.starting import Started, start
from locum.service.wiring import Locum

TRUST_SECONDS = 0.5
"""How often it is looked whether the estate trusts other authorities."""

SWITCH_SECONDS = 0.0005
"""How long the loop's thread may keep the interpreter from the writer's, which needs it often."""


def set_up_logging() -> None:
    """Log JSON lines to standard error; secrets have no text, so none can be logged."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )


def settle_memory() -> None:
    """Keep the collector off what lives as long as the process, and from running at every turn."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def origin_of(started: Started, port: int | None) -> str:
    """The public address, where another port may be listened on than is configured."""
    origin = started.settings.server.origin
    return origin if port is None else f"{origin.rsplit(':', 1)[0]}:{port}"


def face_of(started: Started, origin: str) -> Face:
    """What the endpoints of a Locum that was put together work with."""
    settings = started.settings.server
    prover = Prover(
        started.locum.clock,
        ProofVerifier(origin),
        AccessTokens(ECKey.import_key(started.token_key.reveal()), origin),
        Throttle(settings.calls_per_second, settings.burst),
        Presenters(started.locum),
    )
    authority = started.locum.authority
    revocations = (
        Revocations(started.locum, authority) if isinstance(authority, IssuingAuthority) else None
    )
    signer = started.sequencer.signer.verifier
    return Face(started.locum, prover, signer, revocations, started.root_list)


def server_of(started: Started, port: int | None = None) -> uvicorn.Server:
    """The uvicorn server of a Locum that is one process."""
    settings, origin = started.settings.server, origin_of(started, port)
    face = face_of(started, origin)
    app = ShortWay(make_app(face, origin), face, LARGEST_BODY)
    return server_for(
        app,
        _beside(started, settings.certificate),
        _beside(started, settings.key),
        lambda: authorities_of(started.locum.estate.now),
    )


def serve_pki(started: Started) -> uvicorn.Server | None:
    """Serve what is signed and public on its plain HTTP port, where one is set.

    Raises:
        MalformedInput: the port cannot be listened on.
    """
    chosen = started.settings.pki
    if not chosen.listen_port:
        return None
    listening = listen(chosen.listen_host, chosen.listen_port, 1)
    app = make_pki_app(face_of(started, started.settings.server.origin))
    server = server_for(app, "", "", lambda: "")
    serving = {"sockets": listening}
    threading.Thread(target=server.run, kwargs=serving, name="pki", daemon=True).start()
    return server


async def serve_behind_fronts(
    started: Started, port: int | None, listening: list[socket.socket]
) -> None:
    """Decide for fronts that speak HTTP, until told to stop; then let them finish."""
    settings, origin = started.settings.server, origin_of(started, port)
    face, loop = face_of(started, origin), asyncio.get_running_loop()
    (public,) = face.tokens.public()["keys"]
    told = FrontSettings(
        origin,
        public,
        settings.calls_per_second,
        settings.burst,
        LARGEST_BODY,
        _beside(started, settings.certificate),
        _beside(started, settings.key),
        authorities_of(started.locum.estate.now),
    )
    stop = asyncio.Event()
    for asked in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(asked, stop.set)
    app = ShortWay(make_app(face, origin), face, LARGEST_BODY)
    fronts = Fronts(told, listening, face, app, loop)
    fronts.start()
    following = asyncio.create_task(_follow_trust(started.locum, fronts))
    await stop.wait()
    following.cancel()
    await asyncio.to_thread(fronts.stop)


async def _follow_trust(locum: Locum, fronts: Fronts) -> None:
    """Tell the fronts when the estate comes to trust other authorities."""
    told = authorities_of(locum.estate.now)
    while True:
        await asyncio.sleep(TRUST_SECONDS)
        trusted = authorities_of(locum.estate.now)
        if trusted != told:
            fronts.trust(trusted)
            told = trusted


def serve_until_stopped(
    folder: Path,
    clock: Callable[[], datetime],
    rng: Callable[[int], bytes],
    port: int | None,
    *,
    reload_on: signal.Signals | None = None,
) -> None:
    """Serve a data folder until the process is told to stop.

    Raises:
        LocumError: it cannot start; with what to mend.
    """
    set_up_logging()
    sys.setswitchinterval(SWITCH_SECONDS)
    started = start(folder, clock, rng)
    rounds, plain = Rounds(started), None
    if reload_on is not None:
        signal.signal(reload_on, lambda *_: _reload(started))
    try:
        settings = started.settings.server
        at = settings.port if port is None else port
        listening = listen(settings.host, at, max(1, settings.fronts))
        plain = serve_pki(started)
        _look_at_the_authority(started)
        settle_memory()
        rounds.start()
        structlog.get_logger("locum").info(
            "serving", origin=settings.origin, estate=started.locum.estate.now.digest
        )
        if settings.fronts:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(serve_behind_fronts(started, port, listening))
        else:
            # uvicorn raises the signal that ended it once more: it must find a way out through
            # here, so that the rounds and the store are ended too.
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
            server_of(started, port).run(sockets=listening)
    finally:
        if plain is not None:
            plain.should_exit = True
        rounds.stop()
        started.locum.store.close()


def _look_at_the_authority(started: Started) -> None:
    """Say at the start what another authority lacks, before somebody needs a certificate."""
    authority = started.locum.authority
    if isinstance(authority, OpenBaoAuthority):
        try:
            authority.ready()
        except LocumError as error:
            structlog.get_logger("locum").error("authority.unfit", error=str(error))


def _reload(started: Started) -> None:
    def reload() -> None:
        try:
            EstateWatch(started).reload()
        except LocumError as error:
            structlog.get_logger("locum").error("estate.refused", error=str(error))

    threading.Thread(target=reload, name="reload").start()


def _beside(started: Started, file: str) -> str:
    return str(started.folder / file) if file else ""
