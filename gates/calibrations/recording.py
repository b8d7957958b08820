"""Measuring the slices of a calibration run, and writing what was found: one transaction, the receipt last.

A measurement that says something (passed, to be signed, disagrees) ends the one before of the same judge and slice.
Beside its numbers stands what became of the judge since its last measurement, on the answers of both (rule R10).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from audit.events import Event
from audit.receipts import Record, append
from audit.statement import DecisionInput, Policy
from gates.calibrations.comparing import VALID_DAYS
from gates.calibrations.measuring import Measurement, SliceScores, measure
from gates.calibrations.panels import GradedRow, leaves_below, panel_digest, parents_of
from gates.calibrations.selectors import scores_compared
from gates.judge_models import Calibration, CalibrationRun, CalibrationScore
from gates.judges import scale_of
from gates.models import Slice
from gates.runs.digests import shown_number, without_floats
from gates.runs.material import Answer, Grades, grades_of
from gates.statistics.arrays import Clusters
from relcontrol.accounts.actors import Actor
from relcontrol.clock import now
from relcontrol.jobs.models import LeasedJob

VALID_FOR: Final = timedelta(days=VALID_DAYS)
DECISIVE: Final = (Calibration.Outcome.PASS, Calibration.Outcome.REVIEW, Calibration.Outcome.FAIL)
MEASURED: Final = "measured"
INPUTS_LISTED: Final = 300
RECEIPT_KEYS: Final = (
    *("slice", "outcome", "evidence", "reason", "threshold", "rho", "ci90", "n", "graded", "raters", "alpha"),
    *("ceiling", "rescore_sd", "panel_sha256"),
)


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredSlice:
    """One slice: what was found, and of which grades."""

    slug: str
    members: Collection[str]
    panel_sha256: str
    measurement: Measurement


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Everything, with the grades that it was measured on."""

    slices: Sequence[MeasuredSlice]
    grades: Mapping[int, Mapping[str, float]]
    ratings_sha256: str


def measure_slices(
    run: CalibrationRun, answers: Sequence[GradedRow], keep: Callable[[], None] = lambda: None
) -> Measured:
    """Judge the judge of a run on each chosen slice, on the slice's own answers and those of all slices below.

    `keep` is called before each, as many large ones take longer together than a lease lasts.
    """
    scores = {row.answer_id: row for row in CalibrationScore.objects.filter(run=run)}
    parents, present = parents_of(run.organization), {answer.slice for answer in answers}
    slices = []
    for chosen in run.order["slices"]:
        keep()
        members = leaves_below(parents, chosen["slug"], present)
        own = sorted((row for row in answers if row.slice in members), key=lambda row: (row.case_id, row.answer_id))
        found = measure(_slice_scores(run, own, scores, float(chosen["threshold"])))
        slices.append(MeasuredSlice(chosen["slug"], sorted(members), panel_digest(own), found))
    return Measured(slices, {answer.key: answer.grades for answer in answers}, panel_digest(answers))


def _slice_scores(
    run: CalibrationRun, own: Sequence[GradedRow], scores: Mapping[int, CalibrationScore], threshold: float
) -> SliceScores:
    rows = [scores.get(answer.key) for answer in own]
    grades = _grades(own)
    scale = run.suite.grade_scale
    return SliceScores(
        ratings=grades.ratings,
        scores=[row.score if row else None for row in rows],
        threshold=threshold,
        scale=scale_of(run.judge),
        grade_scale=(float(scale[0]), float(scale[1])) if scale else None,
        clusters=_clusters(own),
        draws=[[draw["score"] for draw in row.draws] for row in rows if row and row.draws],
        rescored=[[row.score, *row.rescores] for row in rows if row and row.score is not None and row.rescores],
        problems=[row.problem for row in rows if row and row.score is None],
    )


def _grades(own: Sequence[GradedRow]) -> Grades:
    return grades_of([Answer(row.case_id, row.answer_id, None, row.grades) for row in own])


def _clusters(own: Sequence[GradedRow]) -> Clusters | None:
    """What is not independent: cases of one cluster, answers to one case."""
    several = len({row.case_id for row in own}) < len(own)
    if not several and not any(row.cluster_id for row in own):
        return None
    return [row.cluster_id or ("case", row.case_id) for row in own]


def record(actor: Actor, run: CalibrationRun, measured: Measured) -> None:
    """Everything that a measurement changes; `run` is locked."""
    at = now()
    rows = [_calibration(run, each, measured, at) for each in measured.slices]
    for row in rows:
        row.document["against_previous"] = _against_previous(row)
    _end_those_before(rows, at)
    Calibration.objects.bulk_create(rows)
    run.ratings_sha256, run.body = measured.ratings_sha256, None
    run.state, run.finished_at, run.progress_done = LeasedJob.State.DONE, at, run.progress_of
    run.receipt_hash = append(actor, _record(run, rows)).receipt_hash
    run.save()


def _calibration(run: CalibrationRun, each: MeasuredSlice, measured: Measured, at: datetime) -> Calibration:
    found = each.measurement
    of = Slice.objects.get(organization=run.organization, slug=each.slug)
    # The deviation of a slice of which too few answers were scored again is that of the whole run.
    deviation = found.rescore_sd if found.rescore_sd is not None else _deviation_of_all(measured)
    head = {"slice": of.slug, "name": of.name, "members": list(each.members), "panel_sha256": each.panel_sha256}
    return Calibration(
        run=run,
        organization=run.organization,
        judge=run.judge,
        slice=of,
        judge_sha256=run.judge.sha256,
        panel_sha256=each.panel_sha256,
        outcome=str(found.result.outcome),
        n=found.result.agreement.n,
        rho=found.result.agreement.rho,
        rescore_sd=deviation,
        document=head | found.document,
        measured_at=at,
        valid_until=at + VALID_FOR,
    )


def _deviation_of_all(measured: Measured) -> float | None:
    found = [each.measurement.rescore_sd for each in measured.slices if each.measurement.rescore_sd is not None]
    return max(found, default=None)


def _against_previous(row: Calibration) -> dict[str, Any] | None:
    """The newest earlier measurement of this judge, or of another version of it, on the same slice."""
    family = row.judge.name.rpartition("@")[0]
    rows = Calibration.objects.filter(organization=row.organization, slice=row.slice).select_related("judge", "run")
    before = rows.filter(judge__name__startswith=f"{family}@").order_by("-pk").first() if family else None
    found = scores_compared(row, before) if before else None
    if before is None or found is None:
        return None
    return {
        "calibration": before.run_id,
        "judge": before.judge.name,
        "same_judge": before.judge_sha256 == row.judge_sha256,
        "measured_at": before.measured_at.isoformat(),
        **found.as_json(),
    }


def _end_those_before(rows: Sequence[Calibration], at: datetime) -> None:
    for row in rows:
        if row.outcome in DECISIVE:
            before = Calibration.objects.filter(slice=row.slice, judge_sha256=row.judge_sha256, ended_at=None)
            said = f"The judge was measured again on {at:%-d %B %Y}."
            before.update(ended_at=at, ended_because=said)


def _record(run: CalibrationRun, rows: Sequence[Calibration]) -> Record:
    judge = run.judge
    state: dict[str, Any] = without_floats(
        {
            "calibration": run.pk,
            "judge": judge.name,
            "judge_sha256": judge.sha256,
            "suite": run.suite.name,
            "suite_sha256": run.suite.sha256,
            "ratings_sha256": run.ratings_sha256,
            "slices": [{name: row.document[name] for name in RECEIPT_KEYS} for row in rows],
            "injections": run.injections["sentence"] if run.injections else None,
            "spent": run.spent,
            "valid_until": rows[0].valid_until.isoformat() if rows else None,
        }
    )
    return Record(
        event=Event.JUDGE_CALIBRATED,
        outcome=MEASURED,
        kind="judge",
        name=judge.name,
        policy=Policy(judge.pk, 1, judge.sha256),
        inputs=[_input(row) for row in rows[:INPUTS_LISTED]],
        state=state,
    )


def _input(row: Calibration) -> DecisionInput:
    return DecisionInput(
        metric="calibration",
        slice=row.slice.slug,
        value=None if row.rho is None else shown_number(row.rho),
        threshold=shown_number(row.document["threshold"]),
        op=">=",
        verdict=str(row.outcome),
        evidence=row.document["evidence"],
        n=row.n,
    )
