"""A release that an observer watches while it serves its route, and what an observer had found when it rolls back."""

from datetime import datetime, timedelta
from typing import Any

from audit.chain import timestamp
from relcontrol.accounts.models import Route
from releases.observer_models import Observer
from releases.rolling.rolling_back import roll_back_automatically
from releases.rollout_models import Rollback, Serving

REASON = "Quality on ip-licensing lay below its floor of 0.6 in three windows in a row."
SLICE = "ip-licensing"


def observer_of(route: Route) -> Observer:
    """The observer of what the route serves now."""
    serving = Serving.objects.select_related("route__organization", "route__application").get(route=route, until=None)
    return Observer.objects.create(
        organization=serving.route.organization,
        application=serving.route.application,
        route=serving.route,
        release=serving.release,
        serving=serving,
        settings={"policies": []},
        folded_to=0,
        folded_at=serving.since,
        started_at=serving.since,
    )


def breached(since: datetime) -> dict[str, Any]:
    """Three windows of a minute below the floor, the first from `since`."""
    windows = []
    for number in range(3):
        start = since + timedelta(minutes=number)
        ends = {"started_at": timestamp(start), "ended_at": timestamp(start + timedelta(minutes=1))}
        windows.append({**ends, "mean": 0.31, "sd": 0.2, "floor": 0.6, "n": 18, "verdict": "below"})
    return {"slice": SLICE, "windows": windows}


def rolled_back(observer: Observer, **changes: Any) -> Rollback | None:
    """An automatic rollback, four minutes after the first breached window began and ten after the observer did."""
    began = observer.started_at + timedelta(minutes=6)
    order: dict[str, Any] = {
        "trigger": Rollback.Trigger.WINDOWS,
        "facts": breached(began),
        "triggered_at": began,
        "reason": REASON,
        "now": began + timedelta(minutes=4),
    }
    return roll_back_automatically(observer=observer, **(order | changes))
