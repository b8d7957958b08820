"""Runs of one manifest at the same time: one verdict, one receipt, and the other is told."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from gates.run_models import CaseResult, GateRun
from gates.runs.gathering import digest_of_grades, grades_in
from tests.chaos.evidence import events, receipts_verified
from tests.factories import Api, api, service_token
from tests.gates.runs.comparing import SCORES, Pair, rows, scored
from tests.gates.runs.stage import JUDGE


@pytest.fixture
def pair(transactional_db: None) -> Pair:
    """Two releases that other connections see."""
    return scored()


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """The answers, begun together on connections of their own."""
    together = Barrier(len(acts), timeout=10)

    def closing(act: Callable[[], Any]) -> Any:
        try:
            together.wait()
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(closing, acts))


def client(pair: Pair) -> Api:
    """A pipeline of its own."""
    return api(service_token(pair.stage.organization, "gates:write"))


def sending(pair: Pair, scores: list[float]) -> Callable[[], Any]:
    """A request with these scores of the same answers, by a client of its own."""
    ci, path = client(pair), f"releases/{pair.second.pk}/gate-runs?wait=20"
    body = {"judge": JUDGE, "parity": pair.second.bundle_sha256, "results": rows(scores=scores)}
    return lambda: ci.post(path, body)


def test_two_verdicts_at_once_on_the_same_evidence_are_one(pair: Pair) -> None:
    better = [score + 0.01 for score in SCORES]
    answers = at_once(sending(pair, SCORES), sending(pair, better))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    (refused,) = (answer.json() for answer in answers if answer.status_code == 409)
    (decided,) = (answer.json() for answer in answers if answer.status_code == 200)
    assert refused["code"] == "already_judged"
    assert refused["state"]["gate_run_id"] == decided["gate_run_id"]
    assert events(pair.stage.organization, "gate.passed") == 1
    lost = GateRun.objects.get(pk=refused["state"]["refused_gate_run_id"])
    assert (lost.state, CaseResult.objects.filter(run=lost).count()) == ("error", 0)


def test_the_same_request_twice_at_once_is_one_run(pair: Pair) -> None:
    answers = at_once(*[sending(pair, SCORES) for _ in range(4)])
    assert {answer.status_code for answer in answers} <= {200, 202}  # some may not be held until it is over
    assert len({answer.json()["gate_run_id"] for answer in answers}) == 1
    assert GateRun.objects.filter(manifest_sha256=pair.second.manifest_sha256).count() == 1
    assert events(pair.stage.organization, "gate.passed") == 1


def test_a_cancellation_and_a_verdict_at_once_have_one_outcome(pair: Pair) -> None:
    ci, path = client(pair), f"releases/{pair.second.pk}/gate-runs"
    body = {"judge": JUDGE, "parity": pair.second.bundle_sha256, "results": rows()}
    key = ci.post(path, body).json()["gate_run_id"]
    send, stop = sending(pair, SCORES), client(pair)
    judged, cancelled = at_once(send, lambda: stop.post(f"gate-runs/{key}/cancel"))
    run = GateRun.objects.get(pk=key)
    verdicts = [row.event for row in receipts_verified(pair.stage.organization) if row.event == "gate.passed"]
    if run.state == GateRun.State.CANCELLED:
        assert (cancelled.status_code, run.verdict) == (200, "")
    else:
        assert (cancelled.status_code, run.verdict) == (409, "gate_pass")
        assert judged.json()["gate_run_id"] == key
    assert len(verdicts) == GateRun.objects.filter(state="done", verdict="gate_pass").count()


def test_releases_of_one_application_are_judged_at_the_same_time(pair: Pair) -> None:
    third = pair.stage.register()
    ci, path = client(pair), f"releases/{third.pk}/gate-runs?wait=20"
    body = {"judge": JUDGE, "parity": third.bundle_sha256, "results": rows("third")}
    answers = at_once(sending(pair, SCORES), lambda: ci.post(path, body))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert sorted(GateRun.objects.values_list("number", flat=True)) == [1, 2, 3]
    receipts_verified(pair.stage.organization)


def test_one_rater_has_one_grade_of_an_answer_whoever_sends_it_first(pair: Pair) -> None:
    other = [row | {"human_scores": [1.0 - row["human_scores"][0]]} for row in rows()]
    ci, path = client(pair), f"releases/{pair.stage.register().pk}/gate-runs?wait=20"
    body = {"judge": JUDGE, "results": other}
    answers = at_once(sending(pair, SCORES), lambda: ci.post(path, body))
    assert sorted(answer.status_code for answer in answers) in ([200, 409], [200, 422])
    done = GateRun.objects.filter(state="done").latest("finished_at")
    assert done.ratings_sha256 == digest_of_grades(grades_in(done.suite))
