"""Pairs and scores over REST: answers in clear for few, scores of an external judge in place of the rules'."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gates.judges import judge_for
from gates.models import Judge, Slice
from releases.replays.working import replay
from releases.rollout_models import ReplayPair
from releases.trace_models import SubjectKey
from tests.factories import Api, api, person, person_token, service_token
from tests.releases.replays.stage import ANSWER, REFUSAL, SLICE, Stage, stage

pytestmark = pytest.mark.django_db
JUDGE = "external:legal-judge@9"


@pytest.fixture
def at(models: str) -> Stage:
    """Two scored pairs of a slice with an external judge on a scale from 1 to 5: the candidate refused in one."""
    made = stage(base_url=models)
    Slice.objects.filter(slug=SLICE).update(judge=JUDGE)
    judge_for(actor=made.scene.actor, name=JUDGE, scale=(1.0, 5.0))
    made.served("candidate", output=REFUSAL, request_id="req-refused")
    made.served("candidate", request_id="req-answered")
    made.choose()
    replay(made.lease())
    return made


def client(of: Stage, *scopes: str) -> Api:
    return api(service_token(of.scene.organization, *scopes or ("gates:write",)))


def pair(of: Stage, request_id: str = "req-answered") -> ReplayPair:
    return ReplayPair.objects.get(rollout=of.row, request_id=request_id)


def send(of: Stage, *scores: Any, by: Api | None = None) -> Any:
    return (by or client(of)).post(f"rollouts/{of.row.pk}/scores", {"scores": list(scores)})


def given(of: ReplayPair, candidate: Any = 4, stable: Any = 5) -> dict[str, Any]:
    return {"pair_id": of.pk, "candidate": candidate, "stable": stable}


def scores_of(of: Stage) -> list[tuple[float | None, float | None, str]]:
    return [(each.candidate_score, each.stable_score, each.source) for each in of.pairs()]


def refused_fields(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.content
    return [error["field"] for error in answer.json()["errors"]]


def test_external_scores_take_the_place_of_the_rules_on_the_scale_of_the_judge(at: Stage) -> None:
    answer = send(at, given(pair(at), 4, 5))
    assert (answer.status_code, answer.json()) == (200, {"taken": 1})
    found = pair(at)
    assert (found.candidate_score, found.stable_score, found.source, found.state) == (0.75, 1.0, JUDGE, "scored")


def test_a_rules_veto_stands_against_any_score(at: Stage) -> None:
    send(at, given(pair(at, "req-refused"), 5, 3))
    found = pair(at, "req-refused")
    assert (found.candidate_score, found.stable_score, found.source) == (0.0, 0.5, JUDGE)


def test_the_same_scores_again_change_nothing(at: Stage) -> None:
    send(at, given(pair(at)))
    before = pair(at).scored_at
    assert send(at, given(pair(at))).json() == {"taken": 0}
    assert pair(at).scored_at == before


def test_other_scores_of_the_same_judge_are_a_conflict(at: Stage) -> None:
    send(at, given(pair(at), 4, 5))
    answer = send(at, given(pair(at, "req-refused")), given(pair(at), 1, 5))
    assert (answer.status_code, answer.json()["code"]) == (409, "scored_already")
    assert (pair(at).candidate_score, pair(at, "req-refused").source) == (0.75, "rules:default@1")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"pair_id": "rpp_01jd3v00000000000000000000"}, "scores[1].pair_id"),
        ({"candidate": 5.5}, "scores[1].candidate"),
        ({"stable": 0}, "scores[1].stable"),
        ({"candidate": "4"}, "scores[1].candidate"),
        ({"candidate": True}, "scores[1].candidate"),
        ({"stable": None}, "scores[1].stable"),
        ({"score": 4}, "scores[1].score"),
    ],
    ids=str,
)
def test_one_wrong_row_is_named_and_nothing_is_taken(at: Stage, changes: dict[str, Any], field: str) -> None:
    before = scores_of(at)
    answer = send(at, given(pair(at)), given(pair(at, "req-refused")) | changes)
    assert refused_fields(answer) == [field]
    assert scores_of(at) == before


@pytest.mark.parametrize(
    "body", ['{"scores": [{"pair_id": "p", "candidate": NaN, "stable": 1}]}', "", "[]", '{"scores": 1}']
)
def test_a_body_that_holds_no_scores_is_refused(at: Stage, body: str) -> None:
    before = scores_of(at)
    assert client(at).post(f"rollouts/{at.row.pk}/scores", body).status_code in (400, 422)
    assert scores_of(at) == before


def test_a_pair_that_stands_twice_is_refused(at: Stage) -> None:
    assert refused_fields(send(at, given(pair(at)), given(pair(at)))) == ["scores[1].pair_id"]


@pytest.mark.parametrize("state", ["queued", "answered", "unusable"])
def test_a_pair_that_the_rules_have_not_scored_takes_no_scores(at: Stage, state: str) -> None:
    ReplayPair.objects.filter(request_id="req-answered").update(state=state)
    assert refused_fields(send(at, given(pair(at)))) == ["scores[0].pair_id"]


def test_a_slice_may_name_its_external_judge_by_id(at: Stage) -> None:
    Slice.objects.filter(slug=SLICE).update(judge=Judge.objects.get(name=JUDGE).pk)
    assert send(at, given(pair(at), 4, 5)).status_code == 200
    assert (pair(at).candidate_score, pair(at).source) == (0.75, JUDGE)


def test_a_slice_whose_answers_are_scored_here_takes_no_scores(at: Stage) -> None:
    Slice.objects.filter(slug=SLICE).update(judge="")
    assert refused_fields(send(at, given(pair(at)))) == ["scores[0].pair_id"]


def test_a_rollout_that_is_over_takes_no_scores(at: Stage) -> None:
    at.row.state = "halted"
    at.row.save(update_fields=["state"])
    assert send(at, given(pair(at))).status_code == 409


def test_scores_take_the_scope_or_a_role_that_defines_gates(at: Stage) -> None:
    owner = at.scene.organization
    viewer = api(person_token(owner, person(owner, "viewer")))
    assert send(at, given(pair(at)), by=client(at, "audit:read")).status_code == 403
    assert send(at, given(pair(at)), by=viewer).status_code == 403
    assert pair(at).source == "rules:default@1"
    assert send(at, given(pair(at)), by=api(person_token(owner, person(owner, "domain-owner")))).status_code == 200


def test_another_organizations_rollout_is_not_found(at: Stage) -> None:
    other = stage("eastgate")
    stranger = client(other)
    assert send(at, given(pair(at)), by=stranger).status_code == 404
    assert stranger.get(f"rollouts/{at.row.pk}/pairs").status_code == 404
    assert pair(at).source == "rules:default@1"


def test_another_rollouts_pair_is_not_found(at: Stage, models: str) -> None:
    other = stage("eastgate", base_url=models)
    answer = client(other).post(f"rollouts/{other.row.pk}/scores", {"scores": [given(pair(at))]})
    assert refused_fields(answer) == ["scores[0].pair_id"]


def test_other_methods_are_not_allowed(at: Stage) -> None:
    assert client(at).get(f"rollouts/{at.row.pk}/scores").status_code == 405
    assert client(at).post(f"rollouts/{at.row.pk}/pairs", {"state": "scored"}).status_code == 405


def test_pairs_are_listed_with_prompt_and_answers_in_clear(at: Stage) -> None:
    listed = client(at, "audit:read").get(f"rollouts/{at.row.pk}/pairs").json()["results"]
    assert [each["request_id"] for each in listed] == [each.request_id for each in reversed(at.pairs())]
    shown = next(each for each in listed if each["request_id"] == "req-refused")
    assert shown["candidate"] == REFUSAL
    assert shown["stable"]["content"]
    assert shown["messages"][0]["role"] == "user"
    assert shown["findings"][0]["quote"].startswith("I cannot answer")
    assert (shown["candidate_score"], shown["stable_score"], shown["state"]) == (0.0, 1.0, "scored")


def test_others_see_the_scores_and_no_word_of_an_answer(at: Stage) -> None:
    answer = client(at, "rollouts:write").get(f"rollouts/{at.row.pk}/pairs")
    assert {each["messages"] for each in answer.json()["results"]} == {None}
    assert [finding["side"] for each in answer.json()["results"] for finding in each["findings"]] == ["candidate"]
    for words in (ANSWER, REFUSAL, "May affiliates"):
        assert words not in answer.content.decode()


def test_pairs_can_be_asked_for_by_state_and_slice(at: Stage) -> None:
    by = client(at)
    ReplayPair.objects.filter(request_id="req-answered").update(state="unusable")
    path = f"rollouts/{at.row.pk}/pairs"
    assert [each["request_id"] for each in by.get(path, state="unusable").json()["results"]] == ["req-answered"]
    assert len(by.get(path, slice=SLICE).json()["results"]) == 2
    assert by.get(path, slice="contract-drafting").json()["results"] == []
    assert refused_fields(by.get(path, state="done")) == ["state"]


def test_an_erased_pair_is_listed_without_its_words(at: Stage) -> None:
    SubjectKey.objects.update(wrapped_key=None)
    for each in client(at).get(f"rollouts/{at.row.pk}/pairs").json()["results"]:
        assert (each["messages"], each["candidate"], each["stable"]) == (None, None, None)


def test_the_list_takes_the_same_queries_for_six_pairs_as_for_two(at: Stage) -> None:
    by = client(at)
    path = f"rollouts/{at.row.pk}/pairs"
    by.get(path)
    with CaptureQueriesContext(connection) as few:
        assert len(by.get(path).json()["results"]) == 2
    for _ in range(4):
        at.served("stable")
    at.choose()
    with CaptureQueriesContext(connection) as more:
        assert len(by.get(path).json()["results"]) == 6
    assert len(more) == len(few) <= 10


def test_a_damaged_pair_does_not_hide_the_others(at: Stage) -> None:
    ReplayPair.objects.filter(request_id="req-answered").update(answers=b"\x01" + b"0" * 40)
    listed = client(at).get(f"rollouts/{at.row.pk}/pairs").json()["results"]
    assert {each["request_id"]: each["candidate"] for each in listed} == {"req-answered": None, "req-refused": REFUSAL}
