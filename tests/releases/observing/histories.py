"""Closed windows of a slice with the means that a test names, and their scores."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from releases.observer_models import ObservedAnswer, ObservedSlice, QualityWindow

MINUTE = timedelta(minutes=1)


def closed(
    of: ObservedSlice,
    means: Sequence[float],
    until: datetime,
    *,
    verdict: str = "above",
    n: int = 20,
    asked: int | None = None,
    requests: int = 30,
    length: timedelta = MINUTE,
) -> None:
    """A window for each mean, the last of which ends at `until`; scores within each vary by .2."""
    first = until - len(means) * length
    QualityWindow.objects.bulk_create(
        QualityWindow(
            observed=of,
            started_at=first + number * length,
            ended_at=first + (number + 1) * length,
            closed_at=until,
            requests=requests,
            asked=n if asked is None else asked,
            n=n,
            n_min=10,
            mean=mean,
            sd=0.2,
            floor=of.floor,
            verdict=verdict,
        )
        for number, mean in enumerate(means)
    )


def steady(count: int, mean: float = 0.8, *, seed: int = 1, deviation: float = 0.2 / 20**0.5) -> list[float]:
    """Means of independent windows of twenty scores."""
    draws = np.random.default_rng(seed).normal(0, deviation, count)
    return [float(value) for value in mean + draws - draws.mean()]


def scored(of: ObservedSlice, scores: Sequence[float], until: datetime) -> None:
    """Scores of people's answers, one a second, the last of which was served a second before `until`."""
    ObservedAnswer.objects.bulk_create(
        ObservedAnswer(
            organization=of.observer.organization,
            observed=of,
            kind="served",
            at=until - (len(scores) - number) * timedelta(seconds=1),
            trace_id=f"{number:032x}",
            trace_started_at=until,
            state="scored",
            score=score,
            created_at=until,
        )
        for number, score in enumerate(scores)
    )
