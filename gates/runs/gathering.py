"""Reading what a run is judged on: the suite's cases, graded answers, the previous release's scores, calibration."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Final

from gates.calibrations.earlier import (
    Earlier,
    EarlierAnswer,
    Key,
    earlier_answer,
    judges_moved,
    measurements_that_hold,
    slice_keys,
)
from gates.calibrations.standing import why_not_calibrated
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

    They come from earlier runs and from the slice's calibration, as long as that holds. `members` are the slugs of each
    slice with all below it. Of an answer that was scored twice the newest score counts.
    """
    found = _scored_by_runs(run, members, at)
    for slug, measured in measurements_that_hold(run.organization, run.judges, members, at).items():
        found[slug] = _both(found.get(slug), measured)
    scale = grade_scale_of(run)
    return {slug: _calibration(earlier, scale, at) for slug, earlier in found.items()}


def _scored_by_runs(run: GateRun, members: Mapping[str, frozenset[str]], at: datetime) -> dict[str, Earlier]:
    rows = GateRun.objects.filter(
        organization=run.organization, state=LeasedJob.State.DONE, finished_at__gte=at - CALIBRATION_AGE
    ).exclude(pk=run.pk)
    columns = ("pk", "judges", "finished_at", "suite")
    recent = list(rows.filter(carried_from=None).order_by("-pk").only(*columns)[:CALIBRATION_RUNS])
    moved = judges_moved(run.organization, run.judges)
    scored = {
        slug: tuple(
            earlier
            for earlier in recent
            if earlier.judges.get(slug) == run.judges.get(slug) and _is_after(earlier, moved.get(slug))
        )
        for slug in members
    }
    found: dict[str, Earlier] = {}
    for runs in {runs for runs in scored.values() if runs}:  # mostly one: then each answer is read once for all slices
        slugs = [slug for slug in members if scored[slug] == runs]
        answers = _graded_answers(runs, frozenset(chain.from_iterable(members[slug] for slug in slugs)))
        newest = max(earlier.finished_at for earlier in runs if earlier.finished_at)
        for slug in slugs:
            own = {key: answer for key, (leaf, answer) in answers.items() if leaf in members[slug]}
            if own:
                found[slug] = Earlier(own, newest)
    return found


def _is_after(earlier: GateRun, moved: datetime | None) -> bool:
    """What a judge scored before it was found to have moved says nothing of the judge that it is now."""
    return moved is None or (earlier.finished_at is not None and earlier.finished_at > moved)


def _both(by_runs: Earlier | None, measured: Earlier) -> Earlier:
    if by_runs is None:
        return measured
    older, newer = sorted((by_runs, measured), key=lambda earlier: earlier.at)
    return Earlier({**older.answers, **newer.answers}, newer.at, measured.measurement)


def _calibration(earlier: Earlier, scale: Scale | None, at: datetime) -> Calibration:
    rows = [earlier.answers[key] for key in sorted(earlier.answers)]
    several = len({row.answer.case_id for row in rows}) < len(rows)
    clustered = several or any(row.cluster for row in rows)
    common = scale or _scale_of(rows)
    return Calibration(
        answers=[row.on_scale(common) for row in rows],
        age_days=(at - earlier.at).days,
        clusters=[row.cluster or ("case", row.answer.case_id) for row in rows] if clustered else None,
        measurement=earlier.measurement,
        scale=common if all(row.grade_scale or scale for row in rows) else None,
    )


def _scale_of(rows: Sequence[EarlierAnswer]) -> Scale | None:
    """One scale for grades of several suites, where each has one: the run's own suite has none."""
    return rows[0].grade_scale if rows and all(row.grade_scale for row in rows) else None


def _graded_answers(runs: tuple[GateRun, ...], slugs: frozenset[str]) -> dict[Key, tuple[str, EarlierAnswer]]:
    """The graded answers of these runs in these slices, each with its leaf slice, by suite and case and by answer."""
    organization = runs[0].organization_id
    slices = list(Slice.objects.filter(organization_id=organization, slug__in=slugs).values_list("pk", flat=True))
    # By suite, not by the results' cases: with rows that the planner knew nothing of yet that join took minutes.
    rows = Rating.objects.filter(
        answer__case__slice__in=slices, answer__case__suite__in={earlier.suite_id for earlier in runs}
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
    columns = (
        "case__pk",
        "case__case_id",
        "answer_id",
        "score",
        "case__suite",
        "case__slice__slug",
        "case__cluster_id",
    )
    suites = {row.pk: row for row in Suite.objects.filter(organization_id=organization)}
    found: dict[Key, tuple[str, EarlierAnswer]] = {}
    for case, name, answer_id, score, suite, leaf, cluster in results.values_list(*columns).iterator(CHUNK):
        if given := grades.get((case, answer_id)):
            place, answer = earlier_answer(suites[suite], name, answer_id, cluster, score, given)
            found[place] = leaf, answer
    return found


def uncalibrated(run: GateRun, slugs: Collection[str], at: datetime) -> dict[str, str]:
    """Why the judge of each of these slices has no calibration that holds, and what to do."""
    keys = slice_keys(run.organization, slugs)
    pairs = {slug: (key, run.judges[slug]) for slug, key in keys.items() if slug in run.judges}
    found = why_not_calibrated(run.organization, pairs.values(), at)
    return {slug: found[pair] for slug, pair in pairs.items() if pair in found}
