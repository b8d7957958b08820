"""The lineage of one answer: the trace with what served, the feature values in time, and what was said of it since."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from relcontrol.accounts.models import Organization, Route
from releases.lineage.features import Feature, MaxAge, judged, max_age_of
from releases.lineage.fingerprints import Fingerprints, compared
from releases.lineage.ratings import Rating, ratings_of_answer
from releases.lineage.served_tuple import ServedTuple, served_tuple, view_artifact
from releases.observer_models import ObservedAnswer
from releases.trace_models import Feedback, Trace
from releases.traces.opened import Body, opened

MOST_FEEDBACK: Final = 50
UNKNOWN_VIEW: Final = "the feature view"


@dataclass(frozen=True, slots=True)
class Lineage:
    """One answer. `served` is None where the trace names no release.

    `features` are None where metadata may not, or cannot, be read; `body` says which.
    """

    trace: Trace
    route: Route | None
    served: ServedTuple | None
    fingerprints: Fingerprints
    body: Body | None
    features: tuple[Feature, ...] | None
    feedback: tuple[Feedback, ...]
    ratings: tuple[Rating, ...]
    observed: tuple[ObservedAnswer, ...]


def lineage_of(trace: Trace, *, may_read: bool) -> Lineage:
    """Everything about the answer of a trace; its metadata are opened only for somebody who may read them."""
    organization = trace.organization
    served = served_tuple(organization, trace.release, trace.started_at) if trace.release else None
    body = opened(organization.pk, [trace])[0] if may_read else None
    return Lineage(
        trace=trace,
        route=Route.objects.filter(organization=organization, pk=trace.route_id).first(),
        served=served,
        fingerprints=_fingerprints(served, trace),
        body=body,
        features=features_of(trace, served, body.metadata) if body and body.state == "open" else None,
        feedback=feedback_of(organization, trace.request_id),
        ratings=tuple(ratings_of_answer(trace)),
        observed=observed_answers(trace),
    )


def features_of(trace: Trace, served: ServedTuple | None, metadata: Mapping[str, Any] | None) -> tuple[Feature, ...]:
    """The feature values that the trace says went in, judged by the view that its release names."""
    view = served.feature_view if served else None
    allowed = max_age_of(view, view_artifact(trace.organization, view)) if view else MaxAge(UNKNOWN_VIEW)
    return tuple(judged(metadata, trace.started_at, allowed))


def feedback_of(organization: Organization, request_id: str) -> tuple[Feedback, ...]:
    """What was said of the answer to a request, newest first."""
    rows = Feedback.objects.filter(organization=organization, request_id=request_id)
    return tuple(rows.order_by("-pk")[:MOST_FEEDBACK])


def _fingerprints(served: ServedTuple | None, trace: Trace) -> Fingerprints:
    release, run = (served.release, served.run) if served else (None, None)
    return compared(
        bundle=release.bundle_sha256 if release else None, parity=run.parity if run else None, online=trace.fingerprint
    )


def observed_answers(trace: Trace) -> tuple[ObservedAnswer, ...]:
    """How the observer has scored this very answer."""
    rows = ObservedAnswer.objects.filter(
        organization=trace.organization,
        request_id=trace.request_id,
        trace_id=trace.trace_id,
        trace_started_at=trace.started_at,
    )
    return tuple(rows.select_related("observed").order_by("pk"))
