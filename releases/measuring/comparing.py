"""The verdicts of errors and latency at a look: against the concurrent arm, a frozen baseline, or nothing at all.

On a cold start there is no stable release, so there is no ratio to judge: only an outage breaches, and the checkpoint
waits for as many requests as the monitors need to see one.
"""

from dataclasses import dataclass, replace
from typing import Final

from gates.statistics.limits import meets
from gates.statistics.policies import Evidence
from releases.measuring.baselines import FrozenBaseline
from releases.measuring.checkpoint_sums import CheckpointSums, Latencies
from releases.monitors.error_rate import FEWEST_CANDIDATE_REQUESTS, judge_errors, judge_errors_frozen
from releases.monitors.evidence import Alarm
from releases.monitors.latencies import LatencySums
from releases.monitors.latency import LatencyBaseline, judge_latency
from releases.monitors.quality_sums import TOLERANCE
from releases.monitors.verdict import MonitorVerdict, Reading

TTFT: Final = "latency_ttft"
TOTAL: Final = "latency_total"

NOTHING_TO_COMPARE: Final = "The route has served no release before this one, so there is nothing to compare with"
ONLY_AN_OUTAGE: Final = f"{NOTHING_TO_COMPARE}: only an outage breaches here."
NO_LATENCY_LIMIT: Final = f"{NOTHING_TO_COMPARE}: no latency is too long here."
NO_SLICE: Final = (
    "No slice of this application is watched, so quality is not compared: make a slice, or let the quality monitor run "
    "dry."
)


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a checkpoint: what was counted, against what it is judged, and by which limits."""

    sums: CheckpointSums
    subjects: int
    alarm: Alarm
    error_limit: float
    latency_limit: float
    frozen: FrozenBaseline | None = None
    cold_start: bool = False

    def errors(self) -> MonitorVerdict:
        """The verdict on errors."""
        sums, subjects, limit = self.sums.errors, self.subjects, self.error_limit
        if self.frozen is not None:
            baseline = self.frozen.errors
            return judge_errors_frozen(sums.candidate, baseline, subjects=subjects, alarm=self.alarm, limit=limit)
        verdict = judge_errors(sums, subjects=subjects, alarm=self.alarm, limit=limit)
        return self._without_stable(verdict, ONLY_AN_OUTAGE) if self.cold_start else verdict

    def latency(self) -> tuple[MonitorVerdict, ...]:
        """The verdicts on the time to the first token, unless nobody streams, and on the total."""
        frozen = self.frozen
        ttft = self._latency(TTFT, self.sums.ttft, frozen.ttft if frozen else None)
        total = self._latency(TOTAL, self.sums.total, frozen.total if frozen else None)
        return (ttft, total) if self._anybody_streams else (total,)

    @property
    def _anybody_streams(self) -> bool:
        stable = self.frozen.ttft if self.frozen else self.sums.ttft.stable
        return bool(self.sums.ttft.candidate.requests or stable.requests)

    def _latency(self, name: str, sums: Latencies, frozen: LatencySums | None) -> MonitorVerdict:
        concurrent = LatencyBaseline(sums.stable)
        baseline = self.frozen.latency(frozen) if self.frozen and frozen is not None else concurrent
        verdict = judge_latency(
            sums.candidate,
            baseline,
            monitor=name,
            subjects=self.subjects,
            alarm=self.alarm,
            limit=self.latency_limit,
        )
        return self._without_stable(verdict, NO_LATENCY_LIMIT) if self.cold_start else verdict

    def _without_stable(self, verdict: MonitorVerdict, note: str) -> MonitorVerdict:
        """A hold for want of a comparison is ok once an outage would have been seen."""
        enough = meets(self.sums.errors.candidate.requests, FEWEST_CANDIDATE_REQUESTS)
        if verdict.reading is not Reading.HOLD or not enough:
            return verdict
        return replace(verdict, reading=Reading.OK, reasons=(verdict.reasons[0], note))


def unjudged_quality(reading: Reading, why: str, alarm: Alarm) -> MonitorVerdict:
    """What the quality monitor says where there is no slice to judge."""
    return MonitorVerdict(
        monitor="quality",
        reading=reading,
        evidence=Evidence.NONE,
        n=0,
        estimate=None,
        limit=-TOLERANCE,
        e_above=1.0,
        e_below=1.0,
        alarm=alarm.value,
        reasons=(why,),
    )


def quiet_slice(slug: str, alarm: Alarm) -> MonitorVerdict:
    """What is said of a slice that had no traffic: nobody got an answer there, so there is none to compare."""
    why = f"{slug}: no request has come in since this checkpoint began: there is nothing to compare."
    return replace(unjudged_quality(Reading.OK, why, alarm), monitor=f"quality/{slug}")
