"""Reading what a run is judged on: the suite's cases, graded answers, the previous release's scores, calibration."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import chain
from typing import Final

from gates.models import GradedAnswer, Rating, Slice, Suite, SuiteCase
from gates.run_models import CaseResult, GateRun
from gates.runs.conditions import Measurements
from gates.runs.material import Answer, Calibration, Case
from gates.runs.reading import AnswerKey
from gates.statistics.arrays import exact_mean
from gates.suite_files.cases import Scale, answer_id_of
from gates.suite_files.digests import ratings_digest
from relcontrol.accounts.models import Organization
from relcontrol.jobs.models import LeasedJob

CALIBRATION_AGE: Final = timedelta(days=30)
CALIBRATION_RUNS: Final = 20
CHUNK: Final = 5_000
MOST_NAMED: Final = 20_000

Grades = dict[AnswerKey, dict[str, float]]


def cases_of_suite(suite: Suite) -> list[Case]:
    """Every case, by case id."""
    rows = SuiteCase.objects.filter(suite=suite).values_list("case_id", "slice__slug", "cluster_id")
    return [Case(*row) for row in rows.order_by("case_id").iterator(CHUNK)]


def graded_texts(suite: Suite) -> dict[AnswerKey, str]:
    """The digest of the text of every graded answer whose text is known."""
    rows = GradedAnswer.objects.filter(case__suite=suite, output__isnull=False)
    columns = rows.values_list("case__case_id", "answer_id", "output")
    return {(case_id, answer): answer_id_of(output or "") for case_id, answer, output in columns.iterator(CHUNK)}


def grades_in(suite: Suite) -> Grades:
    """Every grade, by answer and rater."""
    found: Grades = {}
    rows = Rating.objects.filter(answer__case__suite=suite)
    columns = rows.values_list("answer__case__case_id", "answer__answer_id", "rater", "grade")
    for case_id, answer_id, rater, grade in columns.iterator(CHUNK):
        found.setdefault((case_id, answer_id), {})[rater] = grade
    return found


def digest_of_grades(grades: Grades) -> str:
    """The digest of these ratings (contracts.md)."""
    return ratings_digest(
        ((case_id, answer_id, rater), grade)
        for (case_id, answer_id), given in grades.items()
        for rater, grade in given.items()
    )


def grade_scale_of(run: GateRun) -> Scale | None:
    """The scale of human grades: the suite's, else the one that came with the run."""
    scale = run.suite.grade_scale or run.order["grade_scale"]
    return (float(scale[0]), float(scale[1])) if scale else None


def source_of(run: GateRun) -> GateRun:
    """The run that has the results: a carried run has those of the one that it was carried from."""
    return run.carried_from or run


def answers_of_run(run: GateRun, grades: Mapping[AnswerKey, Mapping[str, float]]) -> list[Answer]:
    """The answers that a finished run was judged on, with the grades that are known by now."""
    rows = CaseResult.objects.filter(run=source_of(run)).values_list("case__case_id", "answer_id", "score")
    return [
        Answer(case_id, answer_id, score, grades.get((case_id, answer_id), {}))
        for case_id, answer_id, score in rows.order_by("case__case_id", "answer_id").iterator(CHUNK)
    ]


def measurements_of_run(run: GateRun) -> Measurements:
    """What its answers cost."""
    rows = CaseResult.objects.filter(run=source_of(run))
    columns = rows.values_list("case__case_id", "latency_ms", "input_tokens", "output_tokens")
    return measurements(columns.iterator(CHUNK))


def measurements(rows: Iterable[tuple[str, float | None, int | None, int | None]]) -> Measurements:
    """Means by case of (case_id, latency_ms, input_tokens, output_tokens)."""
    latency: dict[str, list[float]] = {}
    tokens: dict[str, list[float]] = {}
    for case_id, milliseconds, read, written in rows:
        if milliseconds is not None:
            latency.setdefault(case_id, []).append(milliseconds)
        if read is not None or written is not None:
            tokens.setdefault(case_id, []).append((read or 0) + (written or 0))
    return Measurements(_means(tokens), _means(latency))


def _means(values: Mapping[str, list[float]]) -> dict[str, float]:
    return {case_id: exact_mean(row) for case_id, row in values.items()}


def comparable_run(organization: Organization, manifest_sha256: str | None, suite: Suite) -> GateRun | None:
    """The newest finished run of a manifest on the same cases; a dry run has results as good as any."""
    if manifest_sha256 is None:
        return None
    rows = GateRun.objects.filter(
        organization=organization, manifest_sha256=manifest_sha256, state=LeasedJob.State.DONE
    )
    same = rows.filter(suite__sha256=suite.sha256).select_related("carried_from", "suite").defer("body")
    return same.order_by("-pk").first()


def calibrations(run: GateRun, members: Mapping[str, frozenset[str]], at: datetime) -> dict[str, Calibration]:
    """For each judged slice the earlier graded answers that its judge scored, of the last thirty days.

    `members` are the slugs of each slice with all below it. Of an answer that was scored twice the newest score counts.
    """
    rows = GateRun.objects.filter(
        organization=run.organization, state=LeasedJob.State.DONE, finished_at__gte=at - CALIBRATION_AGE
    ).exclude(pk=run.pk)
    recent = list(rows.filter(carried_from=None).order_by("-pk").only("pk", "judges", "finished_at")[:CALIBRATION_RUNS])
    scored = {
        slug: tuple(earlier for earlier in recent if earlier.judges.get(slug) == run.judges.get(slug))
        for slug in members
    }
    found: dict[str, Calibration] = {}
    for runs in {runs for runs in scored.values() if runs}:  # mostly one: then each answer is read once for all slices
        slugs = [slug for slug in members if scored[slug] == runs]
        answers = _graded_answers(runs, frozenset(chain.from_iterable(members[slug] for slug in slugs)))
        newest = max(earlier.finished_at for earlier in runs if earlier.finished_at)
        for slug in slugs:
            own = [answers[key][1] for key in sorted(answers) if answers[key][0] in members[slug]]
            if own:
                found[slug] = Calibration(own, (at - newest).days)
    return found


def _graded_answers(runs: tuple[GateRun, ...], slugs: frozenset[str]) -> dict[tuple[str, str], tuple[str, Answer]]:
    """The graded answers of these runs in these slices, each with its leaf slice, by suite and case and by answer."""
    slices = Slice.objects.filter(organization_id=runs[0].organization_id, slug__in=slugs).values("pk")
    rows = Rating.objects.filter(
        answer__case__slice__in=slices,
        answer__case__in=CaseResult.objects.filter(run__in=runs).values("case"),
    )
    grades: dict[tuple[int, str], dict[str, float]] = {}
    for key, answer_id, rater, grade in rows.values_list("answer__case__pk", "answer__answer_id", "rater", "grade"):
        grades.setdefault((key, answer_id), {})[rater] = grade
    if not grades:
        return {}
    cases = {case for case, _ in grades}
    results = CaseResult.objects.filter(run__in=runs).order_by("run_id")
    # Named, as the planner, which may know nothing of rows so new, once chose to look at all grades for each result.
    of_graded = {"case_id__in": cases} if len(cases) <= MOST_NAMED else {"case__slice__in": slices}
    results = results.filter(**of_graded)
    columns = ("case__pk", "case__case_id", "answer_id", "score", "case__suite__sha256", "case__slice__slug")
    found: dict[tuple[str, str], tuple[str, Answer]] = {}
    for case, name, answer_id, score, suite, leaf in results.values_list(*columns).iterator(CHUNK):
        if given := grades.get((case, answer_id)):
            found[f"{suite} {name}", answer_id] = leaf, Answer(f"{suite} {name}", answer_id, score, given)
    return found
