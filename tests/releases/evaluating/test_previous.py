"""The previous release on the same cases: answered and scored first where it was not yet, and flagged cases again."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from gates.evaluating import flagging
from gates.run_models import CaseDrop, CaseResult, EvaluatedCase, GateRun
from relcontrol.accounts.models import Endpoint
from relcontrol.ticks import work
from releases.models import Release
from tests.gates.runs.stage import Row, cases_of
from tests.releases.evaluating.servers import Body, ModelServer, Reply, last_of_user, model_server
from tests.releases.evaluating.stage import JUDGE, SLUG, Evaluated, by_rule, evaluated

pytestmark = pytest.mark.django_db
WORSE = 2  # the case whose answer of version 2 is worse by 20 points


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with model_server(by_rule(lambda number, slug, version: 0.5 if (number, version) == (WORSE, 2) else 0.7)) as found:
        yield found


@pytest.fixture
def here(db: None, server: ModelServer) -> Evaluated:
    made = evaluated(server)
    server.asked.clear()
    return made


@pytest.fixture
def two(here: Evaluated) -> Release:
    """A release with one before it, of which nothing is known."""
    here.register()
    return here.register()


def drops(shown: Row) -> dict[str, str]:
    return {each["case_id"]: each["state"] for each in shown["cases"]["flagged"]}


def test_a_previous_release_without_scores_is_evaluated_first(here: Evaluated, two: Release) -> None:
    run = here.asked(two)
    shown = here.shown(run)
    assert shown["evaluation"]["waits_for"] == shown["baseline"] is not None
    work("gate-run", run.pk)
    shown, baseline = here.shown(run), GateRun.objects.get(pk=shown["baseline"])
    assert (baseline.state, baseline.dry_run, baseline.release_name) == ("done", True, here.stage.releases[0].name)
    assert shown["slices"][0]["change"]["mean_difference"] == pytest.approx(-0.05)
    assert (shown["state"], shown["evaluation"]["waits_for"]) == ("done", None)


def test_a_previous_release_with_scores_is_not_asked_again(here: Evaluated, two: Release) -> None:
    here.evaluated(here.stage.releases[0])
    here.server.asked.clear()
    shown = here.evaluated(two)
    assert shown["baseline"] is None
    assert len(here.answer_calls()) == 4
    assert shown["slices"][0]["change"]["mean_difference"] == pytest.approx(-0.05)


def test_only_the_case_that_dropped_is_scored_again_three_times_for_both_releases(
    here: Evaluated, two: Release
) -> None:
    shown = here.evaluated(two)
    assert drops(shown) == {f"{SLUG}-{WORSE:04}": "regressed"}
    row = CaseResult.objects.get(run=shown["gate_run_id"], case__case_id=f"{SLUG}-{WORSE:04}")
    assert (row.rescores, row.previous_rescores) == ([0.5] * 3, [0.7] * 3)
    others = CaseResult.objects.filter(run=shown["gate_run_id"]).exclude(pk=row.pk)
    assert set(others.values_list("rescores", "previous_rescores")) == {(None, None)}
    assert len(here.judge_calls()) == 4 + 4 + 2 * 3


def test_how_often_follows_from_how_far_the_judges_scores_differ(
    here: Evaluated, two: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flagging, "rescore_deviation", lambda judge, slice_id: 1.8)
    shown = here.evaluated(two)
    row = CaseResult.objects.get(run=shown["gate_run_id"], case__case_id=f"{SLUG}-{WORSE:04}")
    # m = ⌈2 (s·z / limit)²⌉ with z at 1 − (1 − .05)^{1/4} = 2.2340 and a limit of 3 points
    assert len(row.rescores or ()) == len(row.previous_rescores or ()) == 4


def test_draws_of_fresh_scores_are_other_calls_than_the_first(server: ModelServer) -> None:
    with_seed = {"parameters": {"temperature": "0.7", "structured": "json_object", "seed": 100}}
    here = evaluated(server, judge=with_seed)
    first = here.register()
    server.asked.clear()
    here.evaluated(here.register())
    seeds = [body["seed"] for body in here.judge_calls() if f"Question {WORSE} on" in body["messages"][-1]["content"]]
    assert (first.pk, sorted(seeds)) == (first.pk, [100, 100, 101, 101, 102, 102, 103, 103])


def test_a_case_whose_drop_is_not_seen_again_is_cleared(db: None) -> None:
    scores, answers = iter([0.2]), by_rule(lambda number, slug, version: 0.7)

    def rule(body: Body) -> Reply | str:
        """The judge has a bad moment with one answer."""
        if body["model"] == "grader" and f"Version 2 on {SLUG}-0001" in last_of_user(body):
            return json.dumps({"reason": "So it seemed.", "score": next(scores, 0.7)})
        return answers(body)

    with model_server(rule) as server:
        here = evaluated(server)
        here.register()
        shown = here.evaluated(here.register())
    drop = CaseDrop.objects.get(run=shown["gate_run_id"])
    assert (drop.case.case_id, drop.state, drops(shown)) == (f"{SLUG}-0001", "cleared", {})


def test_answers_that_were_sent_without_texts_stay_flagged_and_unconfirmed(here: Evaluated) -> None:
    here.stage.ci.patch(f"slices/{SLUG}", {"judge": ""})
    first = here.register()
    # The judge's scores come from a pipeline, which names the answers and does not send them.
    here.stage.ci.patch(f"slices/{SLUG}", {"judge": JUDGE})
    sent = [{"case_id": case["case_id"], "answer_id": "a", "score": 0.7} for case in cases_of(SLUG, 4)]
    here.stage.judged(first, sent, judge=None)
    here.server.asked.clear()
    shown = here.evaluated(here.register())
    assert shown["baseline"] is None
    assert drops(shown) == {f"{SLUG}-{WORSE:04}": "flagged_unconfirmed"}
    assert len(here.judge_calls()) == 4


def test_a_previous_run_that_is_under_way_is_waited_for_and_not_repeated(here: Evaluated, two: Release) -> None:
    open_run = here.asked(here.stage.releases[0])
    run = here.asked(two)
    assert run.baseline == open_run
    assert GateRun.objects.count() == 2


def test_a_run_that_waits_for_another_worker_gives_its_lease_back(here: Evaluated, two: Release) -> None:
    run = here.asked(two)
    GateRun.objects.filter(pk=run.baseline_id).update(state="running", lease_until="2999-01-01T00:00:00Z")
    work("gate-run", run.pk)
    run.refresh_from_db()
    assert (run.state, run.attempts, here.server.asked) == ("queued", 0, [])
    assert not EvaluatedCase.objects.filter(run=run).exists()


def test_a_run_is_woken_when_what_it_waits_for_is_over(
    here: Evaluated, two: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = here.asked(two)
    woken: list[str] = []
    monkeypatch.setattr("releases.evaluating.working.wake", lambda kind, key: woken.append(key))
    work("gate-run", str(run.baseline_id))
    assert woken == [run.pk]


def test_several_answers_to_a_case_are_scored_again_together(here: Evaluated, two: Release) -> None:
    shown = here.evaluated(two, samples=2)
    assert drops(shown) == {f"{SLUG}-{WORSE:04}": "regressed"}
    rows = CaseResult.objects.filter(run=shown["gate_run_id"], rescores__isnull=False)
    assert [(row.rescores, row.previous_rescores) for row in rows] == [([0.5] * 3, [0.7] * 3)]


def test_cancelling_a_run_cancels_what_only_it_waits_for(here: Evaluated, two: Release) -> None:
    run = here.asked(two)
    assert here.stage.ci.post(f"gate-runs/{run.pk}/cancel").status_code == 200
    assert set(GateRun.objects.values_list("state", flat=True)) == {"cancelled"}


def test_cancelling_a_run_leaves_one_that_somebody_asked_for(here: Evaluated, two: Release) -> None:
    wanted = here.asked(here.stage.releases[0])
    run = here.asked(two)
    here.stage.ci.post(f"gate-runs/{run.pk}/cancel")
    wanted.refresh_from_db()
    assert wanted.state == "queued"


def test_the_previous_release_counts_towards_the_budget(here: Evaluated, two: Release) -> None:
    shown = here.evaluated(two, budget={"tokens": 18 * 12}, concurrency=1)
    baseline = GateRun.objects.get(pk=shown["baseline"])
    assert baseline.evaluation is not None
    assert baseline.evaluation["budget"]["tokens"] == 18 * 6
    assert baseline.evaluation["stopped"] == "The budget of 108 tokens is used up (108)."
    assert len(here.server.asked) == 12
    assert shown["evaluation"]["stopped"] == "The budget of 216 tokens is used up (216)."


def test_a_previous_release_that_nothing_serves_is_said_and_the_run_goes_on(here: Evaluated) -> None:
    gone = Endpoint.objects.create(
        organization=here.stage.organization,
        name="gone",
        base_url="http://127.0.0.1:9/v1",
        created_at="2026-01-01T00:00Z",
    )
    here.register(model_ref="endpoint:gone/answerer")
    gone.delete()
    release = here.register(prompt_template_ref="templates/legal-qa@v1")
    shown = here.evaluated(release)
    assert (shown["state"], shown["baseline"]) == ("done", None)
    assert "There is no endpoint gone" in shown["evaluation"]["without_previous"]
    assert shown["slices"][0]["change"]["verdict"] == "insufficient"


def latency(shown: Row) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in shown["limits"] if each["metric"] == "latency_p95_ratio")
    return found


def test_latencies_are_compared_where_both_releases_were_asked_alike(here: Evaluated, two: Release) -> None:
    assert latency(here.evaluated(two))["previous"] is not None


def test_latencies_of_another_number_of_calls_at_once_are_not_compared(here: Evaluated, two: Release) -> None:
    here.evaluated(here.stage.releases[0], concurrency=2)
    found = latency(here.evaluated(two, concurrency=4))
    assert (found["verdict"], found["previous"]) == ("not_measured", None)
    assert found["reasons"] == ["Not compared: the previous release was asked with 2 calls at once, this one with 4."]
