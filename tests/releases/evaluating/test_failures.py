"""What a server, a release or a budget cannot bring about is a missing answer with its reason, never a low score."""

from collections.abc import Callable

import pytest

from gates.run_models import CaseResult, EvaluatedCase, GateRun
from relcontrol.accounts.models import Endpoint
from relcontrol.clock import now
from relcontrol.jobs.leases import cancel
from relcontrol.model_servers.calls import Calls
from relcontrol.ticks import work
from releases.artifacts import create_artifact
from releases.evaluating import answering, working
from tests.gates.runs.stage import cases_of
from tests.releases.evaluating.servers import Body, Reply, last_of_user, model_server
from tests.releases.evaluating.stage import SLUG, by_rule, evaluated

pytestmark = pytest.mark.django_db
GOOD = by_rule(lambda number, slug, version: 0.5)


def where(number: int, reply: Reply, model: str = "answerer") -> Callable[[Body], Reply | str]:
    """Good answers, but for one case."""

    def rule(body: Body) -> Reply | str:
        if body["model"] == model and f"Question {number} on" in body["messages"][-1]["content"]:
            return reply
        return GOOD(body)

    return rule


TOOL = [{"id": "1", "type": "function", "function": {"name": "search", "arguments": "{}"}}]


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        (Reply(status=400), "The model server did not answer: upstream_4xx (400)."),
        (Reply(message={"content": None, "tool_calls": TOOL}), "tools are not run in an evaluation"),
        (Reply("so\0so"), "The answer cannot be judged: Contains a NUL character"),
        (Reply("x" * 200_001), "The answer cannot be judged: Has 200,001 characters"),
    ],
    ids=["refused", "tools", "nul", "too long"],
)
def test_an_answer_that_cannot_be_had_is_missing_with_its_reason(reply: Reply, problem: str) -> None:
    with model_server(where(1, reply)) as server:
        here = evaluated(server)
        shown = here.evaluated(here.register())
    assert shown["state"] == "done", shown["problem"]
    row = CaseResult.objects.get(run=shown["gate_run_id"], case__case_id=f"{SLUG}-0001")
    assert (row.output, row.score, row.answer_id) == (None, None, "failed-0")
    assert problem in (row.error or "")
    assert CaseResult.objects.filter(run=shown["gate_run_id"], score=0.5).count() == 3


def test_a_refusal_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "I will not answer this. quality=0.1"
    with model_server(where(1, Reply(message={"content": None, "refusal": said}))) as server:
        here = evaluated(server)
        shown = here.evaluated(here.register())
    row = CaseResult.objects.get(run=shown["gate_run_id"], case__case_id=f"{SLUG}-0001")
    assert (row.output, row.score) == (said, 0.1)


def test_a_score_that_cannot_be_read_is_missing_and_holds_the_slice() -> None:
    with model_server(where(1, Reply('{"score": "high"}'), "grader")) as server:
        here = evaluated(server, cases_of(SLUG, 10))
        shown = here.evaluated(here.register())
    row = CaseResult.objects.get(run=shown["gate_run_id"], case__case_id=f"{SLUG}-0001")
    assert (row.score, row.output is None) == (None, False)
    assert "not of the form" in (row.reason or "")
    assert (shown["verdict"], shown["cases"]["missing"]) == ("gate_hold", 1)


def test_what_the_release_cannot_take_is_missing_without_a_call() -> None:
    with model_server(GOOD) as server:
        here = evaluated(server)
        template = {"kind": "prompt_template", "system": "Version 1", "user": "{{ input }} for {{ tenant }}"}
        create_artifact(actor=here.stage.actor, ref="templates/tenants@v1", value=template)
        shown = here.evaluated(here.register(prompt_template_ref="templates/tenants@v1"))
        assert server.asked == []
    assert shown["state"] == "done"
    errors = set(CaseResult.objects.filter(run=shown["gate_run_id"]).values_list("error", flat=True))
    assert len(errors) == 1
    assert "tenant" in (errors.pop() or "")


def test_a_call_that_hangs_is_missing_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "CALL_SECONDS", 0.5)
    monkeypatch.setattr(working, "ATTEMPTS", 1)
    with model_server(GOOD) as server:
        here = evaluated(server)
        with server.holding(lambda body: "Question 1 on" in last_of_user(body)):
            shown = here.evaluated(here.register())
    row = CaseResult.objects.get(run=shown["gate_run_id"], score=None)
    assert (row.case.case_id, row.error) == (f"{SLUG}-0001", "The model server did not answer: timeout.")


def test_what_passes_by_itself_is_asked_for_again_and_counted() -> None:
    busy = iter([Reply(status=503)])
    with model_server(lambda body: next(busy, None) or GOOD(body)) as server:
        here = evaluated(server)
        shown = here.evaluated(here.register())
        assert len(server.asked) == 4 + 1 + 4
    assert shown["evaluation"]["spent"]["answers"]["calls"] == 5
    assert CaseResult.objects.filter(run=shown["gate_run_id"], score=0.5).count() == 4


def test_a_server_that_answers_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "IN_A_ROW", 5)
    with model_server(lambda body: Reply(status=404)) as server:
        here = evaluated(server, cases_of(SLUG, 30))
        shown = here.evaluated(here.register(), concurrency=2)
        assert len(server.asked) <= 5 + 2
    stopped = shown["evaluation"]["stopped"]
    assert stopped.startswith("The model server has not answered 5 cases in a row: upstream_denied (404).")
    assert (shown["verdict"], CaseResult.objects.filter(error=stopped).count() > 20) == ("gate_hold", True)


def test_a_budget_of_tokens_is_kept_and_what_is_left_out_is_missing() -> None:
    with model_server(GOOD) as server:
        here = evaluated(server, cases_of(SLUG, 40))
        limits = {"generation": {"max_tokens": 8}}
        shown = here.evaluated(here.register(**limits), budget={"tokens": 400}, concurrency=4)
        told = shown["evaluation"]
        assert told["stopped"] == "The budget of 400 tokens is used up (414)."
        assert sum(_tokens(told["spent"][side]) for side in ("answers", "judge")) == 18 * len(server.asked) == 414
    scored = CaseResult.objects.filter(run=shown["gate_run_id"], score=0.5).count()
    assert (scored, shown["cases"]["missing"], shown["verdict"]) == (23 - 16, 33, "gate_hold")


def test_calls_in_flight_do_not_go_beyond_the_budget_together() -> None:
    with model_server(GOOD) as server:
        here = evaluated(server, cases_of(SLUG, 40))
        limits = {"generation": {"max_tokens": 8}}
        shown = here.evaluated(here.register(**limits), budget={"tokens": 100}, concurrency=8)
        assert len(server.asked) == 6  # of 18 tokens each, and not the eight that might fly
    assert shown["evaluation"]["stopped"] == "The budget of 100 tokens is used up (108)."


def test_a_budget_of_money_is_kept() -> None:
    with model_server(GOOD) as server:
        here = evaluated(server, cases_of(SLUG, 4))
        shown = here.evaluated(here.register(), budget={"cost": "0.2"}, concurrency=1)
        assert len(server.asked) == 3  # 0.081 each
    assert shown["evaluation"]["stopped"] == "The budget of 0.2 is used up (0.243)."
    assert {row.problem for row in here.rows(shown["gate_run_id"]) if row.problem} == {shown["evaluation"]["stopped"]}


def test_cases_beyond_the_budget_are_not_answered() -> None:
    with model_server(GOOD) as server:
        here = evaluated(server, cases_of(SLUG, 10))
        shown = here.evaluated(here.register(), budget={"cases": 6})
        assert (len(here.answer_calls()), len(here.judge_calls())) == (6, 6)
    assert shown["evaluation"]["stopped"] == "The budget of 6 cases is used up."
    assert CaseResult.objects.filter(error="The budget of 6 cases is used up.").count() == 4


def test_a_run_that_is_cancelled_asks_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, ask = [], Calls.ask

    def cancelled(calls: Calls, *args: object, **options: object) -> object:
        asked.append(args)
        if len(asked) == 3:
            cancel(GateRun.objects.all(), now())
        return ask(calls, *args, **options)  # type: ignore[arg-type]

    with model_server(GOOD) as server:
        here = evaluated(server, cases_of(SLUG, 30))
        run = here.asked(here.register(), concurrency=3)
        monkeypatch.setattr(Calls, "ask", cancelled)
        work("gate-run", run.pk)
    assert len(asked) == 3
    assert EvaluatedCase.objects.filter(run=run).exclude(state="waiting").count() == 0
    assert here.shown(run)["state"] == "cancelled"


def test_an_endpoint_that_is_gone_ends_the_run_with_what_to_do() -> None:
    with model_server(GOOD) as server:
        here = evaluated(server)
        run = here.asked(here.register())
        Endpoint.objects.filter(name="answering").delete()
        work("gate-run", run.pk)
    shown = here.shown(run)
    assert shown["state"] == "error"
    assert "There is no endpoint answering" in shown["problem"]["detail"]


def _tokens(spent: dict[str, int]) -> int:
    return spent["input_tokens"] + spent["output_tokens"]
