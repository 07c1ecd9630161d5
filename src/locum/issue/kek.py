"""The key-encryption key: where it comes from, and what is derived from it.

256 bits out of a file that nobody else can read, an environment variable, or a command (for a
cloud's key service or a hardware module). It seals secrets under its own purpose, and every other
use gets a key of its own by HKDF-SHA-256 (RFC 5869). A key file is `locum-kek/1`, a line feed, the
key in base64, a line feed, and nothing else.
"""

from __future__ import annotations

import base64
import binascii
import os
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn, final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from locum.issue.run_bounded import run_bounded
from locum.model.refusal import MalformedInput, Unavailable

KEY_BYTES = 32
_KIND = b"locum-kek/1\n"
_COMMAND_SECONDS = 5.0


@final
class KeyEncryptionKey:
    """Hold the key; neither `repr` nor pickling shows it.

    Args:
        key: 32 bytes.
    """

    __slots__ = ("__key",)

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise MalformedInput(
                f"A key-encryption key has {KEY_BYTES} bytes; this one has {len(key)}.",
                "Make one with `locum init`, or with `head -c 32 /dev/urandom | base64`.",
            )
        self.__key = key

    def reveal(self) -> bytes:
        """Give the key itself, to derive from it."""
        return self.__key

    def __repr__(self) -> str:
        return "KeyEncryptionKey(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a KeyEncryptionKey is not pickled")


def derive(kek: KeyEncryptionKey, purpose: str) -> bytes:
    """Derive 32 bytes for one purpose, e.g. `ledger pending seal`; they tell nothing of others."""
    return HKDF(
        algorithm=hashes.SHA256(), length=KEY_BYTES, salt=None, info=f"locum/1 {purpose}".encode()
    ).derive(kek.reveal())


def create_key_file(path: Path, rng: Callable[[int], bytes]) -> KeyEncryptionKey:
    """Make a key and keep it in a new file with mode 0600, durably.

    Raises:
        Unavailable: the file exists (a key is never overwritten) or cannot be written.
    """
    kek = KeyEncryptionKey(rng(KEY_BYTES))
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            os.write(file, _KIND + base64.b64encode(kek.reveal()) + b"\n")
            os.fsync(file)
        finally:
            os.close(file)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except FileExistsError:
        raise Unavailable(
            f"The key file {path} exists already, and a key is never overwritten.",
            "Use it, or name another file.",
        ) from None
    except OSError as error:
        raise Unavailable(
            f"The key file {path} cannot be written: {error.strerror}.",
            "Name a folder that the process may write.",
        ) from None
    return kek


def kek_from_file(path: Path) -> KeyEncryptionKey:
    """Read the key from a file that nobody else can read.

    Raises:
        Unavailable: no regular file, not ours, open to others, or no key in it.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise Unavailable(
            f"The key file {path} cannot be opened (links are not followed): {error.strerror}.",
            "Name the file itself, or make one with `locum init`.",
        ) from None
    try:
        about = os.fstat(file)
        if not stat.S_ISREG(about.st_mode):
            raise Unavailable(f"{path} is not a regular file.", "Name the key file itself.")
        if about.st_uid != os.geteuid():
            raise Unavailable(
                f"The key file {path} belongs to user {about.st_uid}, not to {os.geteuid()} who "
                "runs this.",
                f"chown it to that user: `chown {os.geteuid()} {path}`.",
            )
        if about.st_mode & 0o177:
            raise Unavailable(
                f"The key file {path} has mode {stat.S_IMODE(about.st_mode):04o}: others may read "
                "or run it.",
                f"`chmod 0600 {path}`; if others could have read it, change the key.",
            )
        content = os.read(file, 256)
    finally:
        os.close(file)
    text = content.removeprefix(_KIND)
    if not content.startswith(_KIND) or not text.endswith(b"\n"):
        raise Unavailable(
            f"{path} is not a key file of version 1.", "Restore it from where the key is kept."
        )
    return _decoded(text[:-1], str(path))


def kek_from_environment(name: str, environment: Mapping[str, str]) -> KeyEncryptionKey:
    """Read the key from a variable: 32 bytes in base64.

    Raises:
        Unavailable: not set, or no key.
    """
    text = environment.get(name)
    if text is None:
        raise Unavailable(
            f"The environment variable {name} is not set.", "Set it to 32 bytes in base64."
        )
    return _decoded(text.encode(errors="replace"), f"the environment variable {name}")


def kek_from_command(command: Sequence[str]) -> KeyEncryptionKey:
    """Read the key from what a command prints: 32 bytes in base64, and a line feed or none.

    Args:
        command: program and arguments; no shell. It inherits the environment, for a key service's
            own credentials.

    Raises:
        Unavailable: it failed, ran out of time, or printed no key.
    """
    printed = run_bounded(
        command,
        stdin=b"",
        seconds=_COMMAND_SECONDS,
        most_bytes=256,
        environment=dict(os.environ),
        what="The command for the key-encryption key",
    )
    return _decoded(printed.removesuffix(b"\n"), "the command's output")


def _decoded(text: bytes, where: str) -> KeyEncryptionKey:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES or base64.b64encode(key) != text:
        raise Unavailable(
            f"There is no key of 32 bytes in base64 in {where}.",
            "Give exactly what `head -c 32 /dev/urandom | base64` prints.",
        )
    return KeyEncryptionKey(key)
