"""p95 latency of the candidate against stable: the verdict (rules R11, R11a, R14).

The candidate breaches when more than 5 % of its latencies lie beyond 1.2 × the upper bound of stable's p95. As the
bound and the e-value share α, the evidence that is reported is half the e-value, and the bound errs with 1/(2L).
"""

import math
from dataclasses import dataclass

from gates.statistics.limits import meets, shown_beside, shown_limit
from releases.monitors.evidence import Alarm, value_of
from releases.monitors.frozen import FEWEST_REQUESTS, OLDEST_HOURS, unusable_sentence
from releases.monitors.latencies import COARSE, STEP, LatencySums
from releases.monitors.quantile_bounds import (
    QUANTILE,
    log_above,
    log_below,
    ranks_at_every_look,
    ranks_at_one_look,
)
from releases.monitors.subjects import FEWEST_SUBJECTS, learned_dispersion
from releases.monitors.verdict import MonitorVerdict, Weighed
from releases.monitors.wording import counted, evidence_sentence, milliseconds, missing_sentences

LIMIT = 1.2
FEWEST_CANDIDATE_REQUESTS = 200


@dataclass(frozen=True, slots=True)
class LatencyBaseline:
    """Stable's latencies: concurrent ones, or those that were frozen ``age_hours`` ago."""

    sums: LatencySums
    age_hours: float | None = None

    @property
    def usable(self) -> bool:
        """Whether evidence against it may breach; a frozen one that is too old or too small only holds."""
        if self.age_hours is None:
            return True
        return self.sums.requests >= FEWEST_REQUESTS and meets(OLDEST_HOURS, self.age_hours)

    def bounds(self, alarm: float) -> tuple[int | None, int | None]:
        """Return the bins of the p95's lower and upper bound, each None where there are too few latencies for it."""
        size = math.floor(self.sums.exposure / dispersion_beyond(self.sums, QUANTILE)) if self.sums.requests else 0
        if not size:
            return None, None
        one_look = self.age_hours is not None
        low, high = ranks_at_one_look(size, 1 / (2 * alarm)) if one_look else ranks_at_every_look(size, 2 * alarm)
        return (
            self.sums.bin_at(low / size) if low >= 1 else None,
            self.sums.bin_at(high / size) if high <= size else None,
        )


def dispersion_beyond(sums: LatencySums, share: float) -> float:
    """Return φ of the latencies beyond a quantile of their own, at the coarse bins on either side of it."""
    return dispersion_from(sums, sums.bin_at(share))


def dispersion_from(sums: LatencySums, index: int) -> float:
    """Return φ of the latencies from about fine bin ``index`` on: the larger of the coarse bins on either side."""
    near = (index // COARSE, index // COARSE + 1)
    return max(1.0, *(learned_dispersion(*sums.exceedances(coarse), binomial=True) for coarse in near))


def judge_latency(
    candidate: LatencySums,
    baseline: LatencyBaseline,
    *,
    monitor: str,
    subjects: int,
    alarm: Alarm,
    limit: float = LIMIT,
) -> MonitorVerdict:
    """Judge the candidate's p95; ``monitor`` names the latency (total, or time to the first token).

    ``subjects`` is the number of distinct candidate subjects since the checkpoint was entered.
    """
    own, other = _p95(candidate), _p95(baseline.sums)
    ratio = None if own is None or other is None else own / other
    within = None if ratio is None else meets(limit, ratio)
    above, below, dispersion = _evidence(candidate, baseline, alarm.value, limit)
    enough = candidate.requests >= FEWEST_CANDIDATE_REQUESTS
    weighed = Weighed(
        log_above=above,
        log_below=below,
        alarm=alarm,
        within=within if baseline.usable else None,
        enough=enough,
        enough_to_breach=enough and subjects >= FEWEST_SUBJECTS and baseline.usable,
    )
    reading, proof = weighed.decide()
    return MonitorVerdict(
        monitor=monitor,
        reading=reading,
        evidence=proof,
        n=candidate.requests,
        estimate=ratio,
        limit=limit,
        e_above=value_of(above),
        e_below=value_of(below),
        alarm=alarm.value,
        reasons=_reasons(candidate, baseline, weighed, subjects, limit),
        dispersion=dispersion,
    )


def _p95(sums: LatencySums) -> float | None:
    return sums.quantile(QUANTILE) if sums.requests else None


def _evidence(
    candidate: LatencySums, baseline: LatencyBaseline, alarm: float, limit: float
) -> tuple[float, float, float]:
    """Return the halved log evidence above and below the limit, and the candidate's dispersion at the limit."""
    low, high = baseline.bounds(alarm)
    if not candidate.requests:
        return -math.log(2), -math.log(2), 1.0
    reach = math.log(limit) / STEP
    above = below = 0.0
    dispersion = 1.0
    if high is not None:
        first = high + 1 + math.ceil(reach)  # the first bin that lies wholly beyond the limit
        dispersion = dispersion_from(candidate, first)
        above = log_above(candidate.at_least(first) / dispersion, candidate.exposure / dispersion)
    if low is not None:
        first = low + math.floor(reach)  # the first bin that may reach beyond it
        lower = dispersion_from(candidate, first)
        below = log_below(candidate.at_least(first) / lower, candidate.exposure / lower)
    return above - math.log(2), below - math.log(2), dispersion


def _reasons(
    candidate: LatencySums, baseline: LatencyBaseline, weighed: Weighed, subjects: int, limit: float
) -> tuple[str, ...]:
    needs = [(candidate.requests, FEWEST_CANDIDATE_REQUESTS, "measured candidate request")]
    if weighed.alarming:
        needs.append((subjects, FEWEST_SUBJECTS, "distinct candidate subject"))
    notes = [] if baseline.usable else [unusable_sentence(baseline.sums.requests, baseline.age_hours or 0.0)]
    return (
        _position(candidate, baseline.sums, limit),
        *missing_sentences(needs),
        *notes,
        evidence_sentence(weighed),
    )


def _position(candidate: LatencySums, stable: LatencySums, limit: float) -> str:
    own, other = _p95(candidate), _p95(stable)
    if own is None:
        return "No latency of the candidate has been measured since this checkpoint began."
    found = f"p95 is {milliseconds(own)} over {counted(candidate.requests, 'candidate request')}"
    if other is None:
        return f"{found}; stable has no latencies to compare with."
    ratio = own / other
    side = "within" if meets(limit, ratio) else "over"
    return (
        f"{found}, on stable {milliseconds(other)} over {stable.requests:,}: {shown_beside(ratio, limit)} times that "
        f"of stable, {side} the limit of {shown_limit(limit, ratio)}."
    )
