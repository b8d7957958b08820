"""What all monitors of a rollout say now (domain.md "Roll", statistics.md R11-R15): one look, as one value.

Limits, tolerances, dry monitors and policies are those that were pinned at the rollout's start. Only what was counted
since the present checkpoint was entered is judged. The rest is reading: nothing is written here.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from releases.measuring.baselines import frozen_baseline, takes_all_traffic
from releases.measuring.checkpoint_sums import CheckpointSums
from releases.measuring.comparing import NO_SLICE, NOTHING_TO_COMPARE, Look, quiet_slice, unjudged_quality
from releases.measuring.history import moment
from releases.measuring.policies import judge_policies
from releases.monitors import error_rate, latency
from releases.monitors.evidence import MONITOR_ALARM, Alarm, rollout_alarm
from releases.monitors.quality import FEWEST_PAIRS, judge_quality
from releases.monitors.sample_ratio import sample_ratio
from releases.monitors.verdict import MonitorVerdict, Reading
from releases.replays.sums import quality_sums
from releases.rollout_models import Measurement, ReplayPair, Rollout
from releases.rollouts import states
from releases.rollouts.evidence import Monitor, MonitorVerdicts

MONITORS: Final = 4  # errors, both latencies, quality: each may breach by itself
RATE_OVER: Final = timedelta(seconds=60)


def measured(row: Rollout, value: states.Rollout, now: datetime) -> MonitorVerdicts:
    """The readings of the checkpoint that `value` is at; without a measurement of it nothing has been read."""
    measurement = Measurement.objects.filter(rollout=row, checkpoint=value.checkpoint).first()
    if measurement is None:
        return _nothing_yet(row, value, now)
    return _Reading(row, value, now, measurement, CheckpointSums.from_json(measurement.sums)).verdicts()


def alarm_of(row: Rollout, value: states.Rollout) -> Alarm:
    """The evidence that breaches: over the whole rollout, unless its settings ask for each monitor alone."""
    if row.settings.get("alarm") == "monitor":
        return MONITOR_ALARM
    slices = max(1, len(row.settings.get("slices", ())))
    steps = len(value.plan) + (1 if value.shadow is not None else 0)
    return rollout_alarm(monitors=MONITORS, slices=slices, checkpoints=steps)


def requests_per_second(measurement: Measurement) -> float | None:
    """The candidate's requests of about the last minute, by the history; None while that is too short."""
    points = measurement.history
    before = [point for point in points if measurement.folded_at - moment(point) >= RATE_OVER] or points[:1]
    if not before:
        return None
    passed = (measurement.folded_at - moment(before[-1])).total_seconds()
    count = measurement.candidate_requests - before[-1]["requests"]
    return max(0, count) / passed if passed > 0 else None


def _nothing_yet(row: Rollout, value: states.Rollout, now: datetime) -> MonitorVerdicts:
    empty = Measurement(rollout=row, checkpoint=value.checkpoint, entered_at=value.entered_at, folded_at=now)
    return _Reading(row, value, now, empty, CheckpointSums()).verdicts()


@dataclass(frozen=True, slots=True)
class _Reading:
    row: Rollout
    value: states.Rollout
    now: datetime
    measurement: Measurement
    sums: CheckpointSums

    def verdicts(self) -> MonitorVerdicts:
        measurement, look = self.measurement, self._look()
        return MonitorVerdicts(
            since=measurement.entered_at,
            requests=measurement.candidate_requests,
            requests_per_second=requests_per_second(measurement),
            errors=self._monitor("errors", (look.errors(),), error_rate.FEWEST_CANDIDATE_REQUESTS),
            latency=self._monitor("latency", look.latency(), latency.FEWEST_CANDIDATE_REQUESTS),
            quality=self._quality(look.alarm),
            sample_ratio=self._sample_ratio(),
            policies=judge_policies(self.row, measurement, self.now),
        )

    def _look(self) -> Look:
        row, limits = self.row, self.row.settings.get("limits", {})
        alone = takes_all_traffic(row, self.measurement.checkpoint)
        return Look(
            sums=self.sums,
            subjects=self.measurement.candidate_subjects,
            alarm=alarm_of(row, self.value),
            error_limit=float(limits.get("errors", error_rate.LIMIT)),
            latency_limit=float(limits.get("latency", latency.LIMIT)),
            frozen=frozen_baseline(row, self.measurement, self.now) if alone else None,
            cold_start=self.value.cold_start,
        )

    def _monitor(self, name: str, verdicts: tuple[MonitorVerdict, ...], needed: int) -> Monitor:
        """One that holds for want of requests has them when the present rate brings them."""
        lacks = [needed - one.n for one in verdicts if one.reading is Reading.HOLD and one.n < needed]
        eta = self._eta(max(lacks), requests_per_second(self.measurement)) if lacks else None
        return Monitor(verdicts, self._dry(name), eta)

    def _quality(self, alarm: Alarm) -> Monitor:
        row, checkpoint = self.row, self.measurement.checkpoint
        if self.value.cold_start:
            nothing_lost = unjudged_quality(Reading.OK, f"{NOTHING_TO_COMPARE}: no quality can be lost.", alarm)
            return Monitor((nothing_lost,), self._dry("quality"))
        slices = quality_sums(row, checkpoint, row.settings.get("tolerances", {}))
        if not slices:
            return Monitor((unjudged_quality(Reading.HOLD, NO_SLICE, alarm),), self._dry("quality"))
        quiet = self._without_traffic(slices)
        judged = judge_quality({slug: sums for slug, sums in slices.items() if slug not in quiet}, alarm=alarm)
        verdicts = (*judged.values(), *(quiet_slice(slug, alarm) for slug in quiet))
        fewest = min(one.n for one in judged.values())
        passed = (self.now - self.measurement.entered_at).total_seconds()
        eta = self._eta(FEWEST_PAIRS - fewest, fewest / passed if passed > 0 else None)
        return Monitor(verdicts, self._dry("quality"), eta if fewest < FEWEST_PAIRS else None)

    def _without_traffic(self, slices: Collection[str]) -> list[str]:
        """Watched slices of which nobody asked anything at this checkpoint, as long as somebody did of another."""
        pairs = ReplayPair.objects.filter(rollout=self.row, checkpoint=self.measurement.checkpoint)
        asked = set(pairs.values_list("slice", flat=True).distinct())
        return sorted(set(slices) - asked) if asked else []

    def _eta(self, lack: int, rate: float | None) -> datetime | None:
        return self.now + timedelta(seconds=lack / rate) if rate else None

    def _dry(self, name: str) -> bool:
        return name in self.row.settings.get("dry", ())

    def _sample_ratio(self) -> str | None:
        """Subjects are split only where both arms answer: not in shadow, not at 100 %."""
        share = self.value.step.percent / 100
        if not 0 < share < 1:
            return None
        counts = (self.measurement.candidate_subjects, self.measurement.stable_subjects)
        found = sample_ratio(counts, (share, 1 - share))
        return found.reasons()[0] if found.failed else None
