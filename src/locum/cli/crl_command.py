"""`locum crl`: keep a file of revocation lists for a program that reads them from one, as nginx.

The file is replaced whole or not at all, and only by lists whose signatures were verified. OpenSSL,
where a list of every authority is wanted (`X509_V_FLAG_CRL_CHECK_ALL`, which nginx sets), refuses
a certificate whose chain has an authority without a list; so the root's own list is written too,
and what is missing still is said.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from locum.cli.answers import checked_origin
from locum.cli.output import console, errors, errors_explained
from locum.guard.certificate import Issuer
from locum.guard.following import Follower, Published
from locum.guard.revocation_list import RevocationList, read_list
from locum.guard.revocations import RevokedSerials
from locum.model.refusal import LocumError, MalformedInput, NotFound

LIST_TRIES = 20
LIST_PAUSE_SECONDS = 0.05
"""A replica may publish a list some milliseconds after another told of the revocation."""

RETRY_SECONDS = 1.0
COMMAND_SECONDS = 60.0
_PEM_LIST = re.compile(r"-----BEGIN X509 CRL-----.*?-----END X509 CRL-----", re.DOTALL)


class Form(Enum):
    """How lists are written."""

    PEM = "pem"
    DER = "der"


class Wanted(msgspec.Struct, frozen=True):
    """What is to be written, and from where."""

    published: Published
    chain: tuple[x509.Certificate, ...]
    out: Path
    form: Form
    append: tuple[Path, ...]


def crl(
    url: Annotated[str, typer.Option("--url", envvar="LOCUM_URL", help="Locum's origin.")],
    out: Annotated[Path, typer.Option("--out", help="The file to write.")],
    ca_file: Annotated[
        str, typer.Option("--ca-file", help="The authority of Locum's TLS certificate, PEM.")
    ] = "",
    form: Annotated[
        Form, typer.Option("--form", help="`der` is Locum's own list alone.")
    ] = Form.PEM,
    append: Annotated[
        list[Path] | None, typer.Option("--append", help="Lists of other authorities, PEM.")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on: write again at every revocation.")
    ] = False,
    then: Annotated[
        str, typer.Option("--then", help="A command to run after each change, without a shell.")
    ] = "",
) -> None:
    """Write the revocation lists that a server reads from a file, and keep them new."""
    with errors_explained():
        if form is Form.DER and append:
            raise MalformedInput("DER holds one list.", "Leave out --append, or write PEM.")
        command = _words(then)
        published = Published(checked_origin(url), ca_file)
        try:
            pem = published.get("/pki/ca.pem").decode(errors="replace")
            issuer = Issuer(pem)
            chain = tuple(x509.load_pem_x509_certificates(pem.encode()))
            wanted = Wanted(published, chain, out, form, tuple(append or ()))
            found = _write(wanted)
            _say_what_is_missing(wanted)
            if command and not _run(command) and not follow:
                raise typer.Exit(1)
            if follow:
                _follow(wanted, issuer, found, command)
        finally:
            published.close()


def _words(then: str) -> list[str]:
    try:
        return shlex.split(then)
    except ValueError as error:
        raise MalformedInput(
            f"--then cannot be read ({error}).", "Write the command as for a shell, in quotes."
        ) from None


def _write(wanted: Wanted, announced: frozenset[int] = frozenset()) -> RevocationList:
    """Fetch the lists, verify them and write the file.

    Args:
        announced: revocations that were told of; the list is awaited that has them. One that
            expired meanwhile is on no list any more, so the wait ends.
    """
    for attempt in range(LIST_TRIES):
        body = wanted.published.revocation_list()
        found = read_list(body, wanted.chain[0], datetime.now(UTC))
        if announced <= found.serials or attempt == LIST_TRIES - 1:
            break
        threading.Event().wait(LIST_PAUSE_SECONDS)
    if wanted.form is Form.DER:
        _replace(wanted.out, found.der)
    else:
        texts = [x509.load_der_x509_crl(found.der).public_bytes(Encoding.PEM).decode()]
        texts += [one.public_bytes(Encoding.PEM).decode() for one in _others(wanted)]
        _replace(wanted.out, "".join(texts).encode())
    console.print(
        f"{datetime.now(UTC):%H:%M:%S.%f} {wanted.out} written: {len(found.serials)} revoked, "
        f"good until {found.next_update:%Y-%m-%d %H:%M:%SZ}.",
        markup=False,
    )
    return found


def _others(wanted: Wanted) -> list[x509.CertificateRevocationList]:
    """The root's list where Locum has it, and those of other authorities."""
    found: list[x509.CertificateRevocationList] = []
    try:
        der = wanted.published.get("/pki/root.crl.der")
        read_list(der, wanted.chain[-1], datetime.now(UTC))
        found.append(x509.load_der_x509_crl(der))
    except NotFound:
        pass  # another authority stands above Locum's; its list is appended
    for file in wanted.append:
        texts = _PEM_LIST.findall(file.read_text(errors="replace"))
        try:
            found += [x509.load_pem_x509_crl(text.encode()) for text in texts]
        except ValueError:
            texts = []
        if not texts:
            raise MalformedInput(f"{file} holds no revocation list in PEM.", "Name another file.")
    return found


def _say_what_is_missing(wanted: Wanted) -> None:
    if wanted.form is Form.DER:
        return
    texts = _PEM_LIST.findall(wanted.out.read_text())
    lists = [x509.load_pem_x509_crl(text.encode()) for text in texts]
    have = {one.issuer.rfc4514_string() for one in lists}
    need = {one.issuer.rfc4514_string() for one in wanted.chain}
    for name in sorted(need - have):
        _warn(f"No list of {name} is in {wanted.out}: nginx refuses every backup. --append it.")
    now = datetime.now(UTC)
    for one in lists:
        if one.next_update_utc is not None and one.next_update_utc <= now:
            _warn(f"The list of {one.issuer.rfc4514_string()} is out of date: nginx refuses all.")


def _follow(wanted: Wanted, issuer: Issuer, found: RevocationList, command: list[str]) -> None:
    """Write again when something is revoked, and before the list gets old; without end."""
    revocations, changed, announced = RevokedSerials(issuer), threading.Event(), set[int]()
    revocations.hear_list(found.der, datetime.now(UTC))

    def tell(serial: int) -> None:
        announced.add(serial)
        changed.set()

    revocations.on_revoked(tell)
    published = wanted.published
    owed = False
    with Follower(revocations, published.lines, published.revocation_list, notice=_warn):
        while True:
            half = (found.next_update - datetime.now(UTC)) / 2
            wait = timedelta(seconds=RETRY_SECONDS) if owed else max(half, timedelta(seconds=1))
            changed.wait(wait.total_seconds())
            changed.clear()
            told = frozenset(announced)
            try:
                found = _write(wanted, told - found.serials)
                announced -= told
                owed = bool(command) and not _run(command)
            except (LocumError, OSError) as error:
                owed = True
                _warn(f"Not written: {error} It is tried again.")


def _run(command: list[str]) -> bool:
    """Run the command; tells whether it did what it should."""
    try:
        done = subprocess.run(command, check=False, timeout=COMMAND_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        _warn(f"{shlex.join(command)} did not run: {error}. The lists are not in force.")
        return False
    if done.returncode:
        _warn(f"{shlex.join(command)} ended with {done.returncode}. The lists are not in force.")
        return False
    console.print(f"{datetime.now(UTC):%H:%M:%S.%f} ran {shlex.join(command)}", markup=False)
    return True


def _replace(file: Path, data: bytes) -> None:
    """Replace a file that everybody may read, at once."""
    handle, part = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            os.fchmod(stream.fileno(), 0o644)
            stream.flush()
            os.fsync(stream.fileno())
        Path(part).replace(file)
    except OSError:
        Path(part).unlink(missing_ok=True)
        raise


def _warn(what: str) -> None:
    errors.print(what, style="yellow", markup=False)
