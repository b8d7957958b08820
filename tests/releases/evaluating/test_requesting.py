"""Asking relcontrol to answer and judge a suite: what is taken, what is the same request, what is refused and why."""

from collections.abc import Iterator
from typing import Any

import pytest

from gates.evaluating.order import EvaluationOrder
from gates.run_models import EvaluatedCase, GateRun
from relcontrol.accounts.models import Endpoint
from relcontrol.ticks import work
from releases.evaluating.requesting import request_evaluation
from releases.models import Release
from tests.factories import api, service_token
from tests.gates.runs.stage import cases_of
from tests.releases.evaluating.servers import ModelServer, model_server
from tests.releases.evaluating.stage import JUDGE, SLUG, Evaluated, by_rule, evaluated

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with model_server(by_rule(lambda number, slug, version: number / 50)) as found:
        yield found


@pytest.fixture
def here(db: None, server: ModelServer) -> Evaluated:
    made = evaluated(server)
    server.asked.clear()
    return made


@pytest.fixture
def release(here: Evaluated) -> Release:
    return here.register()


def refused(answer: Any) -> tuple[int, str, str]:
    body = answer.json()
    return answer.status_code, body["code"], body["detail"]


def test_a_run_waits_for_a_worker_with_all_that_was_asked(here: Evaluated, release: Release) -> None:
    order = {"samples": 2, "concurrency": 3, "budget": {"cases": 3, "tokens": 9000, "cost": 2.5}, "branch": "main"}
    shown = here.shown(here.asked(release, **order, fresh=True, commit="abc", dry_run=True))
    told = shown["evaluation"]
    assert (shown["state"], shown["dry_run"], shown["progress"]["done"]) == ("queued", True, 0)
    assert told["budget"] == {"cases": 3, "tokens": 9000, "cost": "2.5"}
    assert (told["samples"], told["concurrency"], told["fresh"], told["phase"]) == (2, 3, True, "answering")
    run = GateRun.objects.get()
    assert (run.order["branch"], run.order["commit"], run.parity) == ("main", "abc", "match")
    assert not EvaluatedCase.objects.exists()
    assert here.server.asked == []


def test_a_run_is_never_carried_out_while_the_caller_waits(here: Evaluated, release: Release) -> None:
    answer = here.stage.ci.post(f"releases/{release.pk}/gate-runs?wait=1", {})
    assert (answer.status_code, answer.json()["state"], here.server.asked) == (202, "queued", [])


def test_a_run_with_sent_results_has_no_evaluation(here: Evaluated, release: Release) -> None:
    here.stage.ci.patch(f"slices/{SLUG}", {"judge": "external:legal@1"})
    sent = [{"case_id": case["case_id"], "answer_id": "a", "score": 0.7} for case in cases_of(SLUG, 4)]
    assert here.stage.judged(release, sent, judge=None)["evaluation"] is None


def test_the_same_request_is_the_same_run_while_it_is_open(here: Evaluated, release: Release) -> None:
    first = here.asked(release, samples=2)
    assert here.asked(release, samples=2) == first
    assert here.asked(release, samples=3) != first


def test_an_idempotency_key_is_bound_to_the_run(here: Evaluated, release: Release) -> None:
    path = f"releases/{release.pk}/gate-runs"
    answers = [here.stage.ci.post(path, {}, Idempotency_Key="once") for _ in range(2)]
    assert len({answer.json()["gate_run_id"] for answer in answers}) == 1


def test_a_service_call_makes_the_same_run(here: Evaluated, release: Release) -> None:
    run = request_evaluation(actor=here.stage.actor, release=release, order=EvaluationOrder(concurrency=2))
    assert here.asked(release, concurrency=2) == run


def test_grades_of_the_very_answers_decide_the_second_run_without_a_call(server: ModelServer) -> None:
    here = evaluated(server, cases_of(SLUG, 24))
    release = here.register()
    first = here.evaluated(release)
    assert first["verdict"] == "gate_hold"
    here.grade(first, {SLUG: range(24)})
    server.asked.clear()
    agreement = here.evaluated(release)["slices"][0]["agreement"]
    assert (agreement["verdict"], agreement["source"], server.asked) == ("pass", "own", [])
    assert agreement["rho"] == pytest.approx(1.0)


def test_a_verdict_that_stands_refuses_fresh_answers_before_they_cost_anything(here: Evaluated) -> None:
    release = here.register()
    run = here.asked(release)
    work("gate-run", run.pk)
    GateRun.objects.update(verdict="gate_pass")
    assert refused(here.ask(release, fresh=True))[:2] == (409, "already_judged")
    same = here.ask(release)
    assert (same.status_code, same.json()["gate_run_id"]) == (200, run.pk)


def test_a_dry_run_may_be_asked_for_at_any_time(here: Evaluated, release: Release) -> None:
    work("gate-run", here.asked(release).pk)
    GateRun.objects.update(verdict="gate_pass")
    assert here.evaluated(release, dry_run=True, fresh=True)["state"] == "done"


def test_a_slice_whose_judge_works_elsewhere_asks_for_its_scores(here: Evaluated, release: Release) -> None:
    here.stage.ci.patch(f"slices/{SLUG}", {"judge": "external:legal@1"})
    status, code, detail = refused(here.ask(release))
    assert (status, code) == (422, "judge_works_elsewhere")
    assert f"cannot score the answers of {SLUG}" in detail
    assert "Send `results` with the scores" in detail
    assert not GateRun.objects.exists()


def test_a_judge_whose_secret_is_not_here_is_named(here: Evaluated, release: Release) -> None:
    Endpoint.objects.filter(name="judging").update(credential="judge-key")
    status, code, detail = refused(here.ask(release))
    assert (status, code) == (409, "missing_credential")
    assert detail.startswith(f"{JUDGE} cannot be asked. The secret judge-key is not known")


def test_a_release_whose_secret_is_not_here_is_named(here: Evaluated, release: Release) -> None:
    Endpoint.objects.filter(name="answering").update(credential="main-key")
    status, code, detail = refused(here.ask(release))
    assert (status, code) == (409, "missing_credential")
    assert detail.startswith(f"{release.name} cannot be evaluated. The secret main-key is not known")


def test_a_release_that_no_endpoint_serves_says_what_to_do(here: Evaluated, release: Release) -> None:
    Endpoint.objects.filter(name="answering").delete()
    status, code, detail = refused(here.ask(release))
    assert (status, code) == (409, "unserved")
    assert "There is no endpoint answering" in detail


def test_a_suite_of_which_nothing_is_judged_is_refused(here: Evaluated, release: Release) -> None:
    here.stage.ci.patch(f"slices/{SLUG}", {"threshold": None})
    assert refused(here.ask(release))[:2] == (422, "nothing_judged")


def test_more_answers_than_can_be_judged_are_refused(
    here: Evaluated, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gates.evaluating.requesting.MAX_RESULTS", 7)
    status, code, detail = refused(here.ask(release, samples=2))
    assert (status, code) == (422, "too_many")
    assert "8 answers" in detail


def test_a_wrong_order_changes_nothing(here: Evaluated, release: Release) -> None:
    assert refused(here.ask(release, samples=9))[0] == 422
    assert refused(here.ask(release, results=None))[0] == 422
    assert not GateRun.objects.exists()


def test_an_empty_body_is_told_both_ways(here: Evaluated, release: Release) -> None:
    status, _, detail = refused(here.stage.ci.post(f"releases/{release.pk}/gate-runs", b""))
    assert status == 400
    assert "{} to have relcontrol answer and judge" in detail


def test_nobody_without_the_right_starts_one(here: Evaluated, release: Release) -> None:
    reader = api(service_token(here.stage.organization, "audit:read"))
    assert reader.post(f"releases/{release.pk}/gate-runs", {}).status_code == 403
    assert here.stage.person("viewer").post(f"releases/{release.pk}/gate-runs", {}).status_code == 403
    assert not GateRun.objects.exists()


def test_another_organizations_release_is_not_found(here: Evaluated, release: Release, server: ModelServer) -> None:
    other = evaluated(server, slug="eastgate")
    assert other.ask(release).status_code == 404
    run = here.asked(release)
    assert other.stage.ci.get(f"gate-runs/{run.pk}").status_code == 404
    assert other.stage.ci.post(f"gate-runs/{run.pk}/cancel").status_code == 404


def test_what_nobody_may_do_any_more_is_not_done(here: Evaluated, release: Release) -> None:
    run = here.asked(release)
    here.stage.organization.tokens.update(revoked_at="2026-01-01T00:00:00Z")
    work("gate-run", run.pk)
    run.refresh_from_db()
    assert (run.state, here.server.asked) == ("error", [])
    assert "Ask for it again" in (run.problem or {})["detail"]
