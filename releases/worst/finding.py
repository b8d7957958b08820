"""Which answers were the worst of an event: what was measured worse first, then what failed, then what people disliked.

Slices take turns by how bad they were: the worst gives half of the places, the next half of what is left, and so on.
Of a halt the measure is the replayed pair, where the candidate fell behind stable; of a rollback and an alarm it is the
score that the observer had made of the served answer.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean
from typing import Any, Final

from django.db.models import F, QuerySet

from relcontrol.model_servers.outcomes import RELEASE_ERRORS
from releases.bucketing import Arm
from releases.observer_models import ObservedAnswer, Observer, WorstAnswers
from releases.rollout_models import ReplayPair, Rollout
from releases.trace_models import Feedback, Trace
from releases.traces.selectors import traces_of

MOST: Final = 10
LOOKED_AT: Final = 500
LATELY: Final = timedelta(days=1)
LONG_AGO: Final = timedelta(days=7)  # nothing older is looked at: an observer may have scored for months


@dataclass(frozen=True, slots=True)
class Found:
    """An answer by its trace; scores lie on [0, 1], None where there is none yet. The lower `measure`, the worse."""

    slice: str
    request_id: str
    trace_id: str
    trace_started_at: datetime
    subject: bytes
    measure: float = 0.0
    score_before: float | None = None
    score_after: float | None = None


def find(of: WorstAnswers) -> list[Found]:
    """At most `MOST`, the worst first."""
    sources = _of_rollout(of.rollout) if of.rollout is not None else _of_serving(of)
    chosen: dict[tuple[str, datetime], Found] = {}
    for source in sources:
        fresh = [each for each in source if (each.trace_id, each.trace_started_at) not in chosen]
        for each in spread(fresh, MOST - len(chosen)):
            chosen[each.trace_id, each.trace_started_at] = each
        if len(chosen) == MOST:
            break
    return list(chosen.values())


def spread(found: Sequence[Found], most: int) -> list[Found]:
    """So many of them: by slices, the worst slice first and with half of the places, in each the worst first."""
    by_slice: dict[str, list[Found]] = defaultdict(list)
    for each in sorted(found, key=lambda one: (one.measure, one.trace_id)):
        by_slice[each.slice].append(each)
    queues = sorted(by_slice.values(), key=lambda rows: fmean(row.measure for row in rows))
    chosen: list[Found] = []
    while len(chosen) < most and any(queues):
        for queue in queues:
            share = -((len(chosen) - most) // 2)
            chosen += queue[:share]
            del queue[:share]
    return chosen


def _of_rollout(row: Rollout) -> Iterator[list[Found]]:
    pairs = ReplayPair.objects.filter(rollout=row, state=ReplayPair.State.SCORED).order_by("-pk")[:LOOKED_AT]
    found = [_pair(pair) for pair in pairs]
    yield [each for each in found if each.measure < 0]
    candidates = traces_of(row.organization, rollout=row.pk, arm=Arm.CANDIDATE.value, since=row.started_at - LATELY)
    yield _traces(candidates.filter(error__in=RELEASE_ERRORS, body__isnull=False)[:LOOKED_AT])
    yield _disliked(row.organization_id, candidates, row.started_at)
    yield found


def _pair(pair: ReplayPair) -> Found:
    candidate, stable = pair.candidate_score or 0.0, pair.stable_score or 0.0
    return Found(
        pair.slice,
        pair.request_id,
        pair.trace_id,
        pair.trace_started_at,
        bytes(pair.subject),
        candidate - stable,
        stable,
        candidate,
    )


def _of_serving(of: WorstAnswers) -> Iterator[list[Found]]:
    observer, since, slug = _doubted(of)
    scored = list(_scored(observer, since - LONG_AGO)) if observer else []
    yield [each for each in scored if each.trace_started_at >= since and each.slice == slug]
    yield [each for each in scored if each.trace_started_at >= since]
    served = traces_of(of.organization, release=of.left.manifest_sha256, route=of.route_id, since=since - LATELY)
    yield _disliked(of.organization_id, served.exclude(arm=Arm.SHADOW.value), since - LATELY)
    yield scored


def _doubted(of: WorstAnswers) -> tuple[Observer | None, datetime, str]:
    """What watched the release, since when it was bad as far as that is known, and in which slice."""
    if of.alarm is not None:
        return of.alarm.observer, of.alarm.raised_at - LATELY, of.alarm.subject
    back = of.rollback
    if back is None:
        raise ValueError(f"{of.pk} is of no event")
    if back.observer is not None and back.triggered_at is not None:
        slug = str(back.facts.get("slice", ""))
        return back.observer, back.triggered_at if slug else back.triggered_at - LATELY, slug
    watched = Observer.objects.filter(route=of.route_id, release=of.left_id).order_by("-pk").first()
    return watched, back.decided_at - LATELY, ""


def _scored(observer: Observer, since: datetime) -> Iterator[Found]:
    """Served answers with a score, the lowest of each slice."""
    rows = ObservedAnswer.objects.filter(
        observed__observer=observer, score__isnull=False, trace_started_at__isnull=False
    )
    served = rows.exclude(kind=ObservedAnswer.Kind.ANCHOR).filter(subject__isnull=False, at__gte=since)
    for slice_id in observer.slices.order_by("pk").values_list("pk", flat=True):
        lowest = served.filter(observed=slice_id).annotate(slug=F("observed__slice"))
        for each in lowest.order_by("score", "-at")[:LOOKED_AT]:
            yield _answer(each)


def _answer(row: Any) -> Found:
    at, subject = row.trace_started_at, bytes(row.subject)
    return Found(row.slug, row.request_id, row.trace_id, at, subject, row.score, None, row.score)


def _disliked(organization_id: str, traces: QuerySet[Trace], since: datetime) -> list[Found]:
    """Those of the traces whose answers got a thumb down."""
    thumbs = Feedback.objects.filter(organization_id=organization_id, kind=Feedback.Kind.THUMB, value__lt=0)
    lately = thumbs.filter(created_at__gte=since).order_by("-created_at")
    ids = list(lately.values_list("request_id", flat=True)[:LOOKED_AT])
    return _traces(traces.filter(request_id__in=ids, body__isnull=False)[:LOOKED_AT]) if ids else []


def _traces(rows: Iterable[Trace]) -> list[Found]:
    return [Found(row.slice or "", row.request_id, row.trace_id, row.started_at, bytes(row.subject)) for row in rows]
