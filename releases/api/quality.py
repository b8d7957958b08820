"""REST: quality windows of a route, with each slice as it stands and what watching costs."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.chain import timestamp
from relcontrol.accounts.models import Route
from relcontrol.accounts.permissions import VIEW, Permission
from relcontrol.api.calls import Call
from relcontrol.api.pages import PAGED, limit_of, moment_of
from relcontrol.clock import now
from relcontrol.errors import invalid
from releases.api.routes import route_named
from releases.api.shapes import JSON, TEXT, a_list
from releases.measuring.as_json import finite
from releases.observer_models import ObservedSlice, Observer, QualityWindow
from releases.observing.costs import Cost, cost_of
from releases.observing.selectors import newest_windows, observer_of, slices_of, window_page, windows_of

LATELY: Final = timedelta(days=1)
MOMENT: Final = serializers.DateTimeField
WHOLE: Final = serializers.IntegerField
FLOAT: Final = serializers.FloatField
TRUTH: Final = serializers.BooleanField
WINDOW_FIELDS: Final[dict[str, Any]] = {
    "slice": TEXT(),
    "started_at": MOMENT(),
    "ended_at": MOMENT(),
    "closed_at": MOMENT(),
    "verdict": serializers.ChoiceField(QualityWindow.Verdict.values),
    "mean": FLOAT(allow_null=True, help_text="Of the scores on [0, 1]; null where none was given."),
    "sd": FLOAT(allow_null=True),
    "floor": FLOAT(allow_null=True),
    "n": WHOLE(help_text="Scored answers."),
    "n_min": WHOLE(),
    "asked": WHOLE(help_text="Answers that were sampled."),
    "requests": WHOLE(),
    "streak": WHOLE(help_text="How many windows in a row are below the floor, with this one."),
    "late": WHOLE(help_text="Traces that came after the window was closed."),
    "agreement": FLOAT(allow_null=True, help_text="With human grades, where graded answers are mixed in."),
    "agreement_n": WHOLE(),
}
WINDOW: Final = inline_serializer("QualityWindow", {**WINDOW_FIELDS})  # it empties what it is given
LAST_WINDOW: Final = inline_serializer("LastQualityWindow", {**WINDOW_FIELDS}, allow_null=True)
SLICE: Final = inline_serializer(
    "ObservedSlice",
    {
        "slice": TEXT(),
        "judge": TEXT(),
        "armed": TRUTH(help_text="Three windows below the floor in a row roll the route back."),
        "why": TEXT(allow_blank=True, help_text="How it is armed, or why not."),
        "floor": FLOAT(allow_null=True),
        "floor_source": TEXT(allow_blank=True),
        "rho_floor": FLOAT(allow_null=True),
        "healthy_mean": FLOAT(allow_null=True),
        "spread": FLOAT(),
        "correlation": FLOAT(),
        "n_min": WHOLE(),
        "false_rollbacks_per_month": FLOAT(allow_null=True),
        "streak": WHOLE(),
        "empty_streak": WHOLE(),
        "paged_at": MOMENT(allow_null=True),
        "last_window": LAST_WINDOW,
    },
)
COST: Final = inline_serializer(
    "ObserverCost",
    {
        "calls_per_day": FLOAT(),
        "tokens_per_day": FLOAT(allow_null=True),
        "money_per_day": TEXT(allow_null=True, help_text="A decimal in the currency of the endpoints' prices."),
    },
    allow_null=True,  # where nothing is watched
)
QUALITY: Final = inline_serializer(
    "RouteQuality",
    {
        "route_id": TEXT(),
        "observer_id": TEXT(allow_null=True),
        "release_id": TEXT(allow_null=True),
        "watching": TRUTH(),
        "looked_at": MOMENT(allow_null=True),
        "cost": COST,
        "slices": a_list(SLICE),
        "policies": a_list(JSON()),
        "results": a_list(WINDOW),
        "next": TEXT(allow_null=True),
    },
)


@extend_schema_view(
    get=extend_schema(
        summary="Quality of what a route serves: each slice as it stands, and closed windows, newest first",
        description="Windows of the last 24 hours without `since`. Where nothing serves, what was watched last.",
        parameters=[
            OpenApiParameter("slice", str),
            OpenApiParameter("since", str, description="RFC 3339; a day before now without it."),
            OpenApiParameter("until", str, description="RFC 3339; windows that began before it."),
            *PAGED,
        ],
        responses=QUALITY,
    )
)
class RouteQuality(Call):
    """Quality windows of a route."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW}

    def get(self, request: Request, route: str) -> Response:
        """A page of windows, with the state of every slice."""
        at, row = now(), route_named(self.actor.organization, route)
        observer = observer_of(row)
        slices = slices_of([observer]) if observer else []
        wanted = self._wanted(request, slices)
        windows = windows_of(wanted).filter(started_at__gte=moment_of(request, "since") or at - LATELY)
        if until := moment_of(request, "until"):
            windows = windows.filter(started_at__lt=until)
        shown, following = window_page(windows, request.query_params.get("cursor", ""), limit_of(request))
        results = {"results": [window_as_json(each) for each in shown], "next": following}
        return Response({**quality_as_json(row, observer, slices, at), **results})

    def _wanted(self, request: Request, slices: list[ObservedSlice]) -> list[ObservedSlice]:
        slug = request.query_params.get("slice", "")
        found = [row for row in slices if slug in ("", row.slice)]
        if slug and not found:
            known = ", ".join(row.slice for row in slices) or "none"
            raise invalid("slice", f"This slice is not watched here; there are: {known}.")
        return found


def quality_as_json(
    route: Route, observer: Observer | None, slices: list[ObservedSlice], at: datetime
) -> dict[str, Any]:
    """What watches a route, and how each slice stands."""
    watching = observer is not None and observer.ended_at is None
    last = newest_windows(slices)
    return {
        "route_id": route.pk,
        "observer_id": observer.pk if observer else None,
        "release_id": observer.release_id if observer else None,
        "watching": watching,
        "looked_at": timestamp(observer.folded_at) if observer else None,
        "cost": cost_as_json(cost_of(observer, at)) if observer and watching else None,
        "slices": [slice_as_json(row, last.get(row.pk)) for row in slices],
        "policies": observer.policies if observer else [],
    }


def cost_as_json(cost: Cost) -> dict[str, Any]:
    """What watching costs a day; money as a decimal string, as it must not be rounded."""
    money = cost.money_per_day
    return {
        "calls_per_day": cost.calls_per_day,
        "tokens_per_day": cost.tokens_per_day,
        "money_per_day": None if money is None else f"{money:f}",
    }


def slice_as_json(row: ObservedSlice, last: QualityWindow | None) -> dict[str, Any]:
    """A slice as it stands."""
    return {
        "slice": row.slice,
        "judge": row.judge,
        "armed": row.armed,
        "why": row.why,
        "floor": row.floor,
        "floor_source": row.floor_source,
        "rho_floor": row.rho_floor,
        "healthy_mean": row.healthy_mean,
        "spread": row.spread,
        "correlation": row.correlation,
        "n_min": row.n_min,
        "false_rollbacks_per_month": finite(row.false_rollbacks_per_month),
        "streak": row.streak,
        "empty_streak": row.empty_streak,
        "paged_at": timestamp(row.paged_at) if row.paged_at else None,
        "last_window": window_as_json(last, row.slice) if last else None,
    }


def window_as_json(row: QualityWindow, slug: str = "") -> dict[str, Any]:
    """A closed window; `slug` is its slice's where that is known."""
    return {
        "slice": slug or row.observed.slice,
        "started_at": timestamp(row.started_at),
        "ended_at": timestamp(row.ended_at),
        "closed_at": timestamp(row.closed_at),
        "verdict": row.verdict,
        "mean": row.mean,
        "sd": row.sd,
        "floor": row.floor,
        "n": row.n,
        "n_min": row.n_min,
        "asked": row.asked,
        "requests": row.requests,
        "streak": row.streak,
        "late": row.late,
        "agreement": row.agreement,
        "agreement_n": row.agreement_n,
    }
