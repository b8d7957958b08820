"""Output quality of the candidate against stable, per slice: the verdicts (rules R11, R15).

A slice breaches early by its e-value, or by one one-sided paired t-test when it has reached the cap of pairs, where
Holm's correction is over all slices of the rollout. 50 pairs see a drop of .10 (sd .2), not one of .05.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gates.statistics.arrays import known
from gates.statistics.distributions import ALPHA
from gates.statistics.holm import holm_adjusted
from gates.statistics.limits import meets, shown_beside, shown_change, shown_limit, shown_probability
from gates.statistics.policies import Evidence
from releases.monitors.evidence import Alarm, value_of
from releases.monitors.quality_sums import QualitySums
from releases.monitors.verdict import MonitorVerdict, Reading, Weighed
from releases.monitors.wording import counted, evidence_sentence, missing_sentences

CAP = 50
FEWEST_PAIRS = 10


def judge_quality(slices: Mapping[str, QualitySums], *, alarm: Alarm, cap: int = CAP) -> dict[str, MonitorVerdict]:
    """Judge every slice of the rollout; the caller stops replaying a slice at ``cap`` pairs."""
    adjusted = holm_adjusted([_p_at_cap(sums, cap) for sums in slices.values()])
    return {
        name: _judge(_Slice(name, sums, alarm, p if sums.n >= cap else None))
        for (name, sums), p in zip(slices.items(), adjusted, strict=True)
    }


def _p_at_cap(sums: QualitySums, cap: int) -> float:
    """Return P(T ≤ t) against a mean of −tolerance; 1 for a slice that is not at the cap yet, which still counts."""
    p = known(sums.mean().p_below(-sums.tolerance)) if sums.n >= cap else None
    return 1.0 if p is None else p


@dataclass(frozen=True, slots=True)
class _Slice:
    """One slice at a look; ``p`` is the adjusted p-value of the final test, None before it."""

    name: str
    sums: QualitySums
    alarm: Alarm
    p: float | None

    @property
    def mean(self) -> float | None:
        return known(self.sums.mean().mean)

    @property
    def weighed(self) -> Weighed:
        enough = self.sums.n >= FEWEST_PAIRS
        within = None if self.mean is None else meets(self.mean, -self.sums.tolerance)
        return Weighed(self.sums.log_above, self.sums.log_below, self.alarm, within, enough, enough)

    @property
    def proven_at_cap(self) -> bool:
        return self.p is not None and self.sums.n >= FEWEST_PAIRS and meets(ALPHA, self.p)


def _judge(look: _Slice) -> MonitorVerdict:
    weighed, at_cap = look.weighed, look.proven_at_cap
    reading, evidence = (Reading.BREACH, Evidence.PROVEN) if at_cap else weighed.decide()
    return MonitorVerdict(
        monitor=f"quality/{look.name}",
        reading=reading,
        evidence=evidence,
        n=look.sums.n,
        estimate=look.mean,
        limit=-look.sums.tolerance,
        e_above=value_of(weighed.log_above),
        e_below=value_of(weighed.log_below),
        alarm=look.alarm.value,
        reasons=_reasons(look, weighed),
        p=look.p,
    )


def _reasons(look: _Slice, weighed: Weighed) -> tuple[str, ...]:
    missing = look.sums.missing
    unusable = (f"{counted(missing, 'more pair')} could not be replayed or scored.",) if missing else ()
    needs = missing_sentences([(look.sums.n, FEWEST_PAIRS, "pair")])
    return (_position(look), *unusable, *needs, *_final(look), evidence_sentence(weighed))


def _position(look: _Slice) -> str:
    if look.mean is None:
        return f"{look.name}: no prompt has been answered by both releases and scored since this checkpoint began."
    limit = -look.sums.tolerance
    side, pairs = "within" if meets(look.mean, limit) else "beyond", counted(look.sums.n, "pair")
    return (
        f"{look.name}: over {pairs} of answers quality changed by {_signed(look.mean, limit)} on average, "
        f"{side} the tolerated {shown_limit(limit, look.mean)}."
    )


def _signed(value: float, limit: float) -> str:
    written = shown_beside(value, limit)
    return shown_change(0.0) if value == 0 else f"+{written}" if value > 0 else written


def _final(look: _Slice) -> tuple[str, ...]:
    if look.p is None:
        return ()
    end = "the drop is proven" if look.proven_at_cap else "a drop beyond that is not proven"
    return (f"The last test, at {counted(look.sums.n, 'pair')}: {end} ({shown_probability(look.p)}).",)
