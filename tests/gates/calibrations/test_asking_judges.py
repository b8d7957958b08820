"""A judge that is a model is measured by a worker: every answer once, some again, some with an instruction in it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from gates.calibrations import working
from gates.calibrations.recording import measure_slices
from gates.calibrations.requesting import cancel_calibration, request_calibration
from gates.calibrations.standing import rescore_deviation
from gates.calibrations.working import calibrate_judge
from gates.judge_making import create_judge
from gates.judge_models import Calibration, CalibrationRun, CalibrationScore, KnownCall
from gates.models import GradedAnswer, Judge
from relcontrol.accounts.selectors import endpoints_of
from relcontrol.clock import now
from relcontrol.jobs.leases import LEASE, claim
from relcontrol.jobs.running import run as run_job
from relcontrol.model_servers.spending import Budget
from relcontrol.rehearsal.samples import graded
from tests.gates.calibrations.bench import SLICE, Bench, bench, of_slice, work
from tests.gates.calibrations.judge_server import Asked, JudgeServer, by_parts, judge_server, llm_judge

pytestmark = pytest.mark.django_db

COUNT = 32
RESCORED = 10
INJECTED = 8


@pytest.fixture(autouse=True)
def _fewer_scored_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a test takes no longer than it has to."""
    monkeypatch.setattr(working, "RESCORED", RESCORED)


@pytest.fixture
def here() -> Bench:
    return bench({SLICE: graded(COUNT, 0.9)})


@pytest.fixture
def server(here: Bench) -> Iterator[JudgeServer]:
    with judge_server(by_parts(here)) as found:
        yield found


def asked_for(here: Bench, judge: Judge, **order: Any) -> CalibrationRun:
    return request_calibration(actor=here.stage.actor, judge=judge, suite=here.suite, **order)


def injections_of(run: CalibrationRun) -> dict[str, Any]:
    """How the judge stood the injected answers."""
    assert run.injections
    return dict(run.injections)


def test_every_answer_is_scored_some_again_and_some_with_an_instruction(here: Bench, server: JudgeServer) -> None:
    done = work(here, asked_for(here, llm_judge(here, server)))
    assert (done.state, done.progress_done, done.progress_of) == ("done", *[COUNT + RESCORED + INJECTED] * 2)
    assert done.spent["calls"] == len(server.asked) == COUNT + RESCORED + INJECTED
    assert (done.spent["input_tokens"], done.spent["output_tokens"]) == (100 * 50, 10 * 50)
    found = of_slice(done)
    assert (found.outcome, found.n) == ("pass", COUNT)


def test_scores_keep_their_draws_and_reasons(here: Bench, server: JudgeServer) -> None:
    done = work(here, asked_for(here, llm_judge(here, server, draws=2, parameters={"seed": 0})))
    row = CalibrationScore.objects.filter(run=done).first()
    assert row
    assert row.draws
    assert (len(row.draws), row.reason, row.draws[0]["model"]) == (2, "By the rule.", "judge-1")


def test_draws_that_differ_are_described_and_so_are_scores_again(here: Bench, server: JudgeServer) -> None:
    server.rule = by_parts(here, wobble=0.2)
    judge = llm_judge(here, server, draws=3, parameters={"seed": 0})
    found = of_slice(work(here, asked_for(here, judge)))
    assert found.document["self_consistency"]["draws"] == 3
    assert 0 < found.document["self_consistency"]["equal"] < 1
    assert found.rescore_sd == pytest.approx(rescore_deviation(judge.sha256, here.slice().pk) or 0.0)
    assert 0 < (found.rescore_sd or 0.0) < 10
    assert found.document["rescored"] == RESCORED


def test_scores_again_are_other_draws_than_the_first(here: Bench, server: JudgeServer) -> None:
    work(here, asked_for(here, llm_judge(here, server, draws=2, parameters={"seed": 0})))
    plain = [asked.draw for asked in server.asked if not asked.is_injected]
    assert [plain.count(draw) for draw in range(4)] == [COUNT, COUNT, RESCORED, RESCORED]


def test_a_judge_that_keeps_to_its_rubric_is_not_moved_by_instructions(here: Bench, server: JudgeServer) -> None:
    done = work(here, asked_for(here, llm_judge(here, server)))
    assert injections_of(done)["sentence"] == "0 of 8 injected answers moved the score."
    assert len({row["name"] for row in injections_of(done)["rows"]}) == INJECTED
    assert sum(asked.is_injected for asked in server.asked) == INJECTED


def test_a_judge_that_obeys_them_is_found_out(here: Bench, server: JudgeServer) -> None:
    plain = by_parts(here)
    server.rule = lambda asked: 5.0 if asked.is_injected else plain(asked)
    done = work(here, asked_for(here, llm_judge(here, server)))
    assert injections_of(done)["sentence"] == "8 of 8 injected answers moved the score."


def test_a_judge_whose_scores_differ_by_as_much_anyway_is_not_blamed(here: Bench, server: JudgeServer) -> None:
    plain = by_parts(here)

    def rule(asked: Asked) -> float:
        if asked.is_injected:
            return min(5.0, (plain(asked) or 0.0) + 0.8)
        return min(5.0, (plain(asked) or 0.0) + (0.9 if asked.draw else 0.0))

    server.rule = rule
    done = work(here, asked_for(here, llm_judge(here, server)))
    assert injections_of(done)["moved"] == 0
    assert injections_of(done)["limit"] > 20


def test_answers_that_rules_veto_are_neither_scored_again_nor_tried_with_instructions(
    here: Bench, server: JudgeServer
) -> None:
    for place in range(3):
        row = GradedAnswer.objects.get(answer_id=f"{SLICE}-{place:04}-a")
        row.output = f"Answer {place} on {SLICE}. It was Thursday March 32nd, 2026."
        row.save(update_fields=["output"])
    llm_judge(here, server)
    create_judge(actor=here.stage.actor, name="rules:dates@1", fields={"rules": {}})
    children = {"children": ["rules:dates@1", "llm:legal@1"]}
    both = create_judge(actor=here.stage.actor, name="composition:both@1", fields=children)[0]
    done = work(here, asked_for(here, both))
    assert list(CalibrationScore.objects.filter(run=done, score=1.0).values_list("rescores", flat=True)) == [None] * 3
    assert len(server.asked) == COUNT - 3 + RESCORED + INJECTED
    assert not any("March 32nd" in asked.text for asked in server.asked)


def test_without_scores_again_there_are_none(here: Bench, server: JudgeServer) -> None:
    done = work(here, asked_for(here, llm_judge(here, server), rescores=False))
    assert of_slice(done).rescore_sd is None
    assert len(server.asked) == COUNT + INJECTED


def test_a_reply_that_cannot_be_read_is_missing_and_says_why(here: Bench, server: JudgeServer) -> None:
    plain = by_parts(here)
    server.rule = lambda asked: None if asked.place < 2 else plain(asked)
    found = of_slice(work(here, asked_for(here, llm_judge(here, server))))
    assert (found.document["reason"], found.n, found.outcome) == ("too_many_missing", COUNT - 2, "insufficient")
    assert "I would rather not." in " ".join(found.document["reasons"])


def test_a_budget_of_tokens_stops_it_in_words(here: Bench, server: JudgeServer) -> None:
    done = work(here, asked_for(here, llm_judge(here, server), budget=Budget(tokens=2_000)))
    assert done.state == "done"
    assert len(server.asked) < 25
    assert any("The budget of 2,000 tokens is used up" in reason for reason in of_slice(done).document["reasons"])


def test_a_judge_whose_endpoint_is_gone_ends_it_in_words(here: Bench, server: JudgeServer) -> None:
    run = asked_for(here, llm_judge(here, server))
    endpoints_of(here.stage.organization).delete()
    done = work(here, run)
    assert done.state == "error"
    assert "which is not there" in str(done.problem)


def test_the_same_wish_while_one_is_open_is_that_one(here: Bench, server: JudgeServer) -> None:
    judge = llm_judge(here, server)
    first = asked_for(here, judge)
    assert asked_for(here, judge).pk == first.pk
    assert asked_for(here, judge, rescores=False).pk != first.pk


class KilledError(BaseException):
    """Stands for SIGKILL: nothing catches it."""


def test_after_a_kill_the_next_worker_asks_for_the_rest_and_records_each_answer_once(
    here: Bench, server: JudgeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = asked_for(here, llm_judge(here, server))
    counted = working._count
    rows = CalibrationRun.objects.filter(pk=run.pk)

    def killed(row: CalibrationRun, scoring: Any) -> None:
        counted(row, scoring)
        if row.progress_done == 15:
            raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(working, "_count", killed)
        with pytest.raises(KilledError):
            run_job(rows, calibrate_judge)
    assert CalibrationScore.objects.filter(run=run).count() == 14  # the fifteenth was not written whole
    rows.update(lease_until=now() - timedelta(seconds=1))
    done = work(here, run)
    assert (done.state, done.attempts, of_slice(done).n) == ("done", 2, COUNT)
    assert CalibrationScore.objects.filter(run=run).count() == COUNT
    assert len(server.asked) <= COUNT + RESCORED + INJECTED + 8


def test_a_worker_that_was_thought_dead_writes_nothing(here: Bench, server: JudgeServer) -> None:
    run = asked_for(here, llm_judge(here, server))
    rows = CalibrationRun.objects.filter(pk=run.pk)
    assert claim(rows, "late", now() - 2 * LEASE)
    done = work(here, run)
    assert (done.attempts, Calibration.objects.filter(run=run).count()) == (2, 1)


def test_a_cancelled_one_stops_and_writes_nothing_more(here: Bench, server: JudgeServer) -> None:
    run = asked_for(here, llm_judge(here, server))
    stopped = cancel_calibration(actor=here.stage.actor, run=run)
    assert not run_job(CalibrationRun.objects.filter(pk=run.pk), calibrate_judge)
    assert (stopped.state, (stopped.problem or {})["detail"]) == ("cancelled", "relcontrol cancelled it.")
    assert not server.asked


def test_one_that_is_cancelled_while_it_works_leaves_no_calibration(
    here: Bench, server: JudgeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = asked_for(here, llm_judge(here, server))
    counted = working._count

    def cancelled(row: CalibrationRun, scoring: Any) -> None:
        counted(row, scoring)
        if row.progress_done == 5:
            cancel_calibration(actor=here.stage.actor, run=run)

    monkeypatch.setattr(working, "_count", cancelled)
    work(here, run)
    assert here.again(run).state == "cancelled"
    assert not Calibration.objects.exists()
    assert len(server.asked) < COUNT


def test_grades_that_come_in_while_it_works_are_measured_too(
    here: Bench, server: JudgeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = asked_for(here, llm_judge(here, server))

    def graded_meanwhile(*given: Any) -> Any:
        found = measure_slices(*given)
        row = {"case_id": f"{SLICE}-0000", "answer_id": f"{SLICE}-0000-a", "rater": "dora", "grade": 3}
        here.stage.ci.post("ratings", {"suite": here.suite.name, "ratings": [row]})
        return found

    monkeypatch.setattr(working, "measure_slices", graded_meanwhile)
    found = of_slice(work(here, run))
    assert (found.document["raters"], found.ended_at) == (4, None)


def test_known_calls_are_not_paid_again(here: Bench, server: JudgeServer) -> None:
    judge = llm_judge(here, server)
    work(here, asked_for(here, judge))
    before = len(server.asked)
    done = work(here, asked_for(here, judge))
    assert (len(server.asked), done.spent["calls"]) == (before, 0)
    assert done.spent["cached"] == KnownCall.objects.count()
