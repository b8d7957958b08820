"""The job of a calibration: every graded answer scored, some again, some with an injected instruction; measured.

Each score is written once under the job's fence, with what it cost: after a kill the next worker goes on with the
answers that have none. The numbers are computed without any lock; writing them needs the fence, and that nobody has
graded an answer meanwhile: then what is new is scored, and all is measured again.
"""

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from gates.calibrations.injecting import ATTEMPTS, Ordinary, injected_orders, verdict_on_injections
from gates.calibrations.panels import GradedRow, graded_answers, line_of, parents_of, spread_over_slices
from gates.calibrations.recording import Measured, measure_slices, record
from gates.calibrations.scores import read_scores
from gates.judge_models import CalibrationRun, CalibrationScore
from gates.judges import scale_of
from gates.models import GradedAnswer, Judge, Suite
from gates.requesters import requester_of
from gates.scoring.questions import Question, Scored, ScoreOrder
from gates.scoring.scoring import Scoring
from gates.suite_rows import copy_rows
from relcontrol.accounts.permissions import WRITE_GATES
from relcontrol.clock import now
from relcontrol.errors import Conflict, DomainError
from relcontrol.jobs.leases import Lease
from relcontrol.jobs.models import LeasedJob
from relcontrol.model_servers.spending import Budget, Spent

RESCORED: Final = 30
BLOCK: Final = 5_000
MODELS: Final = frozenset({"llm", "composition"})
ROUNDS: Final = 20
NEW_GRADES: Final = "Grades kept coming in while the judge was measured on them. Measure it once they are all there."
NO_TEXT: Final = "The text of this answer is not known here, so it cannot be read."

Lively = Iterable[Scored | None]


def calibrate_judge(lease: Lease[CalibrationRun]) -> None:
    """The job."""
    try:
        requester_of(lease.job).require(WRITE_GATES)
        for _ in range(ROUNDS):
            if _measured(lease):
                return
        raise Conflict(NEW_GRADES, code="grades_keep_coming")
    except DomainError as error:
        _end_refused(lease, error)


def _measured(lease: Lease[CalibrationRun]) -> bool:
    answers = _answers(lease.job)
    if lease.job.body is not None:
        _write_sent(lease)
    else:
        _score(lease, answers)
    return _finish(lease, measure_slices(lease.job, answers, lambda: lease.keep(now())))


def _answers(run: CalibrationRun) -> list[GradedRow]:
    """The graded answers of the chosen slices, one of each slice in turn."""
    parents, slugs = parents_of(run.organization), {chosen["slug"] for chosen in run.order["slices"]}
    rows = graded_answers(run.suite)
    return spread_over_slices([row for row in rows if slugs.intersection(line_of(parents, row.slice))])


def _write_sent(lease: Lease[CalibrationRun]) -> None:
    """Sent scores as rows, all of them in one transaction, of other slices too; what was graded since has none."""
    if CalibrationScore.objects.filter(run=lease.job).exists():
        return
    rows = json.loads(zlib.decompress(bytes(lease.job.body or b"")))
    keys = {(answer.case_id, answer.answer_id): answer.key for answer in graded_answers(lease.job.suite)}
    scores = read_scores(rows, keys, scale_of(lease.job.judge))
    with lease.writing() as run:
        columns = ("run_id", "answer_id", "score", "reason", "problem")
        copy_rows(CalibrationScore, columns, ((run.pk, keys[key], score, "", "") for key, score in scores.items()))


def _score(lease: Lease[CalibrationRun], answers: Sequence[GradedRow]) -> None:
    run = lease.job
    again, injected = _second_looks(run, answers)
    lease.keep(now(), of=len(answers) + again + injected)
    budget = Budget.from_json(run.order["budget"])
    with Scoring(run.organization, budget=budget, spent=Spent.from_json(run.spent)) as scoring:
        _score_answers(lease, scoring, answers, budget)
        if again:
            _score_again(lease, scoring, answers)
        if injected and run.injections is None:
            _try_injections(lease, scoring, answers)


def _second_looks(run: CalibrationRun, answers: Sequence[GradedRow]) -> tuple[int, int]:
    """How many answers are scored again, and how many injected ones are tried: rules say the same every time."""
    if run.judge.definition["kind"] not in MODELS:
        return 0, 0
    readable = sum(answer.has_text for answer in answers)
    return (min(readable, RESCORED) if run.order["rescores"] else 0), ATTEMPTS if readable else 0


def _score_answers(
    lease: Lease[CalibrationRun], scoring: Scoring, answers: Sequence[GradedRow], budget: Budget
) -> None:
    run = lease.job
    done = set(CalibrationScore.objects.filter(run=run).values_list("answer_id", flat=True))
    waiting = [answer for answer in answers if answer.key not in done]
    left = len(waiting) if budget.cases is None else max(0, budget.cases - len(done))
    readable = [answer for answer in waiting if answer.has_text]
    asked, over = readable[:left], readable[left:]
    silent = [(answer, NO_TEXT) for answer in waiting if not answer.has_text]
    silent += [(answer, f"The budget of {budget.cases:,} cases is used up.") for answer in over]
    with lease.writing() as row:
        CalibrationScore.objects.bulk_create(
            [CalibrationScore(run=row, answer_id=answer.key, problem=problem) for answer, problem in silent]
        )
        row.progress_done = len(done) + len(silent)
        row.save(update_fields=["progress_done"])
    for scored in _lively(lease, scoring.run(_orders(run.judge, asked))):
        with lease.writing() as row:
            CalibrationScore.objects.create(
                run=row,
                answer_id=int(str(scored.key)),
                score=scored.score,
                draws=[dict(draw) for draw in scored.draws],
                reason=scored.reason,
                problem=scored.problem,
            )
            _count(row, scoring)


def _score_again(lease: Lease[CalibrationRun], scoring: Scoring, answers: Sequence[GradedRow]) -> None:
    """Fresh draws for some answers that have a score: what R9 calls the judge's re-score deviation."""
    run = lease.job
    rows = CalibrationScore.objects.filter(run=run)
    once = rows.filter(score__isnull=False, rescores__isnull=True).values_list("answer_id", "pk", "draws")
    # What rules vetoed without a call comes out the same every time, and would make the judge look steadier than it is.
    known = {answer: key for answer, key, draws in once if any(draw["attempts"] for draw in draws or ())}
    left = max(0, RESCORED - rows.filter(rescores__isnull=False).count())
    chosen = [answer for answer in answers if answer.key in known][:left]
    for scored in _lively(lease, scoring.run(_orders(run.judge, chosen, first_draw=run.judge.definition["draws"]))):
        with lease.writing() as row:
            fresh = [] if scored.score is None else [scored.score]
            CalibrationScore.objects.filter(pk=known[int(str(scored.key))]).update(rescores=fresh)
            _count(row, scoring)


def _try_injections(lease: Lease[CalibrationRun], scoring: Scoring, answers: Sequence[GradedRow]) -> None:
    """Answers with an instruction to the judge inside; what was known of them is kept by the cache of calls."""
    run = lease.job
    bases = _bases(run, answers)
    orders = injected_orders(run.judge, bases)
    found = {scored.key: scored for scored in _lively(lease, scoring.run(orders))}
    with lease.writing() as row:
        row.injections = verdict_on_injections(scale_of(run.judge), bases, found)
        row.spent = scoring.spent.as_json()
        row.progress_done += len(orders)
        row.save(update_fields=["injections", "spent", "progress_done"])


def _bases(run: CalibrationRun, answers: Sequence[GradedRow]) -> list[Ordinary]:
    """The answers with the lowest scores, where a score has the most room to be talked up.

    Those at the very end of a composition's scale come last: rules may have put them there, which nothing can move.
    """
    rows = CalibrationScore.objects.filter(run=run, score__isnull=False).values_list("answer_id", "score", "rescores")
    scores = {key: (score, *(again or ())) for key, score, again in rows}
    low, composed = scale_of(run.judge)[0], bool(run.judge.definition["children"])
    lowest = sorted(scores, key=lambda key: (composed and scores[key][0] <= low, scores[key][0], key))[:ATTEMPTS]
    chosen = [answer for answer in answers if answer.key in lowest]
    return [Ordinary(question, scores[key]) for key, question in _questions(chosen)]


def _orders(judge: Judge, answers: Sequence[GradedRow], *, first_draw: int = 0) -> Iterator[ScoreOrder]:
    for start in range(0, len(answers), BLOCK):
        for key, question in _questions(answers[start : start + BLOCK]):
            yield ScoreOrder(key=key, judge=judge, question=question, first_draw=first_draw)


def _questions(answers: Sequence[GradedRow]) -> list[tuple[int, Question]]:
    rows = GradedAnswer.objects.filter(pk__in=[answer.key for answer in answers])
    columns = rows.values_list("pk", "case__input", "output", "case__reference")
    texts = {key: Question(asked, output or "", reference) for key, asked, output, reference in columns}
    return [(answer.key, texts[answer.key]) for answer in answers]


def _lively(lease: Lease[Any], scores: Lively) -> Iterator[Scored]:
    """The scores as they come; the lease is renewed with each, and while there are none."""
    for scored in scores:
        lease.keep(now())
        if scored is not None:
            yield scored


def _count(row: CalibrationRun, scoring: Scoring) -> None:
    row.spent = scoring.spent.as_json()
    row.progress_done += 1
    row.save(update_fields=["spent", "progress_done"])


def _finish(lease: Lease[CalibrationRun], measured: Measured) -> bool:
    """Write what was measured, unless the grades are others by now."""
    actor = requester_of(lease.job)
    with lease.writing() as run:
        actor.require(WRITE_GATES)
        Suite.objects.select_for_update(no_key=True).get(pk=run.suite_id)  # nobody adds grades meanwhile
        if {answer.key: answer.grades for answer in _answers(run)} != measured.grades:
            return False
        record(actor, run, measured)
    return True


def _end_refused(lease: Lease[CalibrationRun], error: DomainError) -> None:
    with lease.writing() as run:
        run.problem = {
            "code": error.code,
            "detail": error.detail,
            "errors": [{"field": item.field, "message": item.message} for item in error.errors],
        }
        run.state, run.body, run.finished_at = LeasedJob.State.ERROR, None, now()
        run.save(update_fields=["state", "body", "finished_at", "problem"])
