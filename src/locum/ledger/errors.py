"""What can be wrong with a ledger; each error names the first thing that does not fit."""

from __future__ import annotations

from locum.model.refusal import LocumError


class LedgerError(LocumError):
    """Anything wrong with a ledger, a proof or a checkpoint."""


class MalformedArtefact(LedgerError):
    """Bytes that are not what their place says, or not in their one canonical form."""


class ProofInvalid(LedgerError):
    """A proof or a signature that does not prove what it claims."""


class Tampered(LedgerError):
    """Something of the ledger is not what was signed.

    Args:
        place: the first entry (`entry 1042`) or tile (`tile/1/000.p/3`) that does not fit.
    """

    def __init__(self, place: str, fact: str, remedy: str) -> None:
        super().__init__(f"{place}: {fact}", remedy)
        self.place = place


class AnchorConflict(LedgerError):
    """Another signer was faster; nothing was signed, and the next round decides again."""


class Fork(LedgerError):
    """The tree is not an extension of the one last signed; nothing is signed."""
