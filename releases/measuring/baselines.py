"""What the candidate is compared with: the concurrent stable arm, or at 100 % the frozen one (statistics.md R13).

The frozen baseline is all that was counted of the stable arm at this rollout's earlier canary checkpoints. Its age
counts from the moment at which the candidate took all traffic, when stable was seen last.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from releases.checkpoints import ALL_TRAFFIC
from releases.measuring.checkpoint_sums import CheckpointSums
from releases.monitors.arms import ArmSums
from releases.monitors.error_rate import ErrorBaseline
from releases.monitors.latencies import LatencySums
from releases.monitors.latency import LatencyBaseline
from releases.rollout_models import Measurement, Rollout


@dataclass(frozen=True, slots=True)
class FrozenBaseline:
    """The stable arm as it was, and how long ago that was."""

    arm: ArmSums
    total: LatencySums
    ttft: LatencySums
    age_hours: float

    @property
    def errors(self) -> ErrorBaseline:
        """For the error monitor."""
        return ErrorBaseline(self.arm, self.age_hours)

    def latency(self, sums: LatencySums) -> LatencyBaseline:
        """For a latency monitor: `total` or `ttft` of this baseline."""
        return LatencyBaseline(sums, self.age_hours)


def takes_all_traffic(row: Rollout, checkpoint: int) -> bool:
    """Nothing answers beside the candidate at this checkpoint."""
    return checkpoint > 0 and bool(row.plan[checkpoint - 1]["percent"] == ALL_TRAFFIC)


def frozen_baseline(row: Rollout, measurement: Measurement, now: datetime) -> FrozenBaseline:
    """The stable arm of the canary checkpoints before this one, added up."""
    earlier = Measurement.objects.filter(rollout=row, checkpoint__gt=0, checkpoint__lt=measurement.checkpoint)
    sums = CheckpointSums()
    for stored in earlier.order_by("checkpoint").values_list("sums", flat=True):
        sums += CheckpointSums.from_json(stored)
    age = max(timedelta(0), now - measurement.entered_at) / timedelta(hours=1)
    return FrozenBaseline(sums.errors.stable, sums.total.stable, sums.ttft.stable, age)
