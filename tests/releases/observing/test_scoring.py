"""The job that scores chosen answers: each once, missing stays missing, and no words of people in rows."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from gates.judge_making import create_judge
from gates.judge_models import KnownCall
from gates.models import Slice
from relcontrol.accounts.models import Endpoint
from relcontrol.clock import now
from relcontrol.jobs.leases import Lease, LeaseLostError, claim
from relcontrol.model_servers.spending import Spent
from releases.observer_models import ObservedAnswer, ObserverJob
from releases.observing import scoring
from releases.observing.answers import judging
from releases.observing.answers.material import Run
from releases.observing.sampling import sample
from releases.observing.scoring import score_answers
from releases.observing.starting import ensure_observers
from releases.observing.ticking import have_a_job
from releases.replays.scoring import GONE
from releases.trace_models import SubjectKey
from releases.traces.bodies import open_body
from tests.releases.evaluating.servers import Body, Reply, model_server
from tests.releases.observing.stage import GOOD, HEDGE, IMPOSSIBLE, MINUTE, SLICE, Stage, stage
from tests.releases.replays.answering import misbehaving

pytestmark = pytest.mark.django_db

CALLS_TOOLS = {"content": None, "tool_calls": [{"id": "1", "function": {"name": "search", "arguments": "{}"}}]}
JUDGE = "llm:grader@1"


def chosen(here: Stage, *outputs: Any, **changes: Any) -> None:
    """These answers were served within a minute, and wait for their scores."""
    times = [here.at + MINUTE * place / len(outputs) for place in range(len(outputs))]
    here.send([here.told(at, output, **changes) for at, output in zip(times, outputs, strict=True)])
    here.at += MINUTE
    ensure_observers(here.at)
    sample(here.observer, here.at)
    have_a_job(here.observer, here.at)


def lease() -> Lease[ObserverJob]:
    """A worker's lease of the job."""
    found = claim(ObserverJob.objects.all(), "worker:1", now())
    assert found is not None
    return found


def found(here: Stage) -> list[tuple[str, float | None]]:
    """State and score of each answer, in the order of serving."""
    score_answers(lease())
    return [(row.state, row.score) for row in here.answers()]


def judged(rule: Callable[[Body], Reply | str], *outputs: Any, scale: tuple[str, str] = ("1", "5")) -> Stage:
    """The same where a model judges, which answers by this rule."""
    with model_server(rule) as server:
        here = stage(begin=False, base_url=server.url)
        fields = {
            "endpoint": "main-llm",
            "model": "grader",
            "prompt": {"system": "You grade answers.", "user": "{{ input }}\n{{ answer }}"},
            "draws": 1,
            "aggregation": "mean",
            "scale": list(scale),
            "reference": False,
            "parameters": {"temperature": None, "structured": "json_object"},
        }
        create_judge(actor=here.scene.actor, name=JUDGE, fields=fields)
        name_judge(here, JUDGE)
        Endpoint.objects.update(input_price="0.001", output_price="0.01")
        chosen(here, *outputs)
        score_answers(lease())
    return here


def name_judge(here: Stage, name: str) -> None:
    """The slice has this judge from now on."""
    Slice.objects.filter(organization=here.scene.organization, slug=SLICE).update(judge=name)


def reply(score: float) -> str:
    """What a judge says."""
    return json.dumps({"reason": "States the rule.", "score": score})


def test_rules_score_what_was_served_and_their_reasons_are_sealed(northgate_stage: Stage) -> None:
    here = northgate_stage
    chosen(here, GOOD, HEDGE, IMPOSSIBLE, "", {"content": "Yes."}, CALLS_TOOLS)
    assert found(here) == [
        ("scored", 1.0),
        ("scored", 0.0),
        ("scored", 0.0),
        ("scored", 0.0),
        ("scored", 1.0),
        ("missing", None),
    ]
    assert here.answers()[-1].problem == judging.TOOLS
    row = here.answers()[2]
    opened = open_body(row.organization_id, bytes(row.subject or b""), bytes(row.sealed or b""))
    assert "March" in opened["reason"]
    assert (row.problem, row.kind, row.raw) == ("", "served", 0.0)
    job = ObserverJob.objects.get()
    assert (job.state, job.progress_done, job.progress_of) == ("done", 6, 6)


def test_an_erased_subject_is_missing_and_never_stops_the_job(northgate_stage: Stage) -> None:
    here = northgate_stage
    chosen(here, GOOD, GOOD, GOOD)
    gone = here.answers()[1]
    SubjectKey.objects.filter(subject=gone.subject).update(wrapped_key=None, destroyed_at=now())
    assert found(here) == [("scored", 1.0), ("missing", None), ("scored", 1.0)]
    row = ObservedAnswer.objects.get(pk=gone.pk)
    assert (row.problem, row.sealed) == (GONE, None)


def test_who_is_erased_while_being_scored_leaves_no_reason_behind(
    northgate_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = northgate_stage
    chosen(here, GOOD)
    by_rules = judging.by_rules

    def erased(*args: Any) -> None:
        SubjectKey.objects.update(wrapped_key=None, destroyed_at=now())
        by_rules(*args)

    monkeypatch.setattr(scoring, "by_rules", erased)
    assert found(here) == [("scored", 1.0)]
    assert here.answers()[0].sealed is None


def test_what_was_not_stored_is_asked_for_again() -> None:
    with misbehaving() as server:
        here = stage(base_url=server.at("good"), begin=False)
        chosen(here, None, None)
        assert found(here) == [("scored", 1.0), ("scored", 1.0)]
        (first, _), asked = here.answers(), server.asked
    assert first.kind == "replayed"
    opened = open_body(first.organization_id, bytes(first.subject or b""), bytes(first.sealed or b""))
    assert opened["output"]["content"] == "Yes."
    assert [body["model"] for _, _, body in asked] == ["demo-healthy"] * 2
    assert asked[0][2]["messages"][0]["content"] == "You answer law questions."
    assert Spent.from_json(ObserverJob.objects.get().spent).calls == 2


def test_a_release_that_does_not_answer_again_leaves_it_missing(northgate_stage: Stage) -> None:
    here = northgate_stage
    chosen(here, None, GOOD)
    assert found(here) == [("missing", None), ("scored", 1.0)]
    assert "did not answer again: connection_failed" in here.answers()[0].problem


def test_a_model_scores_on_its_own_scale_and_what_it_costs_is_counted() -> None:
    here = judged(lambda body: reply(2 if "attorney" in str(body) else 5), GOOD, HEDGE, "", CALLS_TOOLS)
    rows = here.answers()
    assert [(row.raw, row.score) for row in rows] == [(5.0, 1.0), (2.0, 0.25), (1.0, 0.0), (None, None)]
    spent = Spent.from_json(ObserverJob.objects.get().spent)
    assert (spent.calls, spent.cached, spent.tokens, str(spent.cost.normalize())) == (2, 0, 36, "0.162")
    assert not KnownCall.objects.exists()
    assert here.slice().judge == JUDGE


FAULTS: dict[str, Reply | str] = {
    "no number": "It is good.",
    "off its scale": reply(17),
    "refuses": Reply(status=400),
}


def test_a_judge_with_faults_leaves_scores_missing_and_never_low() -> None:
    def faulty(body: Body) -> Reply | str:
        return next((fault for word, fault in FAULTS.items() if word in str(body)), reply(5))

    here = judged(faulty, *FAULTS, GOOD)
    *missing, fine = here.answers()
    assert [(row.state, row.score) for row in missing] == [("missing", None)] * len(FAULTS)
    assert all(row.problem.startswith("The judge gave no score.") for row in missing)
    assert (fine.score, ObserverJob.objects.get().state) == (1.0, "done")


def test_a_judge_that_cannot_be_asked_leaves_its_answers_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "_why_not", lambda judge: "Its endpoint is not there.")
    here = judged(lambda body: reply(5), GOOD)
    assert [(row.state, row.problem) for row in here.answers()] == [("missing", "Its endpoint is not there.")]


def test_what_is_scored_too_late_is_not_paid_for(northgate_stage: Stage) -> None:
    here = northgate_stage
    chosen(here, GOOD)
    row = here.slice()
    row.next_from = here.at + MINUTE
    row.save()
    assert found(here) == [("missing", None)]
    assert here.answers()[0].problem == scoring.TOO_LATE


class KilledError(BaseException):
    """The process is gone."""


def test_a_worker_that_lost_its_lease_or_its_life_leaves_the_rest_to_another(
    northgate_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, written = northgate_stage, Run.write
    chosen(here, *[GOOD] * 6)
    done: list[str] = []

    def killed(run: Any, case: Any, **values: Any) -> None:
        if len(done) == 3:
            raise KilledError
        done.append(case.row.pk)
        written(run, case, **values)

    monkeypatch.setattr(Run, "write", killed)
    first = lease()
    with pytest.raises(KilledError):
        score_answers(first)
    monkeypatch.setattr(Run, "write", written)
    ObserverJob.objects.update(lease_until=now() - MINUTE)
    second = lease()
    with pytest.raises(LeaseLostError):
        score_answers(first)
    score_answers(second)
    assert [row.score for row in here.answers()] == [1.0] * 6
    assert ObserverJob.objects.get().progress_done == 6


def test_one_job_of_an_hour_is_begun_again_and_one_that_failed_rests(northgate_stage: Stage) -> None:
    here = northgate_stage
    ObserverJob.objects.all().delete()
    for _ in range(3):
        chosen(here, GOOD)
        here.work()
    assert ObserverJob.objects.count() == 1
    ObserverJob.objects.update(state="error", finished_at=here.at + MINUTE)
    chosen(here, GOOD)
    assert not ObserverJob.objects.filter(state="queued").exists()
    have_a_job(here.observer, here.at + MINUTE * 2)
    assert ObserverJob.objects.filter(state="queued").count() == 1
