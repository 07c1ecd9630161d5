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

from locum.cli.answers import trusting, unreached
from locum.cli.arguments import CaFile, Json
from locum.cli.output import FINDINGS, console, errors, errors_explained, show
from locum.cli.server_commands import now
from locum.ledger.errors import LedgerError, Tampered
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
Vkey = Annotated[
    str,
    typer.Option(
        help="The key that `locum init` printed; without it the source's own is believed."
    ),
]
Data = Annotated[
    Path | None, typer.Option("--data", help="A data folder instead; stop its Locum first.")
]


@group.command()
def verify(
    source: Annotated[str, typer.Argument(help="A folder of an export, or a URL.")] = "",
    data: Data = None,
    vkey: Vkey = "",
    ca_file: CaFile = None,
    as_json: Json = False,
) -> None:
    """Check that every entry is what was signed; name the first that is not."""
    with errors_explained(), _opened(source, data, ca_file) as (log, own_key):
        key = _given(vkey) if vkey else own_key()
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
    url: Annotated[str, typer.Option(help="The address of a running Locum.")] = "",
    data: Data = None,
    vkey: Vkey = "",
    ca_file: CaFile = None,
) -> None:
    """Copy the ledger into a folder, to keep and to verify elsewhere.

    It writes `vkey`, `checkpoint` and `tile/…`, which any verifier of tlog-tiles reads.
    """
    with errors_explained(), _opened(url, data, ca_file) as (log, own_key), _progress() as told:
        key = _given(vkey) if vkey else own_key()
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
    source: str, data: Path | None, ca_file: Path | None
) -> Iterator[tuple[LogSource, Callable[[], VerifierKey]]]:
    if data is not None:
        with _data_folder(data) as started:
            trouble = _integrate(started)
            yield StoreSource(started.locum.store), lambda: started.sequencer.signer.verifier
            if trouble is not None:
                raise trouble
    elif source.startswith(("http://", "https://")):
        verify = True if ca_file is None else trusting(str(ca_file))
        with httpx.Client(timeout=10, verify=verify) as client:
            yield RemoteSource(source, client), lambda: _published_key(source, client)
    elif source:
        if not Path(source).is_dir():
            raise MalformedInput(
                f"{source} is no folder.", "Name one that `locum ledger export` wrote, or a URL."
            )
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


def _given(vkey: str) -> VerifierKey:
    try:
        return VerifierKey.parse(vkey)
    except LedgerError:
        raise MalformedInput(
            "--vkey is not a verifier key.", "Copy the whole line that `locum init` printed."
        ) from None


def _published_key(base: str, client: httpx.Client) -> VerifierKey:
    try:
        answer = client.get(base.rstrip("/") + "/ledger/vkey")
        return VerifierKey.parse(answer.raise_for_status().text)
    except (httpx.HTTPStatusError, LedgerError):
        raise Unavailable(
            f"{base} gives no verifier key.", "Is it Locum's address, as `locum init` printed it?"
        ) from None
    except httpx.HTTPError as error:
        raise unreached(base, error) from None
    except (httpx.InvalidURL, UnicodeError) as error:
        raise Unavailable(
            f"{base} cannot be reached ({type(error).__name__}).", "Is it Locum's address?"
        ) from None


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    with Progress(transient=True, console=errors, disable=not errors.is_terminal) as bar:
        task = bar.add_task("entries", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
