"""What every refusal owes the one who is refused: the law, a fact and a remedy."""

from __future__ import annotations

from collections.abc import Sequence

from locum.laws.permits import Refusal
from locum.model.refusal import Breach, Law


def refused_by(law: Law, answer: Refusal | Sequence[Breach], saying: str = "") -> None:
    """Check that `answer` is a refusal of just this law, that says why and what to do."""
    assert not hasattr(answer, "ends_at"), f"{law} was expected to refuse, and it was allowed"
    breaches = answer.breaches if isinstance(answer, Refusal) else tuple(answer)
    assert breaches, f"{law} was expected to refuse, and nothing was found wrong"
    assert {breach.law for breach in breaches} == {law}
    for breach in breaches:
        assert breach.fact.strip(), "a refusal says which fact broke the law"
        assert breach.remedy.strip(), "a refusal says what to do next"
    assert saying in " ".join(breach.fact for breach in breaches)
