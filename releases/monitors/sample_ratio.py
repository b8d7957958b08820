"""Do the arms get the subjects that they should? Counted over distinct subjects, never requests (rule R11b).

Which arm a new subject falls into is a draw with the checkpoint's shares, whatever the subject then does. The evidence
against the shares is a Dirichlet-multinomial e-value (Lindon and Malek, NeurIPS 2022) with concentration 200 around
them; it alarms at 1,000, so at most one sound assignment in 1,000 is ever alarmed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import special

from gates.statistics.limits import meets
from releases.monitors.evidence import value_of
from releases.monitors.wording import percent, shown_evidence

CONCENTRATION = 200.0
ALARM = 1000.0


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """Distinct subjects of each arm since the checkpoint was entered, with the evidence against the shares."""

    counts: tuple[int, ...]
    shares: tuple[float, ...]
    log_evidence: float

    @property
    def failed(self) -> bool:
        """Whether the assignment is not what was decided: hold at once and alarm."""
        return meets(value_of(self.log_evidence), ALARM)

    def reasons(self, names: Sequence[str] = ("candidate", "stable")) -> tuple[str, ...]:
        """Say how many subjects each arm got, of how many, and what that is evidence of."""
        seen = sum(self.counts)
        if not seen:
            return ("No subject has been seen since this checkpoint began.",)
        rows = zip(names, self.counts, self.shares, strict=True)
        got = ", ".join(f"{name} {percent(count / seen)} (should be {percent(share)})" for name, count, share in rows)
        end = (
            "The assignment of subjects is broken: nothing is decided on it." if self.failed else "That can be chance."
        )
        evidence = f"evidence {shown_evidence(value_of(self.log_evidence))} of {ALARM:,.0f}"
        return (f"{seen:,} distinct subjects: {got}; {evidence}. {end}",)


def sample_ratio(counts: Sequence[int], shares: Sequence[float]) -> SampleRatio:
    """Weigh the counts of the arms against the shares that they should get; one arm alone is always right."""
    if len(counts) != len(shares) or not math.isclose(sum(shares), 1.0) or min(shares, default=0.0) < 0:
        raise ValueError("each arm needs its share, and shares add to 1")
    if min(counts) < 0:
        raise ValueError("an arm has fewer than no subjects: count each subject once")
    return SampleRatio(tuple(counts), tuple(shares), _log_evidence(counts, shares))


def _log_evidence(counts: Sequence[int], shares: Sequence[float]) -> float:
    if any(count and not share for count, share in zip(counts, shares, strict=True)):
        return math.inf  # an arm without a share got a subject
    arms = [(count, share) for count, share in zip(counts, shares, strict=True) if share]
    prior = [CONCENTRATION * share for _, share in arms]
    seen = sum(count for count, _ in arms)
    logs = [
        special.gammaln(a + count) - special.gammaln(a) - count * math.log(share)
        for (count, share), a in zip(arms, prior, strict=True)
    ]
    total = math.fsum(prior)
    return float(math.fsum(logs) + special.gammaln(total) - special.gammaln(total + seen))
