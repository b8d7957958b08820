"""What is known of how a healthy slice scores (statistics.md R16): from its windows of seven days, or what is assumed.

Windows below the floor tell of no healthy slice and stay out; so do those that another judge scored. A release is
described by its own windows once it has thirty; until then its mean is what the gate measured, and how much scores
vary is taken from the release before it on the route that has thirty, or assumed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from releases.observer_models import ObservedAnswer, ObservedSlice, QualityWindow
from releases.observing.estimates import Estimates, KnownWindow, estimates_of, skewness_of
from releases.observing.plan import KNOWN, LEAST, SPREAD

SINCE: Final = timedelta(days=7)
SCORES: Final = 2_000  # the newest ones, for their skewness
EARLIER: Final = 3  # other releases that are looked at, one by one: two of different quality are no one history


@dataclass(frozen=True, slots=True)
class History:
    """How a healthy slice scores; see `plan.Noise` for `spread` to `between`. `windows` are those of its release.

    `healthy_mean` is None while neither gate nor windows say it.
    """

    healthy_mean: float | None
    spread: float
    correlation: float
    windows: int
    between: float = 0.0
    skewness: float = 0.0


def history_of(observed: ObservedSlice, now: datetime) -> History:
    """What is known of a slice at `now`; while it has not thirty windows its `healthy_mean` is that of the gate."""
    releases = _slices_by_release(observed)
    own = releases.pop(observed.observer.release_id)
    windows = _windows(own, now)
    if len(windows) >= KNOWN:
        known = estimates_of(windows)
        return _learned(known, _scores(own, observed.breached_since or now, now), known.mean, known.windows)
    for keys in list(releases.values())[:EARLIER]:
        theirs = _windows(keys, now)
        if len(theirs) >= KNOWN:
            return _learned(estimates_of(theirs), _scores(keys, now, now), observed.healthy_mean, len(windows))
    return History(observed.healthy_mean, SPREAD, 0.0, len(windows))


def _slices_by_release(observed: ObservedSlice) -> dict[str, list[int]]:
    """The rows of this slice under the same judge, by release, the newest first."""
    rows = ObservedSlice.objects.filter(
        observer__route=observed.observer.route_id, slice=observed.slice, judge_sha256=observed.judge_sha256
    )
    found: dict[str, list[int]] = {}
    for key, release in rows.order_by("-observer").values_list("pk", "observer__release"):
        found.setdefault(release, []).append(key)
    return found


def _learned(known: Estimates, scores: Sequence[float], mean: float | None, windows: int) -> History:
    return History(
        healthy_mean=mean,
        spread=known.spread,
        correlation=known.correlation,
        windows=windows,
        between=known.between,
        skewness=skewness_of(scores),
    )


def _windows(keys: Sequence[int], now: datetime) -> list[KnownWindow]:
    """Closed windows of these slices that were not below their floor and say something, in order of time."""
    rows = QualityWindow.objects.filter(observed__in=keys, started_at__gte=now - SINCE, ended_at__lte=now, n__gte=LEAST)
    healthy = rows.exclude(verdict=QualityWindow.Verdict.BELOW).order_by("started_at", "pk")
    found = healthy.values_list("started_at", "ended_at", "n", "mean", "sd")
    return [
        KnownWindow(start, end, n, mean, sd) for start, end, n, mean, sd in found if mean is not None and sd is not None
    ]


def _scores(keys: Sequence[int], until: datetime, now: datetime) -> list[float]:
    """The newest scores of people's answers until then."""
    rows = ObservedAnswer.objects.filter(
        observed__in=keys, at__gte=now - SINCE, at__lt=until, anchor=None, late=False, score__isnull=False
    )
    newest = rows.order_by("-at").values_list("score", flat=True)[:SCORES]
    return [score for score in newest if score is not None]
