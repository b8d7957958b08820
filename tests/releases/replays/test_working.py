"""The job of a checkpoint's replays: both arms' answers scored, each result once, whatever happens to the worker."""

from datetime import timedelta
from typing import Any

import pytest

from gates.judge_making import create_judge
from gates.judge_models import KnownCall
from gates.models import Slice
from relcontrol.accounts.models import Endpoint
from relcontrol.clock import now
from relcontrol.demo_models.wording import HEDGES
from relcontrol.jobs.leases import LeaseLostError
from relcontrol.jobs.running import run
from relcontrol.model_servers.calls import Calls
from releases.monitors.evidence import rollout_alarm
from releases.monitors.quality import judge_quality
from releases.monitors.verdict import Reading
from releases.replays import scoring, working
from releases.replays.sums import quality_sums
from releases.replays.working import IN_FLIGHT, OUTDATED, replay
from releases.rollout_models import ReplayJob, ReplayPair, Rollout
from releases.trace_models import SubjectKey
from releases.traces.bodies import open_body
from tests.releases.replays.answering import misbehaving
from tests.releases.replays.stage import ANSWER, REFUSAL, SLICE, Stage, stage

pytestmark = pytest.mark.django_db


def replayed(at: Stage) -> list[ReplayPair]:
    """Everything that waits is replayed by one worker."""
    at.choose()
    replay(at.lease())
    return at.pairs()


def reading(at: Stage) -> Reading:
    sums = quality_sums(at.row, 1, {})
    return judge_quality(sums, alarm=rollout_alarm(monitors=4, slices=6, checkpoints=5))[SLICE].reading


def test_two_healthy_models_answer_alike(models: str) -> None:
    at = stage(base_url=models)
    for arm in ["candidate", "stable"] * 10:
        at.served(arm)
    pairs = replayed(at)
    assert {(pair.state, pair.candidate_score, pair.stable_score) for pair in pairs} == {("scored", 1.0, 1.0)}
    assert reading(at) != Reading.BREACH


def test_a_model_that_refers_people_elsewhere_is_a_breach_within_fifty_pairs(models: str) -> None:
    at = stage(base_url=models, candidate="demo-hedging")
    for number in range(10):
        at.served("candidate", output=HEDGES[number % len(HEDGES)])
        at.served("stable")
    pairs = replayed(at)
    assert {(pair.candidate_score, pair.stable_score) for pair in pairs} == {(0.0, 1.0)}
    assert reading(at) == Reading.BREACH


def test_a_model_that_invents_dates_is_a_breach_within_fifty_pairs(models: str) -> None:
    at = stage(base_url=models, candidate="demo-impossible-dates")
    for _ in range(20):
        at.served("stable")
    pairs = replayed(at)
    assert {(pair.candidate_score, pair.stable_score) for pair in pairs} == {(0.0, 1.0)}
    assert {finding["rule"] for pair in pairs for finding in pair.findings} == {"impossible_date"}
    assert reading(at) == Reading.BREACH


def test_each_arm_is_asked_by_its_own_release(monkeypatch: pytest.MonkeyPatch) -> None:
    with misbehaving() as server:
        at = stage(base_url=server.at("good"), candidate="demo-hedging")
        at.served("candidate")
        replayed(at)
        at.served("stable")
        ReplayJob.objects.all().delete()
        replayed(at)
        assert [body["model"] for _, _, body in server.asked] == ["demo-healthy", "demo-hedging"]
        assert server.asked[0][2]["messages"][0] == {"role": "system", "content": "You answer legal questions."}
        assert not {"stream", "stream_options", "metadata"} & set(server.asked[0][2])


def test_the_secret_of_the_endpoint_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELCONTROL_CREDENTIAL_MAIN_KEY", "sk-1")
    with misbehaving() as server:
        at = stage(base_url=server.at("good"))
        Endpoint.objects.update(credential="main-key")
        at.served()
        replayed(at)
        assert server.asked[0][1]["Authorization"] == "Bearer sk-1"


def test_answers_are_kept_sealed_and_rows_hold_no_words_of_them(models: str) -> None:
    at = stage(base_url=models)
    at.served("candidate", output=REFUSAL)
    (pair,) = replayed(at)
    answers = open_body(pair.organization_id, bytes(pair.subject), bytes(pair.answers or b""))
    assert answers["candidate"] == REFUSAL
    assert answers["quotes"] == [REFUSAL[:79] + "…"]
    assert [sorted(finding) for finding in pair.findings] == [["detail", "rule", "side"]]
    assert pair.findings[0]["side"] == "candidate"
    assert (pair.source, pair.problem) == ("rules:default@1", "")


def test_the_rules_of_the_slices_own_judge_score(models: str) -> None:
    at = stage(base_url=models)
    create_judge(actor=at.scene.actor, name="rules:short@1", fields={"rules": {"max_chars": len(ANSWER)}})
    Slice.objects.filter(slug=SLICE).update(judge="rules:short@1")
    at.served("candidate")
    (pair,) = replayed(at)
    assert (pair.candidate_score, pair.stable_score, pair.source) == (1.0, 0.0, "rules:short@1")


def test_an_arm_that_does_not_answer_leaves_the_pair_missing() -> None:
    with misbehaving() as server:
        at = stage(base_url=server.at("overloaded"))
        at.served("stable")
        at.served("candidate")
        pairs = replayed(at)
    assert {(pair.served, pair.state, pair.problem) for pair in pairs} == {
        ("stable", "unusable", "The candidate did not answer the replay: upstream_5xx (503)."),
        ("candidate", "unusable", "The stable did not answer the replay: upstream_5xx (503)."),
    }
    sums = quality_sums(at.row, 1, {})[SLICE]
    assert (sums.n, sums.missing) == (0, 2)


def test_an_answer_that_calls_tools_is_not_replayed_further(monkeypatch: pytest.MonkeyPatch, models: str) -> None:
    at = stage(base_url=models)
    at.served("stable")
    calls = [{"id": "1", "function": {"name": "search", "arguments": "{}"}}]
    other = scoring.score_pair

    def with_tools(pair: Any, named: Any, traced: Any, answers: Any, at: Any) -> Any:
        return other(pair, named, traced, answers | {"candidate": {"content": None, "tool_calls": calls}}, at)

    monkeypatch.setattr(working, "score_pair", with_tools)
    (pair,) = replayed(at)
    assert (pair.state, pair.problem[:24]) == ("unusable", "An answer calls tools; t")


def test_a_prompt_that_was_erased_meanwhile_is_missing(models: str) -> None:
    at = stage(base_url=models)
    at.served()
    at.choose()
    SubjectKey.objects.update(wrapped_key=None, destroyed_at=now())
    replay(at.lease())
    (pair,) = at.pairs()
    assert (pair.state, pair.answers) == ("unusable", None)
    assert "erased" in pair.problem


def test_a_prompt_that_the_other_release_refuses_is_missing(models: str) -> None:
    at = stage(base_url=models)
    at.served("stable", input={"messages": [{"role": "assistant", "content": "Hello."}]})
    (pair,) = replayed(at)
    assert pair.state == "unusable"
    assert "Send at least one message with the role user." in pair.problem


def test_a_shadows_pair_is_scored_without_a_call(here: Stage) -> None:
    here.row.state, here.row.checkpoint = "shadowing", 0
    here.row.save(update_fields=["state", "checkpoint"])
    told = here.served("stable")
    here.served("shadow", request_id=told["request_id"], subject=told["subject"], output=REFUSAL)
    (pair,) = replayed(here)
    assert (pair.state, pair.candidate_score, pair.stable_score) == ("scored", 0.0, 1.0)


def test_the_job_ends_and_says_how_far_it_came(models: str) -> None:
    at = stage(base_url=models)
    for _ in range(3):
        at.served()
    replayed(at)
    job = ReplayJob.objects.get()
    assert (job.state, job.progress_done, job.progress_of) == ("done", 3, 3)
    assert job.finished_at is not None


def test_a_worker_that_lost_its_lease_writes_nothing_more(monkeypatch: pytest.MonkeyPatch, models: str) -> None:
    at = stage(base_url=models)
    for _ in range(3):
        at.served()
    at.choose()
    lease, ask = at.lease(), Calls.ask

    def taken_over(calls: Calls, *args: Any) -> Any:
        ReplayJob.objects.update(fence=lease.fence + 1)
        return ask(calls, *args)

    monkeypatch.setattr(Calls, "ask", taken_over)
    with pytest.raises(LeaseLostError):
        replay(lease)
    assert {pair.state for pair in at.pairs()} == {"queued"}
    assert ReplayJob.objects.get().state == "running"


class KilledError(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("after", [0, 1, 11])
def test_a_job_that_is_killed_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch, models: str, after: int) -> None:
    at = stage(base_url=models)
    for _ in range(12):
        at.served()
    at.choose()
    asked: list[str] = []
    ask, store, stored = Calls.ask, working._store, list[str]()

    def counted(calls: Calls, base_url: str, credential: str, body: Any) -> Any:
        asked.append(body["messages"][-1]["content"])
        return ask(calls, base_url, credential, body)

    def killed(run: Any, pair: Any, *args: Any, **named: Any) -> None:
        if len(stored) == after:
            raise KilledError
        stored.append(pair.pk)
        store(run, pair, *args, **named)

    monkeypatch.setattr(Calls, "ask", counted)
    monkeypatch.setattr(working, "_store", killed)
    with pytest.raises(KilledError):
        replay(at.lease())
    assert len(at.pairs("scored")) == after
    monkeypatch.setattr(working, "_store", store)
    replay(at.lease(now() + timedelta(minutes=1)))
    assert len(at.pairs("scored")) == 12
    assert len(asked) <= 12 + IN_FLIGHT
    assert len(set(asked)) == 12


def test_what_a_rollout_has_left_behind_is_closed(models: str) -> None:
    at = stage(base_url=models)
    at.served()
    at.choose()
    Rollout.objects.update(checkpoint=2)
    replay(at.lease())
    (pair,) = at.pairs()
    assert (pair.state, pair.problem) == ("unusable", OUTDATED)
    assert ReplayJob.objects.get().state == "done"


def test_a_rollout_that_is_over_is_asked_nothing_more(monkeypatch: pytest.MonkeyPatch, models: str) -> None:
    at = stage(base_url=models)
    at.served()
    at.choose()
    Rollout.objects.update(state="halted")
    monkeypatch.setattr(Calls, "ask", None)
    replay(at.lease())
    assert at.pairs()[0].problem == OUTDATED


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (lambda: Endpoint.objects.all().delete(), "There is no endpoint main-llm"),
        (lambda: Endpoint.objects.update(credential="nobodys-key"), "RELCONTROL_CREDENTIAL_NOBODYS_KEY"),
        (lambda: Slice.objects.update(judge="rules:nobody@1"), "There is no judge rules:nobody@1"),
    ],
    ids=["endpoint", "secret", "judge"],
)
def test_what_a_person_can_mend_ends_the_job_with_its_words(models: str, broken: Any, said: str) -> None:
    at = stage(base_url=models)
    at.served()
    at.choose()
    broken()
    assert run(ReplayJob.objects.all(), replay)
    job = ReplayJob.objects.get()
    assert job.state == "error"
    assert said in (job.problem or {})["detail"]
    assert [pair.state for pair in at.pairs()] == ["queued"]


def model_judge(at: Stage, url: str, **changes: Any) -> None:
    """The slice is judged by a model of the demo server."""
    fields = {
        "endpoint": "main-llm",
        "model": "demo-judge",
        "prompt": {"system": "You grade legal answers.", "user": "{{ input }}\n{{ answer }}"},
        "scale": [1, 5],
        **changes,
    }
    create_judge(actor=at.scene.actor, name="llm:legal@1", fields=fields)
    Slice.objects.filter(slug=SLICE).update(judge="llm:legal@1")


def test_a_slices_own_model_judges_both_answers_and_its_reasons_are_sealed(models: str) -> None:
    at = stage(base_url=models)
    model_judge(at, models)
    at.served("candidate", output=REFUSAL)
    (pair,) = replayed(at)
    assert pair.candidate_score is not None
    assert pair.stable_score is not None
    assert (pair.state, pair.source, pair.findings) == ("scored", "llm:legal@1", [])
    assert 0 <= pair.candidate_score < pair.stable_score <= 1
    answers = open_body(pair.organization_id, bytes(pair.subject), bytes(pair.answers or b""))
    assert answers["candidate"] == REFUSAL
    assert set(answers["reasons"]) == {"candidate", "stable"}
    assert all(answers["reasons"].values())
    assert not KnownCall.objects.exists()


def test_a_model_that_gives_no_score_leaves_the_pair_missing(models: str) -> None:
    with misbehaving() as server:
        at = stage(base_url=server.at("good"))
        model_judge(at, models)
        at.served("candidate")
        (pair,) = replayed(at)
    assert (pair.state, pair.candidate_score, pair.stable_score) == ("unusable", None, None)
    assert pair.problem.startswith("The judge gave no score. ")


def test_a_judge_that_needs_a_reference_leaves_live_answers_to_the_rules(models: str) -> None:
    at = stage(base_url=models)
    model_judge(at, models, reference=True, prompt={"system": "", "user": "{{ input }}{{ answer }}{{ reference }}"})
    at.served("candidate", output=REFUSAL)
    (pair,) = replayed(at)
    assert (pair.source, pair.candidate_score, pair.stable_score) == ("rules:default@1", 0.0, 1.0)
