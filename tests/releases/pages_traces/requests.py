"""Requests of the route of a scene, as its gateways would tell of them a moment ago."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from relcontrol.clock import now
from releases.trace_models import Trace
from tests.releases.scene import Scene
from tests.releases.traces.samples import stored, trace_row


def told(of: Scene, number: int, *, ago: timedelta = timedelta(minutes=1), **changes: Any) -> dict[str, Any]:
    """A request on the route of the scene that came in so long ago."""
    fields = {
        "started_at": (now() - ago).isoformat(),
        "route": of.application.routes.get(routing={"domain": "legal"}).pk,
        "rollout": None,
        **changes,
    }
    row = trace_row(number, **fields)
    assert stored(of.organization, row, now=now()).accepted == 1
    return row


def many(of: Scene, count: int, *, unassigned: int, first: int = 1) -> None:
    """So many requests of the last minutes, of which so many belong to no slice."""
    route = of.application.routes.get().pk
    at = (now() - timedelta(minutes=2)).isoformat()
    rows = [
        trace_row(number, started_at=at, route=route, rollout=None, input=None, output=None, metadata=None)
        for number in range(first, first + count)
    ]
    assert stored(of.organization, *rows, now=now()).accepted == count
    assign(f"{number:032x}" for number in range(first + unassigned, first + count))


def assign(trace_ids: Iterable[str], slug: str = "ip-licensing") -> None:
    """As if a rule of this slice had taken them when they arrived."""
    Trace.objects.filter(trace_id__in=list(trace_ids)).update(slice=slug)
