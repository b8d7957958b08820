"""The points of a checkpoint's charts: what was counted since it was entered, as it stood every ten seconds or more.

A point is a reading of the whole checkpoint so far, as the monitors judge it, not of the seconds since the last one.
"""

import math
from datetime import datetime, timedelta
from typing import Any, Final

from relcontrol.web.words import iso_time
from releases.measuring.baselines import frozen_baseline, takes_all_traffic
from releases.measuring.checkpoint_sums import CheckpointSums
from releases.monitors.arms import ArmSums
from releases.monitors.latencies import LatencySums
from releases.monitors.quantile_bounds import QUANTILE
from releases.replays.sums import quality_sums
from releases.rollout_models import Measurement, Rollout

BETWEEN: Final = timedelta(seconds=10)
MOST_POINTS: Final = 240

Point = dict[str, Any]


def with_point(row: Rollout, measurement: Measurement) -> list[Point]:
    """The history with a point at `folded_at`, unless the last is too new for another one."""
    history: list[Point] = list(measurement.history)
    at = measurement.folded_at
    if history and at - moment(history[-1]) < BETWEEN:
        return history
    return thinned([*history, _point(row, measurement, at)])


def thinned(history: list[Point]) -> list[Point]:
    """Every second point once there are too many; the newest stays."""
    return history if len(history) <= MOST_POINTS else [*history[:-1:2], history[-1]]


def moment(point: Point) -> datetime:
    """When a point was read."""
    return datetime.fromisoformat(point["at"])


def _point(row: Rollout, measurement: Measurement, at: datetime) -> Point:
    sums = CheckpointSums.from_json(measurement.sums)
    own, own_latency = sums.errors.candidate, sums.total.candidate
    stable, stable_latency = sums.errors.stable, sums.total.stable
    if takes_all_traffic(row, measurement.checkpoint):
        frozen = frozen_baseline(row, measurement, at)
        stable, stable_latency = frozen.arm, frozen.total
    p95, stable_p95 = _p95(own_latency), _p95(stable_latency)
    return {
        "at": iso_time(at),
        "requests": measurement.candidate_requests,
        "stable_requests": measurement.stable_requests,
        "error_rate": own.rate,
        "stable_error_rate": stable.rate,
        "error_ratio": _error_ratio(own, stable),
        "p95_ms": p95,
        "stable_p95_ms": stable_p95,
        "p95_ratio": p95 / stable_p95 if p95 is not None and stable_p95 else None,
        "quality": _worst_quality(row, measurement.checkpoint),
    }


def _p95(sums: LatencySums) -> float | None:
    return sums.quantile(QUANTILE) if sums.requests else None


def _error_ratio(own: ArmSums, stable: ArmSums) -> float | None:
    return own.rate / stable.rate if own.rate is not None and stable.rate else None


def _worst_quality(row: Rollout, checkpoint: int) -> float | None:
    """The mean change of the slice that lost most."""
    slices = quality_sums(row, checkpoint, row.settings.get("tolerances", {}))
    means = [mean for sums in slices.values() if math.isfinite(mean := sums.mean().mean)]
    return min(means, default=None)
