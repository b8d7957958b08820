"""A judge's server with faults: the run ends, what is missing stays missing, and what was spent is what it told."""

import threading
from collections.abc import Iterator

import pytest

from gates.models import Judge
from gates.scoring import scoring as at_work
from gates.scoring.scoring import Scoring
from relcontrol.demo_models import app
from tests.gates.scoring.counting import Counting
from tests.gates.scoring.stage import GOOD, Stage, answers, orders, run, scored
from tests.model_servers.sequences import Sequences, completion, sequences

pytestmark = pytest.mark.django_db
WELL = '{"reason": "It answers.", "score": 3}'
NOWHERE = "http://127.0.0.1:9/v1"


@pytest.fixture
def faulty(at: Stage, monkeypatch: pytest.MonkeyPatch) -> Judge:
    """The judge of the faulty model; its server hangs for a moment only, and then fails."""
    monkeypatch.setattr(app, "HANGS_S", 0.05)
    return at.judge(model="demo-judge-faulty")


def test_a_faulty_server_is_judged_through_to_the_end(at: Stage, server: Counting, faulty: Judge) -> None:
    with Scoring(at.of, concurrency=16) as scoring:
        found = run(scoring, orders(faulty, answers(150)))
    missing = [each for each in found.values() if each.score is None]
    assert len(found) == 150
    assert 3 <= len(missing) <= 30
    assert all(each.problem for each in missing)
    assert all(1 <= (each.score or 1) <= 5 and each.reason for each in found.values() if each not in missing)
    spent = scoring.spent
    assert (spent.calls, spent.input_tokens, spent.output_tokens) == (
        server.calls,
        server.input_tokens,
        server.output_tokens,
    )
    assert spent.calls > 150  # some were tried again
    words = " ".join(each.problem for each in missing)
    for said in ("refused to judge", "no JSON object", "not of the form", "-2026-11-01 answered"):
        assert said in words


def test_the_same_faults_come_again_and_nothing_known_is_asked_twice(
    at: Stage, server: Counting, faulty: Judge
) -> None:
    first = scored(at, faulty, answers(40), concurrency=16)
    known = server.calls
    again = scored(at, faulty, answers(40), concurrency=16)
    assert [each.score for each in again] == [each.score for each in first]
    assert server.calls - known <= 4 * sum(each.score is None for each in first)


@pytest.fixture
def scripted() -> Iterator[Sequences]:
    with sequences() as found:
        yield found


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (completion(WELL[:-12], model="demo-judge"), "no JSON object"),
        (completion(None, model="demo-judge", refusal="No."), "refused to judge: No."),
        (completion('{"verdict": "good"}', model="demo-judge"), "not of the form"),
        (completion('{"reason": "", "score": 6}', model="demo-judge"), "outside the scale"),
        (completion(WELL, model="another-judge"), "another-judge answered"),
        (404, "does not know the model"),
        (400, "want max_completion_tokens (limit_field) (400)"),
    ],
    ids=["half JSON", "refusal", "wrong schema", "outside", "drifted", "404", "400"],
)
def test_what_is_no_score_is_missing_and_never_a_low_one(
    at: Stage, scripted: Sequences, reply: object, says: str
) -> None:
    at.endpoint(base_url=scripted.answering(reply))
    [found] = scored(at, at.judge(), [GOOD])
    assert found.score is None
    assert says in found.problem
    assert len(scripted.asked()) == 1


@pytest.mark.parametrize("fault", [429, 500, "breaks-off", "closes", "no-completion"])
def test_what_may_pass_is_tried_again_and_then_scores(at: Stage, scripted: Sequences, fault: object) -> None:
    at.endpoint(base_url=scripted.answering(fault, fault, completion(WELL, model="demo-judge")))
    [found] = scored(at, at.judge(), [GOOD])
    assert (found.score, found.draws[0]["attempts"]) == (3.0, 3)


def test_a_draw_that_cannot_be_read_is_left_out_of_the_score(at: Stage, scripted: Sequences) -> None:
    replies = [completion(text, model="demo-judge") for text in (WELL, "half", WELL.replace("3", "5"))]
    at.endpoint(base_url=scripted.answering(*replies))
    [found] = scored(at, at.judge(draws=3), [GOOD], concurrency=1)
    assert found.score == 4.0
    assert [draw["score"] for draw in found.draws] == [3.0, None, 5.0]
    assert "no JSON object" in found.draws[1]["problem"]
    assert found.problem == ""


def test_a_server_that_hangs_ends_the_run(at: Stage, scripted: Sequences, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at_work, "ATTEMPTS", 1)
    monkeypatch.setattr(at_work, "GIVE_UP_AFTER", 4)
    at.endpoint(base_url=scripted.answering(*["hangs"] * 1_000))
    found = scored(at, at.judge(parameters={"timeout_seconds": 1}), answers(50), concurrency=4)
    assert len(found) == 50
    assert {each.score for each in found} == {None}
    assert len(scripted.asked()) <= 4 + 4
    assert found[0].problem == "The judge's server did not answer in time."
    assert found[-1].problem == "The endpoint demo did not answer the last 4 calls and is asked no more."


def test_a_server_that_is_not_there_is_given_up(at: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    at.endpoint(base_url=NOWHERE)
    found = scored(at, at.judge(), answers(60))
    assert {each.score for each in found} == {None}
    assert sum("could not be reached" in each.problem for each in found) <= 12 + 8
    assert sum("is asked no more" in each.problem for each in found) >= 40


def test_a_server_that_answers_now_and_then_is_not_given_up(
    at: Stage, scripted: Sequences, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(at_work, "GIVE_UP_AFTER", 3)
    well = completion(WELL, model="demo-judge")
    at.endpoint(base_url=scripted.answering(*[400, 400, well] * 10))
    found = scored(at, at.judge(), answers(30), concurrency=1)
    assert sum(each.score == 3.0 for each in found) == 10
    assert not any("no more" in each.problem for each in found)


def test_while_there_is_no_news_the_caller_hears_so(
    at: Stage, scripted: Sequences, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(at_work, "NEWS_SECONDS", 0.05)
    at.endpoint(base_url=scripted.answering("hangs"))
    with Scoring(at.of) as scoring:
        results = scoring.run(orders(at.judge(), [GOOD]))
        assert [next(results) for _ in range(3)] == [None, None, None]
        assert scoring.in_flight == 1
        results.close()
        assert scoring.in_flight == 0


def test_draws_that_complete_no_score_are_no_news(
    at: Stage, scripted: Sequences, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(at_work, "NEWS_SECONDS", 0.0)
    at.endpoint(base_url=scripted.answering(*[completion(WELL, model="demo-judge")] * 3))
    with Scoring(at.of, concurrency=1) as scoring:
        heard = list(scoring.run(orders(at.judge(draws=3), [GOOD])))
    assert len(heard) > 3
    assert [each.score for each in heard if each] == [3.0]


def test_news_come_at_least_every_five_seconds() -> None:
    assert at_work.NEWS_SECONDS < 5


def test_leaving_in_the_middle_gives_up_what_is_in_flight(
    at: Stage, scripted: Sequences, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(at_work, "NEWS_SECONDS", 0.05)
    at.endpoint(base_url=scripted.answering(*["hangs"] * 8))
    with Scoring(at.of, concurrency=8) as scoring:
        assert next(scoring.run(orders(at.judge(), answers(8)))) is None
    assert not [thread for thread in threading.enumerate() if thread.name == "model-calls"]
