"""Which cases of an evaluation seem to have dropped since the previous release, and how often to score them again (R9).

The previous release's answers are those of its own run: where their texts were not sent, nothing can be scored again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gates.calibrations.standing import rescore_deviation
from gates.evaluating.judges import judged_leaves, judges_of_run
from gates.evaluating.rows import rows_of
from gates.judges import scale_of
from gates.models import Judge, Slice
from gates.policies.definition import definition_from
from gates.rule_judge.definition import KIND as RULES
from gates.run_models import CaseResult, EvaluatedCase, GateRun
from gates.runs.gathering import comparable_run, source_of
from gates.runs.results import MAX_RESCORES
from gates.scoring.questions import Question, ScoreOrder
from gates.statistics.arrays import exact_mean
from gates.statistics.regression import CasePair, flagged_cases, rescores_needed
from gates.statistics.scales import LinearMap

POINTS: Final = 100.0
# How often where nobody has measured yet how far the judge's scores of one answer differ.
UNMEASURED: Final = 3
NEW, OLD = "rescores", "previous_rescores"


@dataclass(frozen=True, slots=True)
class Flagged:
    """A case to be scored again, `times` each: this release's answers and the previous one's. Its row is the first."""

    rows: Sequence[EvaluatedCase]
    previous: Sequence[str]
    judge: Judge
    times: int

    @property
    def row(self) -> EvaluatedCase:
        """The row that keeps the fresh scores of the case, by `time:answer`."""
        return self.rows[0]

    def wanted(self) -> Iterator[tuple[str, int, str, str]]:
        """Every fresh score: of which side, at which time, by which name, of which text."""
        for side, texts in ((NEW, [row.output or "" for row in self.rows]), (OLD, self.previous)):
            for time in range(self.times):
                for place, text in enumerate(texts):
                    yield side, time, f"{time}:{place}", text

    def orders(self, *, fresh: bool) -> Iterator[ScoreOrder]:
        """The scores that are not there yet, each by other draws than the first score and than each other."""
        draws = int(self.judge.definition["draws"])
        for side, time, name, text in self.wanted():
            if name not in (getattr(self.row, side) or {}):
                question = Question(self.row.case.input, text, self.row.case.reference)
                yield ScoreOrder((self.row.pk, side, name), self.judge, question, draws * (time + 1), fresh)


@dataclass(frozen=True, slots=True)
class _Side:
    """A release's answers to one case: their mean score in points, and the texts, None where one is not known."""

    points: float
    texts: Sequence[str] | None


def flagged_in(run: GateRun) -> list[Flagged]:
    """The cases whose mean score fell by more than the limit, where both releases' answers can be scored again."""
    limit = float(definition_from(run.policy["definition"]).max_per_case_regression)
    previous = comparable_run(run.organization, run.previous_manifest_sha256, run.suite)
    if previous is None or not limit > 0:
        return []
    leaves = {leaf: slug for leaf, slug in judged_leaves(run).items() if _same_judge(run, previous, slug)}
    judges = judges_of_run(run)
    rows = _scored_rows(run, leaves)
    old = _old_sides(previous, {leaf: judges[slug] for leaf, slug in leaves.items()})
    pairs = [
        CasePair(case, _points(judges[leaves[of_case[0].case.slice.slug]], _scores(of_case)), old[case].points)
        for case, of_case in rows.items()
        if case in old
    ]
    found = []
    for case in flagged_cases(pairs, limit):
        texts, slug = old[case].texts, leaves[rows[case][0].case.slice.slug]
        if texts is not None:
            found.append(Flagged(rows[case], texts, judges[slug], _times(run, slug, judges[slug], len(pairs), limit)))
    return found


def _same_judge(run: GateRun, previous: GateRun, slug: str) -> bool:
    return bool(previous.judges.get(slug) == run.judges[slug])


def _scored_rows(run: GateRun, leaves: Mapping[str, str]) -> dict[str, list[EvaluatedCase]]:
    found: dict[str, list[EvaluatedCase]] = {}
    rows = rows_of(run).filter(score__isnull=False, case__slice__slug__in=leaves)
    for row in rows.select_related("case", "case__slice"):
        found.setdefault(row.case.case_id, []).append(row)
    return found


def _scores(rows: Sequence[EvaluatedCase]) -> list[float]:
    return [row.score for row in rows if row.score is not None]


def _old_sides(previous: GateRun, judges: Mapping[str, Judge]) -> dict[str, _Side]:
    rows = CaseResult.objects.filter(
        run=source_of(previous), score__isnull=False, case__slice__slug__in=judges
    ).order_by("answer_id")
    answers: dict[str, list[tuple[str, float, str | None]]] = {}
    for case, leaf, score, output in rows.values_list("case__case_id", "case__slice__slug", "score", "output"):
        answers.setdefault(case, []).append((leaf, score or 0.0, output))
    return {case: _side(judges[given[0][0]], given) for case, given in answers.items()}


def _side(judge: Judge, given: Sequence[tuple[str, float, str | None]]) -> _Side:
    texts = [output for _, _, output in given if output is not None]
    points = _points(judge, [score for _, score, _ in given])
    return _Side(points, texts if len(texts) == len(given) else None)


def _points(judge: Judge, scores: Sequence[float]) -> float:
    return exact_mean([POINTS * value for value in LinearMap(*scale_of(judge)).predict(scores).tolist()])


def _times(run: GateRun, slug: str, judge: Judge, cases: int, limit: float) -> int:
    """How often each is scored again; rules score alike every time."""
    if judge.definition["kind"] == RULES:
        return 1
    key = Slice.objects.values_list("pk", flat=True).get(organization=run.organization, slug=slug)
    deviation = rescore_deviation(judge.sha256, key)
    if deviation is None:
        return UNMEASURED
    return min(MAX_RESCORES, rescores_needed(cases=cases, rescore_deviation=deviation, limit=limit))


def fresh_means(row: EvaluatedCase) -> tuple[list[float], list[float]]:
    """The fresh scores of a case, of this release and of the previous one, time by time; of several answers their mean.

    A time at which either release has no score is left out for both.
    """
    new, old = (_by_time(known or {}) for known in (row.rescores, row.previous_rescores))
    times = sorted(set(new) & set(old))
    return [new[time] for time in times], [old[time] for time in times]


def _by_time(known: Mapping[str, Any]) -> dict[int, float]:
    found: dict[int, list[float | None]] = {}
    for name, score in known.items():
        found.setdefault(int(name.partition(":")[0]), []).append(score)
    whole = {time: [score for score in scores if score is not None] for time, scores in found.items()}
    return {time: exact_mean(scores) for time, scores in whole.items() if len(scores) == len(found[time])}
