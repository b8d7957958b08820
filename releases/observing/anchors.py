"""Answers that experts graded, scored among those of people, so that the judge is watched too (domain.md "Observe").

They are answers of the release's suite, never of this traffic: they say whether the judge still ranks as the experts
do, and nothing of the release. So they have no part in a window's mean, and agreement under its floor takes no release
back: it keeps what the judge says from doing so, and asks a person (`releases.observing.acting`).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gates.models import GradedAnswer, Rating, Slice
from gates.runs.material import Answer, grades_of
from gates.runs.selectors import deciding_run
from gates.statistics.agreement import AgreementResult, GradedScores, judge_agreement
from gates.statistics.policies import Outcome, Policy
from gates.statistics.rules import AgreementRule
from releases.observer_models import ObservedAnswer, ObservedSlice, Observer
from releases.observing.starting import boundary_before

EACH_TIME: Final = 5
EVERY: Final = timedelta(minutes=15)
LOOK_BACK: Final = timedelta(hours=24)
FEWEST: Final = 20
# Looked at with each window and not once, so that what is to be believed must be far beyond the usual 5 %.
ALPHA: Final = 0.001


@dataclass(frozen=True, slots=True)
class Agreement:
    """ρ of the judge with the experts over the anchors of a day (None while it has none), and of how many."""

    rho: float | None
    n: int
    is_below: bool = False


def choose_anchors(observer: Observer, observed: ObservedSlice, now: datetime) -> int:
    """Add up to five anchors of a quarter of an hour in which answers of the slice are scored; how many are new."""
    if observed.rho_floor is None:
        return 0
    quarter = boundary_before(now, EVERY)
    rows = ObservedAnswer.objects.filter(observed=observed, created_at__gte=quarter)
    anchors = rows.filter(kind=ObservedAnswer.Kind.ANCHOR).exists()
    if anchors or not rows.filter(late=False).exists():
        return 0
    chosen = _chosen(observer, observed.slice, quarter)
    ObservedAnswer.objects.bulk_create(
        ObservedAnswer(
            organization_id=observer.organization_id,
            observed=observed,
            kind=ObservedAnswer.Kind.ANCHOR,
            at=now,
            anchor_id=key,
            grade=grade,
            created_at=now,
        )
        for key, grade in chosen
    )
    return len(chosen)


def agreement_of(observed: ObservedSlice, now: datetime) -> Agreement:
    """How the judge has agreed with the experts on the anchors of the last day."""
    if observed.rho_floor is None:
        return Agreement(None, 0)
    rows = ObservedAnswer.objects.filter(
        observed=observed, kind=ObservedAnswer.Kind.ANCHOR, at__gt=now - LOOK_BACK, score__isnull=False
    )
    found = list(rows.order_by("pk").values_list("anchor", "grade", "score"))
    if len(found) < FEWEST:
        return Agreement(None, len(found))
    rule = AgreementRule(observed.rho_floor, Policy.CONFIDENT, n_min=FEWEST)
    human, judge = [grade for _, grade, _ in found], [score for _, _, score in found]
    result = judge_agreement(GradedScores(human, judge, rule, [anchor for anchor, _, _ in found]))
    return Agreement(result.rho, result.n, _is_below(result))


def _is_below(result: AgreementResult) -> bool:
    return result.outcome is Outcome.FAIL and result.p_below is not None and result.p_below <= ALPHA


def _chosen(observer: Observer, slug: str, quarter: datetime) -> list[tuple[int, float]]:
    """Graded answers with a text, other ones each time, with the mean of their grades."""
    run = deciding_run(observer.organization, observer.release.manifest_sha256)
    if run is None:
        return []
    rows = GradedAnswer.objects.filter(
        case__suite=run.suite_id, case__slice__slug__in=_with_children(observer, slug), output__isnull=False
    )
    keys = rows.filter(ratings__isnull=False).distinct().values_list("pk", flat=True)
    picked = sorted(keys, key=lambda key: hashlib.sha256(f"{observer.pk} {quarter} {key}".encode()).digest())
    return _graded(picked[:EACH_TIME])


def _graded(keys: Sequence[int]) -> list[tuple[int, float]]:
    found: dict[int, dict[str, float]] = {key: {} for key in keys}
    for key, rater, grade in Rating.objects.filter(answer__in=keys).values_list("answer__pk", "rater", "grade"):
        found[key][rater] = grade
    levels = [grades_of([Answer("", "", None, grades)]).levels[0] for grades in found.values()]
    return [(key, float(level)) for key, level in zip(found, levels, strict=True)]


def _with_children(observer: Observer, slug: str) -> set[str]:
    rows = Slice.objects.filter(organization=observer.organization_id).values_list("slug", "parent__slug")
    parents, found = dict(rows), {slug}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found
