"""Beginning and ending observers: one watches each release that serves, from that moment on until it serves no more.

What it goes by is pinned when it begins: budget, window, further policies, and for each slice its judge, map and floor.
A slice that is made later is watched from the next release on.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction

from gates.runs.selectors import deciding_run
from releases.measuring.policy_definition import pinned_policies
from releases.observer_models import ObservedAnswer, ObservedSlice, Observer
from releases.observing.floors import Floor, floors_of
from releases.observing.judges import PinnedJudge, pinned_judge
from releases.observing.plan import LEAST, SPREAD
from releases.observing.windows import LONGEST_MINUTES
from releases.rolling.locking import lock_route
from releases.rolling.settings import watched_slices
from releases.rollout_models import Serving
from releases.traces.selectors import xact_horizon

logger = logging.getLogger(__name__)

SHARE: Final = 0.05
PER_WINDOW: Final = 20
NO_LONGER: Final = "The release was taken from the route before this answer was scored."

Pinned = Mapping[str, tuple[PinnedJudge, Floor]]


def ensure_observers(now: datetime, *, window_seconds: int | None = None) -> None:
    """See that each serving release has its observer, and that those of others have ended.

    `window_seconds` is the shortest window, 60 unless a rehearsal asks for less. What fails with one route is logged
    and tried again at the next tick.
    """
    for row in Observer.objects.filter(ended_at__isnull=True, serving__until__isnull=False).select_related("serving"):
        _end(row)
    unwatched = Serving.objects.filter(until__isnull=True, observer__isnull=True)
    for serving in unwatched.select_related("release__organization", "release__application", "route__application"):
        try:
            _begin(serving, now, window_seconds or settings.WINDOW_SECONDS)
        except Exception:
            logger.exception("no observer for %s yet; the next tick tries again", serving)


def boundary_before(at: datetime, minute: timedelta) -> datetime:
    """The last whole minute, or what stands for one, at or before `at`."""
    seconds = int(minute.total_seconds())
    return datetime.fromtimestamp(int(at.timestamp()) // seconds * seconds, tz=at.tzinfo)


def minute_of(observer: Observer) -> timedelta:
    """The shortest window of an observer."""
    return timedelta(seconds=int(observer.settings["window_seconds"]))


@transaction.atomic
def _end(row: Observer) -> None:
    """The observer has nothing more to watch; what waits for a score gets none."""
    waiting = ObservedAnswer.objects.filter(observed__observer=row, state=ObservedAnswer.State.QUEUED)
    waiting.update(state=ObservedAnswer.State.MISSING, problem=NO_LONGER)
    Observer.objects.filter(pk=row.pk, ended_at__isnull=True).update(ended_at=row.serving.until)


def _begin(serving: Serving, now: datetime, window_seconds: int) -> None:
    release = serving.release
    run = deciding_run(release.organization, release.manifest_sha256)
    floors = floors_of(release)
    pinned = {
        slug: (pinned_judge(release.organization, slug, run, now), floors.get(slug, Floor()))
        for slug in watched_slices(release.application)
    }
    horizon = xact_horizon()
    with transaction.atomic():
        lock_route(serving.route_id)
        if not Serving.objects.filter(pk=serving.pk, until__isnull=True, observer__isnull=True).exists():
            return
        for earlier in Observer.objects.filter(route=serving.route_id, ended_at__isnull=True).select_related("serving"):
            _end(earlier)
        row = Observer.objects.create(
            organization_id=release.organization_id,
            application_id=release.application_id,
            route_id=serving.route_id,
            release=release,
            serving=serving,
            settings=_settings(serving, pinned, window_seconds),
            folded_to=horizon,
            folded_at=serving.since,
            started_at=serving.since,
        )
        ObservedSlice.objects.bulk_create(_slices(row, pinned, now))


def _settings(serving: Serving, pinned: Pinned, window_seconds: int) -> dict[str, Any]:
    return {
        "share": SHARE,
        "per_window": PER_WINDOW,
        "window_seconds": window_seconds,
        "policies": pinned_policies(serving.route),
        "slices": {
            slug: {
                "floor": floor.value,
                "source": floor.source,
                "rho_floor": floor.rho_floor,
                "judge": judge.name,
                "map": dict(judge.map),
            }
            for slug, (judge, floor) in pinned.items()
        },
    }


def _slices(row: Observer, pinned: Pinned, now: datetime) -> list[ObservedSlice]:
    """From the minute in which the release began to serve; where that is long ago, from a quarter of an hour ago."""
    minute = minute_of(row)
    first = boundary_before(max(row.started_at, now - LONGEST_MINUTES * minute), minute)
    return [
        ObservedSlice(
            observer=row,
            slice=slug,
            judge=judge.name,
            judge_sha256=judge.sha256,
            floor=floor.value,
            floor_source=floor.source or "",
            rho_floor=floor.rho_floor,
            healthy_mean=floor.healthy_mean,
            spread=SPREAD,
            n_min=LEAST,
            next_from=first,
        )
        for slug, (judge, floor) in pinned.items()
    ]
