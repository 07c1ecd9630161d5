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
from locum.model.refusal import LocumError, MalformedInput, Unavailable
from locum.service.accept_restore import Loss, accept, assess
from locum.service.agreement import compare
from locum.service.published import StoreSource
from locum.service.starting import Started, start

group = typer.Typer(no_args_is_help=True, help="Verify and export the ledger; go on after a loss.")
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
                f"As signed by {key.name}: {_counted(one['entries'], 'entry', 'entries')} and "
                f"{_counted(one['tiles'], 'tile', 'tiles')}.",
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


@group.command("accept-restore")
def accept_restore(
    data: Annotated[Path, typer.Option("--data", help="The data folder, Locum stopped.")],
    reason: Annotated[str, typer.Option(help="Why, for the record.")],
    confirm: Annotated[int, typer.Option(help="The size of the log that is given up.")] = -1,
    as_json: Json = False,
) -> None:
    """Go on from a restored backup that is behind what was signed, in a new log."""
    with errors_explained(), _data_folder(data) as started:
        if not reason.strip():
            raise MalformedInput("No reason was given.", "Say why: `--reason`.")
        loss = assess(started)
        if not as_json:
            console.print(_told(loss), markup=False)
        if confirm < 0 and not as_json:
            confirm = typer.prompt(f"Type {loss.signed.size} to go on", type=int)
        if confirm != loss.signed.size:
            raise MalformedInput(
                f"The loss of the log of {loss.signed.size} entries is not confirmed.",
                f"Nothing was changed. Say `--confirm {loss.signed.size}` to go on.",
            )
        accept(started, loss, reason)
    with errors_explained(), _data_folder(data) as started:
        while started.sequencer.integrate():
            continue
        done = {
            "origin": loss.origin,
            "vkey": str(started.sequencer.signer.verifier),
            "follows": loss.signed.origin,
            "signed_size": loss.signed.size,
            "signed_root": loss.signed.root.hex(),
            "kept": loss.kept,
            "size": loss.size,
            "root": loss.root.hex(),
        }
        show(
            done,
            as_json,
            lambda one: console.print(
                f"{one['origin']} begins. Give its verifier key to those who verify:\n"
                f"  {one['vkey']}\nNow start it:  locum serve --data {data}",
                markup=False,
            ),
        )


def _told(loss: Loss) -> str:
    return (
        f"{loss.signed.origin} was signed up to {loss.signed.size} entries, "
        f"root {loss.signed.root.hex()}.\n"
        f"This database holds the first {loss.kept} of them for certain; it has {loss.size} "
        f"entries, root {loss.root.hex()}.\n"
        f"Lost: entries {loss.kept} to {loss.signed.size - 1}, and what they did: requests, "
        "approvals, grants, reviews, revoked keys.\n"
        "Look for credentials that were given out since the backup; Locum does not know them.\n"
        f"{loss.signed.origin} ends, and {loss.origin} begins with what is here."
    )


@contextmanager
def _data_folder(data: Path) -> Iterator[Started]:
    started = start(data, now, secrets.token_bytes)
    try:
        yield started
    finally:
        started.locum.store.close()


@contextmanager
def _opened(
    source: str, data: Path | None
) -> Iterator[tuple[LogSource, Callable[[], VerifierKey]]]:
    if data is not None:
        with _data_folder(data) as started:
            trouble = _integrate(started)
            yield StoreSource(started.locum.store), lambda: started.sequencer.signer.verifier
            if trouble is not None:
                raise trouble
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


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _published_key(base: str) -> VerifierKey:
    try:
        answer = httpx.get(base.rstrip("/") + "/ledger/vkey", timeout=10)
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        raise Unavailable(
            f"{base} cannot be reached ({type(error).__name__}).", "Is it Locum's address?"
        ) from None
    return VerifierKey.parse(answer.text)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    with Progress(transient=True, console=console) as bar:
        task = bar.add_task("entries", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
