"""`locum ledger verify` and `locum ledger export`: the record, checked by anybody."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.progress import Progress

from locum.cli.output import FINDINGS, console, errors_explained, show
from locum.cli.people_commands import Json
from locum.cli.server_commands import now
from locum.ledger.errors import Tampered
from locum.ledger.folder import FolderSource, export
from locum.ledger.note import VerifierKey
from locum.ledger.remote import RemoteSource
from locum.ledger.verification import LogSource, verify_log
from locum.model.refusal import LocumError, MalformedInput
from locum.service.agreement import compare
from locum.service.published import StoreSource
from locum.service.starting import Started, start

group = typer.Typer(no_args_is_help=True, help="Verify and export the ledger.")
Vkey = Annotated[str, typer.Option(help="The verifier key that you know; else the source's own.")]
Data = Annotated[Path | None, typer.Option("--data", help="A data folder, Locum stopped.")]


@group.command()
def verify(
    source: Annotated[str, typer.Argument(help="A folder of an export, or a URL.")] = "",
    data: Data = None,
    vkey: Vkey = "",
    as_json: Json = False,
) -> None:
    """Replay every entry and tile against the signed checkpoint; names the first that misfits."""
    with errors_explained(), _opened(source, data) as (log, own_key):
        key = VerifierKey.parse(vkey) if vkey else own_key()
        try:
            with _progress() as told:
                report = verify_log(log, (key,), progress=told)
            _compare_with_state(log)
        except Tampered as error:
            found = {"verified": False, "place": error.place, "fact": error.fact}
            words = f"{error.fact}\n  {error.remedy}"
            show(found, as_json, lambda _: console.print(words, style="red", markup=False))
            raise typer.Exit(FINDINGS) from None
        verified = {
            "verified": True,
            "origin": report.checkpoint.origin,
            "entries": report.entries,
            "tiles": report.tiles,
            "root": report.checkpoint.root.hex(),
            "vkey": str(key),
        }
        show(
            verified,
            as_json,
            lambda one: console.print(
                f"{one['entries']} entries and {one['tiles']} tiles are as signed by {key.name}.",
                markup=False,
            ),
        )


@group.command("export")
def export_to(
    folder: Annotated[Path, typer.Argument(help="Where to write.")],
    url: Annotated[str, typer.Option(help="A running Locum.")] = "",
    data: Data = None,
    vkey: Vkey = "",
) -> None:
    """Write `vkey`, `checkpoint` and `tile/…`, readable by any tlog verifier."""
    with errors_explained(), _opened(url, data) as (log, own_key), _progress() as told:
        key = VerifierKey.parse(vkey) if vkey else own_key()
        size = export(log, folder, key, progress=told)
        console.print(f"{size} entries in {folder}.", markup=False)


@contextmanager
def _opened(
    source: str, data: Path | None
) -> Iterator[tuple[LogSource, Callable[[], VerifierKey]]]:
    if data is not None:
        started = start(data, now, secrets.token_bytes)
        try:
            trouble = _integrate(started)
            yield StoreSource(started.locum.store), lambda: started.sequencer.signer.verifier
            if trouble is not None:
                raise trouble
        finally:
            started.locum.store.close()
    elif source.startswith(("http://", "https://")):
        remote = RemoteSource(source)
        yield remote, lambda: _published_key(source)
    elif source:
        folder = FolderSource(Path(source))
        yield folder, folder.verifier_key
    else:
        raise MalformedInput("No ledger was named.", "Name a folder, a URL, or --data FOLDER.")


def _integrate(started: Started) -> LocumError | None:
    """Integrate what waits; what cannot be is told after the replay, which names the place."""
    try:
        while started.sequencer.integrate():
            continue
    except LocumError as error:
        return error
    return None


def _compare_with_state(log: LogSource) -> None:
    """Where the store itself is at hand, check that its state is what the ledger says."""
    if isinstance(log, StoreSource):
        agreement = log.store.look(compare)
        for one in agreement.disagreements:
            raise Tampered(
                one.request, one.fact, "The state was altered: restore a backup and compare."
            )


def _published_key(base: str) -> VerifierKey:
    answer = httpx.get(base.rstrip("/") + "/ledger/vkey", timeout=10)
    return VerifierKey.parse(answer.text)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    with Progress(transient=True, console=console) as bar:
        task = bar.add_task("entries", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
