"""The job of an evaluation: every case answered and scored once, judged as a run whose results were sent."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from gates.evaluating.results import results_of
from gates.judge_making import create_judge
from gates.run_models import CaseResult, GateRun
from relcontrol.clock import now
from relcontrol.ticks import work
from releases.evaluating import working
from tests.gates.runs.stage import cases_of
from tests.releases.evaluating.servers import TOKENS, ModelServer, model_server
from tests.releases.evaluating.stage import JUDGE, SLUG, Evaluated, by_rule, evaluated

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with model_server(by_rule(lambda number, slug, version: 0.5 + number / 10)) as found:
        yield found


@pytest.fixture
def here(db: None, server: ModelServer) -> Evaluated:
    server.asked.clear()
    return evaluated(server)


def test_every_case_is_answered_and_scored(here: Evaluated) -> None:
    shown = here.evaluated(here.register())
    assert (shown["state"], shown["verdict"]) == ("done", "gate_hold"), shown["problem"]
    rows = CaseResult.objects.filter(run=shown["gate_run_id"]).order_by("case__case_id")
    assert [row.score for row in rows] == [0.5, 0.6, 0.7, 0.8]
    assert rows[0].output == "Version 1 on ip-licensing-0000: quality=0.5"
    assert (rows[0].input_tokens, rows[0].output_tokens, rows[0].reason) == (*TOKENS, "As it says.")
    assert shown["parity"] == "match"


def test_what_was_spent_is_told_to_the_token(here: Evaluated) -> None:
    shown = here.evaluated(here.register())
    told = shown["evaluation"]
    assert (told["phase"], told["stopped"], told["waits_for"]) == ("done", None, None)
    calls = {"calls": 4, "cached": 0, "input_tokens": 44, "output_tokens": 28, "cost": "0.324", "unpriced": 0}
    assert told["spent"] == {"answers": calls, "judge": calls}


def test_calls_in_flight_stay_within_what_was_allowed(server: ModelServer) -> None:
    here = evaluated(server, cases_of(SLUG, 12))
    server.most = 0
    here.evaluated(here.register(), concurrency=3)
    assert server.most <= 3


def test_rules_score_answers_without_a_call(server: ModelServer) -> None:
    here = evaluated(server, slices={SLUG: {"threshold": "0.65", "judge": "rules:default@1"}})
    server.asked.clear()
    shown = here.evaluated(here.register())
    assert shown["state"] == "done", shown["problem"]
    assert [row.score for row in CaseResult.objects.filter(run=shown["gate_run_id"])] == [1.0] * 4
    assert (len(here.answer_calls()), len(here.judge_calls())) == (4, 0)


def test_a_rule_that_is_broken_vetoes_before_the_model_is_asked(server: ModelServer) -> None:
    here = evaluated(server)
    create_judge(actor=here.stage.actor, name="rules:short@1", fields={"rules": {"max_chars": 10}})
    children = {"children": ["rules:short@1", JUDGE]}
    create_judge(actor=here.stage.actor, name="composition:both@1", fields=children)
    here.stage.ci.patch(f"slices/{SLUG}", {"judge": "composition:both@1"})
    server.asked.clear()
    shown = here.evaluated(here.register())
    assert [row.score for row in CaseResult.objects.filter(run=shown["gate_run_id"])] == [0.0] * 4
    assert here.judge_calls() == []


def test_several_answers_to_a_case_are_several_results(here: Evaluated) -> None:
    shown = here.evaluated(here.register(), samples=2)
    names = [row.answer_id.partition("-sha256")[0] for row in results(shown)[:2]]
    assert (len(results(shown)), names[0][:7], names[1]) == (8, "again-1", names[1])
    assert len(here.answer_calls()) == 8


def test_a_case_that_nobody_judges_costs_nothing(server: ModelServer) -> None:
    slices = {SLUG: {"threshold": "0.65"}, "contract-drafting": {}}
    here = evaluated(server, [*cases_of(SLUG, 2), *cases_of("contract-drafting", 3)], slices=slices)
    server.asked.clear()
    shown = here.evaluated(here.register())
    assert (shown["state"], len(here.answer_calls()), len(results(shown))) == ("done", 2, 2)


def test_what_is_known_is_not_asked_for_again(here: Evaluated) -> None:
    release = here.register()
    first = here.evaluated(release)
    here.server.asked.clear()
    second = here.evaluated(release)
    assert (second["gate_run_id"] == first["gate_run_id"], here.server.asked) == (False, [])
    spent = second["evaluation"]["spent"]
    assert [(spent[side]["calls"], spent[side]["cached"]) for side in ("answers", "judge")] == [(0, 4), (0, 4)]
    assert [row.output for row in results(second)] == [row.output for row in results(first)]


def test_fresh_answers_are_asked_for_again(here: Evaluated) -> None:
    release = here.register()
    here.evaluated(release)
    here.server.asked.clear()
    here.evaluated(release, fresh=True)
    assert (len(here.answer_calls()), len(here.judge_calls())) == (4, 4)


def test_a_release_of_another_revision_does_not_take_the_answers_of_this_one(here: Evaluated) -> None:
    here.evaluated(here.register())
    here.server.asked.clear()
    ref = {"prompt_template_ref": "templates/legal-qa@v1", "model_ref": "endpoint:answering/answerer"}
    here.evaluated(here.register(**ref, generation={"temperature": "0.5"}))
    assert len(here.answer_calls()) == 4


def test_a_text_that_people_graded_under_another_name_keeps_its_grades(server: ModelServer) -> None:
    output = "Version 1 on ip-licensing-0000: quality=0.5"
    case = cases_of(SLUG, 1)[0] | {"answers": [{"answer_id": "a1", "output": output, "human_scores": [4]}]}
    here = evaluated(server, [case])
    shown = here.evaluated(here.register())
    assert [row.answer_id for row in results(shown)] == ["a1"]
    assert shown["slices"][0]["agreement"]["graded"] == 1


def test_the_same_results_sent_by_a_pipeline_come_to_the_same(server: ModelServer) -> None:
    here, there = evaluated(server, cases_of(SLUG, 22)), evaluated(server, cases_of(SLUG, 22), slug="eastgate")
    shown = here.evaluated(here.register())
    rows = list(results_of(GateRun.objects.get(pk=shown["gate_run_id"])))
    sent = there.stage.judged(there.register(), rows, judge=None)
    compared = ("verdict", "reasons", "slices", "cases", "floors", "limits", "aggregate", "parity")
    assert {name: sent[name] for name in compared} == {name: shown[name] for name in compared}
    digests = GateRun.objects.values_list("results_sha256", flat=True)
    assert len(set(digests)) == 1


class KilledError(BaseException):
    """The process is gone."""


def test_a_worker_that_is_killed_before_the_verdict_leaves_only_the_judging_to_the_next(
    here: Evaluated, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = here.asked(here.register())

    def killed(lease: object) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(working, "judge_run", killed)
        with pytest.raises(KilledError):
            work("gate-run", run.pk)
    left = here.shown(run)
    assert (left["state"], left["evaluation"]["phase"], left["progress"]) == ("running", "done", {"done": 0, "of": 4})
    here.server.asked.clear()
    GateRun.objects.update(lease_until=now() - timedelta(seconds=1))
    work("gate-run", run.pk)
    shown = here.shown(run)
    assert (shown["state"], shown["progress"], here.server.asked) == ("done", {"done": 4, "of": 4}, [])


def test_progress_counts_answers_and_scores(here: Evaluated, monkeypatch: pytest.MonkeyPatch) -> None:
    run = here.asked(here.register())
    assert here.shown(run)["progress"] == {"done": 0, "of": 8}
    monkeypatch.setattr(working, "write_results", lambda evaluation: None)
    monkeypatch.setattr(working, "judge_run", lambda lease: None)
    work("gate-run", run.pk)
    shown = here.shown(run)
    assert (shown["progress"], shown["evaluation"]["phase"]) == ({"done": 8, "of": 8}, "rescoring")


def results(shown: dict[str, Any]) -> list[CaseResult]:
    rows = CaseResult.objects.filter(run=shown["gate_run_id"]).select_related("case")
    return list(rows.order_by("case__case_id", "answer_id"))
