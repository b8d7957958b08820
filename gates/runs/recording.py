"""Writing a decision: grades that came with it, what was found per slice and case, the verdict, the receipts.

One transaction under the job's fence. A verdict stands: a second run of the same manifest on the same suite, slices and
judges takes nothing back, however its answers turned out, unless the first was held for want of evidence or people
have graded the very same answers since (contracts.md "Standing").
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from audit.events import Event
from audit.receipts import Record, append
from audit.statement import Policy, ReleaseRef
from audit.weights.standing import claim_of
from gates.models import Slice, Suite, SuiteCase
from gates.ratings import NewRating, record_ratings, write_ratings
from gates.run_models import CaseDrop, GateRun, SliceResult
from gates.runs.deciding import Decision
from gates.runs.digests import without_floats
from gates.runs.document import decision_inputs
from gates.runs.gathering import grades_in
from gates.runs.judging import SliceJudgment
from gates.runs.results import Result
from gates.runs.selectors import deciding_run
from gates.statistics.limits import TOLERANCE
from gates.statistics.regression import CaseOutcome
from gates.suite_rows import copy_rows
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Application
from relcontrol.clock import now
from relcontrol.errors import Conflict
from relcontrol.jobs.models import LeasedJob

EVENTS: Final = {
    GateRun.Verdict.PASS: (Event.GATE_PASSED, "pass"),
    GateRun.Verdict.HOLD: (Event.GATE_HELD, "hold"),
    GateRun.Verdict.FAIL: (Event.GATE_FAILED, "fail"),
}
WITHIN_LIMIT: Final = "within_limit"


def record(actor: Actor, run: GateRun, results: Sequence[Result], decision: Decision) -> None:
    """Everything that a decision changes; `run` is locked."""
    Application.objects.select_for_update(no_key=True).get(pk=run.application_id)  # runs end one after the other
    if not run.dry_run:
        _refuse_second_verdict(run, decision)
    fresh = [] if run.dry_run else _write_grades(run.suite, results)
    _write_slices(run, decision.document)
    _write_drops(run, decision.judgments)
    run.document, run.verdict = decision.document, decision.document["verdict"]
    run.previous_run = decision.previous_run
    run.results_sha256, run.ratings_sha256 = decision.results_sha256, decision.ratings_sha256
    run.gate_run_sha256 = decision.gate_run_sha256
    run.state, run.body, run.finished_at = LeasedJob.State.DONE, None, now()
    run.progress_done = run.progress_of
    if not run.dry_run:
        if fresh:
            record_ratings(actor, run.suite, fresh, grades_in(run.suite))
        run.receipt_hash = append(actor, verdict_record(run)).receipt_hash
    run.save()


def verdict_record(run: GateRun) -> Record:
    """What the receipt says of a run that is done."""
    event, outcome = EVENTS[GateRun.Verdict(run.verdict)]
    return Record(
        event=event,
        outcome=outcome,
        kind="release",
        name=run.release_name,
        application=run.application.slug,
        release=ReleaseRef(run.manifest_sha256),
        policy=Policy(run.policy["id"], run.policy["revision"], run.policy["sha256"]),
        inputs=decision_inputs(run.document or {}),
        weights=claim_of(run.organization, {"model": run.candidate["model"]}),
        state=run_state(run),
    )


def run_state(run: GateRun) -> dict[str, Any]:
    """What the receipt's opening tells of a run, numbers as decimals."""
    document = run.document or {}
    named = {
        name: document[name] for name in ("verdict", "reasons", "parity", "slices", "floors", "limits", "aggregate")
    }
    state: dict[str, Any] = without_floats(
        {
            "run": run.pk,
            "number": run.number,
            "release": run.release_name,
            "previous": run.previous_name,
            "suite": run.suite.name,
            "suite_sha256": run.suite.sha256,
            "gate_run_sha256": run.gate_run_sha256,
            "results_sha256": run.results_sha256,
            "ratings_sha256": run.ratings_sha256,
            "slice_set_sha256": run.slice_set_sha256,
            "judges": run.judges,
            "branch": run.order["branch"],
            "commit": run.order["commit"],
            **named,
        }
    )
    return state


def _refuse_second_verdict(run: GateRun, decision: Decision) -> None:
    earlier = decided_already(run)
    if earlier is None:
        return
    regraded = earlier.results_sha256 == decision.results_sha256 and earlier.ratings_sha256 != decision.ratings_sha256
    if not regraded:
        raise already_judged(earlier)


def decided_already(run: GateRun) -> GateRun | None:
    """The run whose verdict stands: of the same manifest on the same suite by the same slices and judges."""
    earlier = deciding_run(run.organization, run.manifest_sha256)
    if earlier is None or earlier.verdict == GateRun.Verdict.HOLD:
        return None
    same = (
        earlier.suite.sha256 == run.suite.sha256
        and earlier.slice_set_sha256 == run.slice_set_sha256
        and earlier.judges == run.judges
    )
    return earlier if same else None


def already_judged(earlier: GateRun) -> Conflict:
    """Why a second verdict is not taken."""
    message = (
        f"Gate run {earlier.number} has decided on this manifest: {earlier.verdict}. A further run counts only if "
        "the suite, the slices or the judges have changed, or the same answers have more grades; a dry_run may be "
        "sent at any time."
    )
    state = {"gate_run_id": earlier.pk, "verdict": earlier.verdict, "gate_run_sha256": earlier.gate_run_sha256}
    return Conflict(message, code="already_judged", state=state)


def _write_grades(suite: Suite, results: Sequence[Result]) -> list[NewRating]:
    sent = [
        NewRating(result.case_id, result.answer_id, rater, grade, result.output)
        for result in results
        for rater, grade in result.ratings
    ]
    if not sent:
        return []
    locked = Suite.objects.select_for_update(no_key=True).get(pk=suite.pk)
    known = grades_in(locked)
    for row in sent:
        if known.get((row.case_id, row.answer_id), {}).get(row.rater, row.grade) != row.grade:
            message = (
                f"{row.rater} has graded the answer {row.answer_id[:80]!r} to {row.case_id} otherwise since this run "
                "began, and a grade never changes. Send the results again without that grade."
            )
            raise Conflict(message, code="rating_differs")
    return write_ratings(locked, sent, known)


def _write_slices(run: GateRun, document: Mapping[str, Any]) -> None:
    keys = dict(Slice.objects.filter(organization=run.organization).values_list("slug", "pk"))
    thresholds = {pinned["slug"]: float(pinned["definition"]["threshold"]) for pinned in run.slices}
    SliceResult.objects.bulk_create(
        [
            SliceResult(
                run=run,
                slice_id=keys[each["slice"]],
                verdict=each["verdict"],
                n=each["agreement"]["n"] if each["agreement"] else 0,
                rho=each["agreement"]["rho"] if each["agreement"] else None,
                threshold=thresholds[each["slice"]],
                quality=each["quality"]["mean"] if each["quality"] else None,
                document=each,
            )
            for each in document["slices"]
        ]
    )


def _write_drops(run: GateRun, judgments: Mapping[str, SliceJudgment]) -> None:
    found: dict[str, tuple[float, float, float, str]] = {}
    for judgment in judgments.values():
        for pair, case in zip(judgment.pairs, judgment.regressions, strict=True):
            if case.first_drop is not None and case.first_drop > TOLERANCE:
                state = WITHIN_LIMIT if case.outcome is CaseOutcome.HELD else str(case.outcome)
                found.setdefault(case.case_id, (pair.new or 0.0, pair.old or 0.0, case.drop or 0.0, state))
    if found:
        # Keys are read before the COPY begins: while it runs, the connection answers nothing else.
        cases = SuiteCase.objects.filter(suite=run.suite).values_list("case_id", "pk", "slice_id")
        keys = {case_id: (key, leaf) for case_id, key, leaf in cases}
        columns = ("run_id", "case_id", "slice_id", "score", "previous_score", "drop", "state")
        copy_rows(CaseDrop, columns, ((run.pk, *keys[case_id], *found[case_id]) for case_id in sorted(found)))
