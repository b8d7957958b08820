"""The nightly second look at calibrated judges: some of their graded answers scored again, compared pair by pair (R10).

The model behind a name can change while its name does not. A judge that agrees less with the experts than when it was
measured, or whose scores lie elsewhere, loses the calibration, with the sentence why. Judges of rules say the same
every time and judges elsewhere cannot be asked, so neither is looked at.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Exists, OuterRef

from audit.events import Event
from audit.receipts import Record, append
from audit.statement import Policy
from gates.calibrations.comparing import NIGHTLY_LEVEL, Comparison, Side, compare, evenly
from gates.calibrations.earlier import MOVED
from gates.calibrations.ending import end_lapsed
from gates.calibrations.panels import graded_answers
from gates.calibrations.standing import HOLDING
from gates.judge_models import AnchorCheck, Calibration, CalibrationScore
from gates.judges import scale_of
from gates.models import GradedAnswer
from gates.runs.digests import without_floats
from gates.runs.material import Answer, grades_of
from gates.scoring.questions import Question, ScoreOrder
from gates.scoring.scoring import Scoring
from gates.statistics.rules import missing_is_too_much
from relcontrol.accounts.actors import system_actor
from relcontrol.clock import now
from relcontrol.jobs.leases import Lease
from relcontrol.jobs.models import LeasedJob
from relcontrol.jobs.wake import wake
from relcontrol.model_servers.spending import Spent

KIND: Final = "anchor-check"
MOST_ANCHORS: Final = 40
MOST_MISSING: Final = 0.05
A_DAY: Final = timedelta(days=1)
MODELS: Final = ("llm", "composition")
HELD, INCOMPLETE = "held", "incomplete"


def due_checks(at: datetime) -> int:
    """Ask for a check of each calibration that holds and had none for a day; returns how many."""
    end_lapsed(at)
    recent = AnchorCheck.objects.filter(calibration=OuterRef("pk"), created_at__gt=at - A_DAY)
    rows = Calibration.objects.filter(
        ~Exists(recent),
        outcome__in=HOLDING,
        ended_at=None,
        measured_at__lte=at - A_DAY,
        judge__definition__kind__in=MODELS,
    )
    checks = [AnchorCheck(organization_id=row.organization_id, calibration=row, created_at=at) for row in rows]
    AnchorCheck.objects.bulk_create(checks, ignore_conflicts=True)  # another ticker may have been quicker
    for check in AnchorCheck.objects.filter(pk__in=[check.pk for check in checks]):
        wake(KIND, check.pk)
    return len(checks)


def check_anchors(lease: Lease[AnchorCheck]) -> None:
    """The job. Each fresh score is written once; after a kill the next worker asks for the rest."""
    calibration = _calibration(lease.job)
    before = _anchors(calibration)
    fresh = _ask(lease, calibration, before)
    _finish(lease, calibration, before, fresh)


def _calibration(check: AnchorCheck) -> Calibration:
    rows = Calibration.objects.select_related("judge", "slice", "run__suite", "organization").defer("run__body")
    return rows.get(pk=check.calibration_id)


def _anchors(calibration: Calibration) -> dict[int, float]:
    """Answers with a text and a score, over the whole range of scores."""
    rows = CalibrationScore.objects.filter(run=calibration.run_id, score__isnull=False, answer__output__isnull=False)
    of_slice = rows.filter(answer__case__slice__slug__in=calibration.document["members"])
    columns = of_slice.order_by("score", "answer_id").values_list("answer_id", "score")
    scores = {key: score for key, score in columns if score is not None}
    return {key: scores[key] for key in evenly(list(scores), MOST_ANCHORS)}


def _ask(lease: Lease[AnchorCheck], calibration: Calibration, before: Mapping[int, float]) -> dict[int, float | None]:
    check = lease.job
    fresh = {int(key): score for key, score in ((check.document or {}).get("fresh") or {}).items()}
    orders = [
        ScoreOrder(key, calibration.judge, question, fresh=True)
        for key, question in _questions(before)
        if key not in fresh
    ]
    lease.keep(now(), done=len(fresh), of=len(before))
    with Scoring(calibration.organization, spent=Spent.from_json(check.spent) if check.spent else Spent()) as scoring:
        for scored in scoring.run(orders):
            lease.keep(now())
            if scored is None:
                continue
            fresh[int(str(scored.key))] = scored.score
            with lease.writing() as row:
                row.document, row.spent = {"fresh": {str(key): fresh[key] for key in fresh}}, scoring.spent.as_json()
                row.progress_done = len(fresh)
                row.save(update_fields=["document", "spent", "progress_done"])
    return fresh


def _questions(anchors: Mapping[int, float]) -> list[tuple[int, Question]]:
    rows = GradedAnswer.objects.filter(pk__in=anchors).order_by("pk")
    columns = rows.values_list("pk", "case__input", "output", "case__reference")
    return [(key, Question(asked, output or "", reference)) for key, asked, output, reference in columns]


def _finish(
    lease: Lease[AnchorCheck], calibration: Calibration, before: Mapping[int, float], fresh: Mapping[int, float | None]
) -> None:
    found = _compared(calibration, before, fresh)
    missing = sum(score is None for score in fresh.values())
    at = now()
    with lease.writing() as check:
        check.outcome = _outcome(found, missing, len(fresh))
        sentences = list(found.sentences())
        if missing:
            sentences.append(f"{missing} of {len(fresh)} answers got no score.")
        check.document = {**found.as_json(), "sentences": sentences, "missing": missing, "of": len(fresh)}
        check.state, check.finished_at = LeasedJob.State.DONE, at
        check.save(update_fields=["outcome", "document", "state", "finished_at"])
        if check.outcome == MOVED:
            _end(calibration, check, at, found.proof)


def _compared(calibration: Calibration, before: Mapping[int, float], fresh: Mapping[int, float | None]) -> Comparison:
    """Fresh scores against those of the calibration, on today's grades of the same answers."""
    answers = graded_answers(calibration.run.suite, calibration.document["members"])
    anchors = [answer for answer in answers if answer.key in before]
    grades = grades_of([Answer(row.case_id, row.answer_id, None, row.grades) for row in anchors])
    scale = scale_of(calibration.judge)
    new, old = [fresh.get(row.key) for row in anchors], [before[row.key] for row in anchors]
    clusters = [row.cluster_id for row in anchors] if any(row.cluster_id for row in anchors) else None
    return compare(grades.ranks, Side(new, scale), Side(old, scale), clusters, NIGHTLY_LEVEL)


def _outcome(found: Comparison, missing: int, of: int) -> str:
    """Too many answers without a score say nothing of the judge: its server may have had a bad night."""
    too_many = missing_is_too_much(expected=of, present=of - missing, missing_max=MOST_MISSING)
    if too_many or not found.is_enough:
        return INCOMPLETE
    return MOVED if found.moved else HELD


def _end(calibration: Calibration, check: AnchorCheck, at: datetime, proof: str) -> None:
    """The calibration ends, with a receipt, unless something else has ended it meanwhile."""
    row = Calibration.objects.select_for_update(no_key=True).get(pk=calibration.pk)
    if row.ended_at is not None:
        return
    row.ended_at, row.ended_because = at, f"The nightly check found that the judge has moved. {proof}"
    row.save(update_fields=["ended_at", "ended_because"])
    append(system_actor(calibration.organization), _record(calibration, check, row.ended_because))


def _record(calibration: Calibration, check: AnchorCheck, why: str) -> Record:
    judge = calibration.judge
    state: dict[str, Any] = without_floats(
        {
            "calibration": calibration.run_id,
            "anchor_check": check.pk,
            "judge": judge.name,
            "judge_sha256": judge.sha256,
            "slice": calibration.slice.slug,
            "why": why,
            "found": check.document,
        }
    )
    return Record(
        event=Event.JUDGE_CALIBRATED,
        outcome="ended",
        kind="judge",
        name=judge.name,
        policy=Policy(judge.pk, 1, judge.sha256),
        state=state,
    )
