"""The target `static`: a sealed secret, burnt at close until a new one is proved to be in place.

Settling a close goes: keep the old secret apart, have a new one made, seal that, prove that the old
one is refused and (by HTTP) that the new one is not, forget the old one. Each step looks at what is
there before it acts, so settling may stop anywhere and be run again; a rotation may then run twice,
and must put another new secret in place each time. Until the proof, nothing is settled.
"""

from __future__ import annotations

from pathlib import Path
from typing import assert_never

import msgspec

from locum.evidence.fetch import Answered, Silent, fetch
from locum.issue.hook import run_hook
from locum.issue.vault import LONGEST_SECRET, Vault
from locum.model.path import Hook, HttpCheck, StaticSecret, Webhook
from locum.model.refusal import MalformedInput, NotFound, Unavailable
from locum.model.secret import Secret

ROTATE_KIND = "locum.rotate/1"
CHECK_KIND = "locum.check/1"
WEBHOOK_SECONDS = 5.0
_BURNT = "burnt/"


class _Made(msgspec.Struct):
    secret: str


def reveal(target: StaticSecret, vault: Vault) -> Secret:
    """The secret as it is sealed now. Raises `NotFound`, `Unavailable`."""
    return vault.read(_name(target))


def settle(target: StaticSecret, hooks: Path, vault: Vault) -> None:
    """Burn the secret: put a new one in place and prove that the old one is dead.

    Raises:
        Unavailable: not done yet; run it again, for ever.
        NotFound: nothing is sealed under the target's name.
        Conflict: another worker settles it.
    """
    name = _name(target)
    try:
        old = vault.read(_BURNT + name)
    except NotFound:
        old = vault.read(name)
        vault.write(_BURNT + name, old)
    if vault.read(name) == old:
        rotate(target, hooks, vault)
    prove_refused(target, old, hooks)
    prove_accepted(target, vault.read(name))
    vault.forget(_BURNT + name)


def rotate(target: StaticSecret, hooks: Path, vault: Vault) -> int:
    """Have a new secret made and seal it; gives its version in the vault.

    Args:
        hooks: the operator's folder of commands.

    Raises:
        Unavailable: none was made, it is the old one, or it could not be sealed.
    """
    name = _name(target)
    # A secret that is made and cannot be sealed would be lost, so first see that it can.
    vault.ready()
    old = vault.read(name)
    asked = msgspec.json.encode({"kind": ROTATE_KIND, "name": name})
    match target.rotate:
        case Hook(command):
            new = _line(run_hook(hooks, command, asked), f"The hook {command}")
        case Webhook(url):
            new = _made(url, asked)
        case _:
            assert_never(target.rotate)
    if new == old:
        raise Unavailable(
            f"The rotation of {name} gave the old secret again.",
            "Mend it: it must put a new secret in place each time.",
        )
    return vault.write(name, new)


def prove_refused(target: StaticSecret, old: Secret, hooks: Path) -> None:
    """Show that the old secret is refused where it was good.

    Raises:
        Unavailable: it is still accepted, or that could not be found out.
    """
    match target.check:
        case HttpCheck():
            _refused_over_http(target.check, old)
        case Hook(command):
            asked = {"kind": CHECK_KIND, "name": _name(target), "secret": old.reveal()}
            run_hook(hooks, command, msgspec.json.encode(asked))
        case _:
            assert_never(target.check)


def prove_accepted(target: StaticSecret, new: Secret) -> None:
    """Show that the HTTP check tells the new secret from the old: one that refuses everything
    proves nothing. A hook is taken at its word.

    Raises:
        Unavailable: the new secret is refused too, or that could not be found out.
    """
    if not isinstance(target.check, HttpCheck):
        return
    answer = _sent(target.check, new)
    if isinstance(answer, Silent) or answer.status in target.check.refused or answer.status >= 500:
        raise Unavailable(
            f"{target.check.url} does not accept the new secret, so its refusal of the old one "
            "proves nothing.",
            "Look whether the rotation took, and whether the check asks the right address.",
        )


def _sent(check: HttpCheck, secret: Secret) -> Answered | Silent:
    if not _is_plain(secret.reveal()):
        raise MalformedInput(
            "The secret cannot be sent in a header.", "Check it by a hook instead."
        )
    return fetch("GET", check.url, headers={check.header: check.prefix + secret.reveal()})


def _refused_over_http(check: HttpCheck, old: Secret) -> None:
    answer = _sent(check, old)
    match answer:
        case Answered(status, _) if status in check.refused:
            return
        case Answered(status, _):
            raise Unavailable(
                f"{check.url} answered the old secret with {status}, so it may still be good.",
                "Look whether the rotation took; it will be tried again.",
            )
        case Silent(detail):
            raise Unavailable(
                f"Whether the old secret is refused is not known: {detail}",
                "Bring the address back; it will be tried again.",
            )


def _made(url: str, asked: bytes) -> Secret:
    answer = fetch(
        "POST",
        url,
        headers={"Content-Type": "application/json"},
        content=asked,
        seconds=WEBHOOK_SECONDS - 0.5,
    )
    match answer:
        case Silent(detail):
            raise Unavailable(
                f"The rotation webhook made no secret: {detail}",
                "Bring it back; it will be tried again.",
            )
        case Answered(200 | 201, body):
            try:
                made = msgspec.json.decode(body, type=_Made).secret
            except (msgspec.MsgspecError, UnicodeError, RecursionError):
                made = ""
            return _line(made.encode(), "The rotation webhook")
        case Answered(status, _):
            raise Unavailable(
                f"The rotation webhook answered {status}.", "Look at its log; it will be retried."
            )


def _line(printed: bytes, who: str) -> Secret:
    """Read one secret: printable ASCII without spaces, in one line."""
    try:
        text = printed.removesuffix(b"\n").decode("ascii")
    except UnicodeDecodeError:
        text = ""
    if not _is_plain(text):
        raise Unavailable(
            f"{who} did not give one secret in one line.",
            f"Have it give 1 to {LONGEST_SECRET} printable ASCII characters without spaces, alone.",
        )
    return Secret(text)


def _is_plain(text: str) -> bool:
    return 0 < len(text) <= LONGEST_SECRET and all("!" <= character <= "~" for character in text)


def _name(target: StaticSecret) -> str:
    if target.name.startswith(_BURNT):
        raise MalformedInput(
            f"Secrets under {_BURNT} are those that are being burnt.", "Name the secret otherwise."
        )
    return target.name
