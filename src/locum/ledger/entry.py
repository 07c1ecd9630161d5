"""The ledger's entries: one canonical JSON object per act, at most 65,535 bytes.

An entry names the act, who did it, and the digest and version of the state that came of it, so
that ledger and state can be compared without keeping the state twice. Words that a person typed
are not in it: a salted commitment stands for them, so that they can be erased (ledger.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

import msgspec

from locum.model.digest import canonical, digest
from locum.model.names import Digest
from locum.model.refusal import Breach, MalformedInput
from locum.model.request import State, ask_of, grant_of, name_of

LONGEST = 65_535


class Entry(msgspec.Struct, frozen=True, tag="locum.entry/1", tag_field="kind", omit_defaults=True):
    """One act on the record.

    Args:
        act: e.g. `request.made`, `grant.closed`, `refused`.
        at: when, aware UTC.
        actor: the identity that acted; empty where Locum did by itself.
        key: the thumbprint of the actor's key.
        subject: what it is about: a request's id, an identity, a path.
        path: the path, where one is concerned.
        grant: the grant, where one exists.
        state: the state's word after the act.
        version: the version of the state after the act.
        state_digest: the digest of that state.
        words: the commitment to what a person wrote (reason, comment).
        facts: whatever else is needed to understand it; never a secret.
    """

    act: str
    at: datetime
    actor: str = ""
    key: str = ""
    subject: str = ""
    path: str = ""
    grant: str = ""
    state: str = ""
    version: int = 0
    state_digest: Digest = Digest("")
    words: str = ""
    facts: Mapping[str, str | int | bool | list[str]] = {}


_decoder = msgspec.json.Decoder(Entry)


def of_state(
    act: str,
    state: State,
    version: int,
    at: datetime,
    *,
    actor: str = "",
    key: str = "",
    words: str = "",
    facts: Mapping[str, str | int | bool | list[str]] | None = None,
) -> Entry:
    """The entry of an act that gave a request a new state."""
    asked, grant = ask_of(state), grant_of(state)
    return Entry(
        act,
        at,
        actor=actor,
        key=key,
        subject=asked.id,
        path=str(asked.path),
        grant="" if grant is None else grant.id,
        state=name_of(state),
        version=version,
        state_digest=digest(state),
        words=words,
        facts=facts or {},
    )


def of_refusal(
    subject: str, breaches: tuple[Breach, ...], at: datetime, *, actor: str, key: str, path: str
) -> Entry:
    """The entry of an act that the laws refused."""
    return Entry(
        "refused",
        at,
        actor=actor,
        key=key,
        subject=subject,
        path=path,
        facts={"breaches": [f"{breach.law}: {breach.fact}" for breach in breaches]},
    )


def encode(entry: Entry) -> bytes:
    """The entry's canonical bytes.

    Raises:
        MalformedInput: it would be longer than a ledger entry may be.
    """
    encoded = canonical(entry)
    if len(encoded) > LONGEST:
        raise MalformedInput(
            f"A ledger entry would be {len(encoded)} bytes.",
            f"Keep it to {LONGEST}: shorten what is asked.",
        )
    return encoded


def decode(encoded: bytes) -> Entry:
    """Read an entry back; other bytes than `encode` gives are refused.

    Raises:
        MalformedInput: not an entry, an unknown version, or not canonical.
    """
    try:
        entry = _decoder.decode(encoded)
    except msgspec.DecodeError as error:
        raise MalformedInput(
            f"Not a ledger entry: {error}.", "Look at the ledger's version."
        ) from None
    if canonical(entry) != encoded:
        raise MalformedInput("A ledger entry is not canonical.", "It was not written by Locum.")
    return entry


def commitment(salt: bytes, words: str) -> str:
    """The salted commitment that stands for a person's words: `sha256:` and hexadecimal."""
    return "sha256:" + hashlib.sha256(salt + words.encode()).hexdigest()
