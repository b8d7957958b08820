"""Grades that people gave to single served answers (domain.md "Suite": a grade belongs to an answer, never to a case).

They come as labels with a number (`releases.measuring.feedback`), under the request's id, from whoever may send
feedback. All lie on [0, 1] here. A rater's newest grade counts; several raters are averaged.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean

from relcontrol.accounts.models import Organization
from releases.measuring.feedback import GRADES
from releases.observer_models import ObservedAnswer, ObservedSlice
from releases.trace_models import Feedback, Trace
from releases.traces.selectors import SHADOW

Place = tuple[datetime, str]


@dataclass(frozen=True, slots=True)
class Rating:
    """One rater's grade of one answer on [0, 1]; `rater` is a pseudonym."""

    grade: float
    rater: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Graded:
    """A served answer that the judge scored and people graded, both on [0, 1]; `at` is when it was served."""

    request_id: str
    score: float
    grade: float
    raters: int
    at: datetime


def on_unit(name: str, value: float) -> float:
    """A grade of a scale by its name, on [0, 1]."""
    low, high = GRADES[name]
    return (value - low) / (high - low)


def ratings_of_answer(trace: Trace) -> list[Rating]:
    """The grades of the answer of one trace, the oldest first.

    What a shadow answered was seen by nobody. Where a client has used a request id again, a grade is about the newest
    answer that had been served when it was given.
    """
    if trace.arm == SHADOW:
        return []
    said = _said(trace.organization, [trace.request_id])[trace.request_id]
    return _ratings((trace.started_at, trace.trace_id), said, _answers(trace.organization, said)[trace.request_id])


def graded_served_answers(observed: ObservedSlice, since: datetime) -> list[Graded]:
    """The served answers of one observed slice since then that have both a score and a grade, the oldest first.

    In three queries. A replayed answer is another one than people have graded, and is left out.
    """
    rows = ObservedAnswer.objects.filter(
        observed=observed,
        kind=ObservedAnswer.Kind.SERVED,
        state=ObservedAnswer.State.SCORED,
        score__isnull=False,
        at__gte=since,
    ).order_by("at", "pk")
    scored = list(rows.select_related("organization"))
    if not scored:
        return []
    said = _said(scored[0].organization, {row.request_id for row in scored})
    answers = _answers(scored[0].organization, [each for rows in said.values() for each in rows])
    graded = []
    for row in scored:
        place = (row.trace_started_at or row.at, row.trace_id)
        ratings = _ratings(place, said[row.request_id], answers[row.request_id])
        if ratings and row.score is not None:
            grade = fmean(each.grade for each in ratings)
            graded.append(Graded(row.request_id, row.score, grade, len(ratings), row.at))
    return graded


def _said(organization: Organization, request_ids: Iterable[str]) -> dict[str, list[Feedback]]:
    """The grades under these request ids, the oldest first."""
    rows = Feedback.objects.filter(
        organization=organization,
        request_id__in=set(request_ids),
        kind=Feedback.Kind.LABEL,
        name__in=GRADES,
        value__isnull=False,
    )
    found: dict[str, list[Feedback]] = defaultdict(list)
    for row in rows.order_by("pk"):
        found[row.request_id].append(row)
    return found


def _answers(organization: Organization, said: Iterable[Feedback]) -> dict[str, list[Place]]:
    """The answers that were served under the ids of graded requests, the oldest first."""
    rows = Trace.objects.filter(organization=organization, request_id__in={row.request_id for row in said})
    found: dict[str, list[Place]] = defaultdict(list)
    for request_id, at, key, arm in rows.values_list("request_id", "started_at", "trace_id", "arm"):
        if arm != SHADOW:
            found[request_id].append((at, key))
    for places in found.values():
        places.sort()
    return found


def _ratings(place: Place, said: Iterable[Feedback], answers: Sequence[Place]) -> list[Rating]:
    """One grade of this very answer for each rater: her newest, whatever scale she used."""
    newest = {
        row.created_by: row for row in said if row.value is not None and _answer_of(row, answers) in {place, None}
    }
    ordered = sorted(newest.values(), key=lambda row: row.pk)
    return [Rating(on_unit(row.name, row.value or 0.0), row.created_by, row.created_at) for row in ordered]


def _answer_of(said: Feedback, answers: Sequence[Place]) -> Place | None:
    """Which answer a grade is about: the newest that had been served, else the first; None where no trace is left."""
    before = [place for place in answers if place[0] <= said.created_at]
    return before[-1] if before else answers[0] if answers else None
