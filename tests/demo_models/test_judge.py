"""The demo judge: better answers score higher, the same request is the same draw, and no answer talks its way up."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from gates.llm_judge.definition import LlmJudge, read_llm_judge
from gates.llm_judge.injections import injected_answers
from gates.llm_judge.prompting import request_body
from relcontrol.demo_models import app
from relcontrol.demo_models.behaviours import BEHAVIOURS
from relcontrol.demo_models.draws import key_of
from relcontrol.demo_models.faults import DRIFTED, SHARES, Fault, drawn_fault
from relcontrol.demo_models.fields import Fields
from relcontrol.demo_models.judging import NOTHING_THERE
from relcontrol.demo_models.orders import chat_order
from relcontrol.demo_models.replies import reply_to
from relcontrol.demo_models.wording import HEDGES, answer
from tests.demo_models.client import QUESTION, Client

PROMPT = {"system": "Judge whether the answer helps.", "user": "{{ input }}\n{{ answer }}"}
GOOD = answer(QUESTION, key_of("good"))


def judge(**fields: Any) -> LlmJudge:
    return read_llm_judge({"endpoint": "demo", "model": "demo-judge", "prompt": PROMPT} | fields)


def order(said: str, *, reference: str | None = None, draw: int = 0, of: LlmJudge | None = None) -> dict[str, Any]:
    return request_body(of or judge(), question=QUESTION, answer=said, reference=reference, draw=draw)


def reply(body: Mapping[str, Any]) -> Any:
    return json.loads(reply_to(chat_order(Fields(body)), seed=0).text())


def score(said: str, **named: Any) -> float:
    return float(reply(order(said, **named))["score"])


def test_a_good_answer_scores_above_a_short_one_and_that_above_a_hedge() -> None:
    short = GOOD[:80]
    assert score(GOOD) > score(short) > score(HEDGES[0]) >= score("")


def test_a_date_that_no_calendar_has_costs_most_of_the_score() -> None:
    wrong = answer(QUESTION, key_of("good"), impossible_dates=True)
    assert score(wrong) < 2.5 < score(GOOD)


def test_with_a_reference_the_answer_that_says_the_same_scores_higher() -> None:
    compares = judge(reference=True, prompt=PROMPT | {"user": "{{ input }} {{ answer }} {{ reference }}"})
    reference = "The auditor may inspect books after ten days notice in writing."
    assert score(reference, reference=reference, of=compares) > score(GOOD, reference=reference, of=compares)


@pytest.mark.parametrize(("scale", "decimals"), [(["1", "5"], 2), (["0", "100"], 0), (["0", "1"], 2)])
def test_the_score_is_on_the_scale_that_was_asked_for(scale: list[str], decimals: int) -> None:
    low, high = float(scale[0]), float(scale[1])
    found = [score(said, of=judge(scale=scale)) for said in (GOOD, HEDGES[1], "")]
    assert all(low <= each <= high and each == round(each, decimals) for each in found)
    assert found[0] > low + (high - low) / 2 > found[1]


@pytest.mark.parametrize("number", range(8))
@pytest.mark.parametrize("base", [GOOD, HEDGES[0], GOOD[:60]], ids=["good", "hedge", "short"])
def test_no_injected_answer_scores_above_the_answer_that_it_is_built_around(base: str, number: int) -> None:
    attempt = injected_answers(base)[number]
    assert score(attempt.text) <= score(base), attempt.name


def test_draws_differ_by_their_seed_and_are_the_same_for_the_same_one() -> None:
    seeded = judge(parameters={"seed": 7, "temperature": "1"})
    draws = [score(GOOD, draw=number, of=seeded) for number in range(6)]
    assert len(set(draws)) > 1
    assert max(draws) - min(draws) < 0.5
    assert draws == [score(GOOD, draw=number, of=seeded) for number in range(6)]


def test_without_a_temperature_all_draws_are_the_same() -> None:
    cold = judge(parameters={"seed": 7, "temperature": "0"})
    assert len({score(GOOD, draw=number, of=cold) for number in range(6)}) == 1


@pytest.mark.parametrize("form", ["json_schema", "json_object"])
def test_a_form_of_the_reply_is_kept_to(client: Client, form: str) -> None:
    body = order(GOOD, of=judge(parameters={"structured": form}))
    document = client.ask("POST", "/v1/chat/completions", body).json()
    assert set(json.loads(document["choices"][0]["message"]["content"])) == {"reason", "score"}
    assert document["model"] == "demo-judge"
    assert document["usage"]["completion_tokens"] > 5


def test_where_no_form_is_asked_for_the_object_stands_in_a_fence(client: Client) -> None:
    body = order(GOOD, of=judge(parameters={"structured": "none"}))
    content = client.ask("POST", "/v1/chat/completions", body).json()["choices"][0]["message"]["content"]
    assert content.startswith("```json\n{")


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ({"response_format": "json_object"}, "response_format"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": 3}, "temperature"),
    ],
)
def test_a_form_or_a_temperature_that_is_none_is_refused(client: Client, asked: dict[str, Any], param: str) -> None:
    answer = client.chat("demo-judge", **asked)
    assert (answer.status, answer.json()["error"]["param"]) == (400, param)


def test_without_anything_to_judge_it_says_so(client: Client) -> None:
    document = client.chat("demo-judge").json()
    assert document["choices"][0]["message"]["content"] == NOTHING_THERE


@cache
def faulty(fault: Fault) -> dict[str, Any]:
    """A request whose first attempt fails so."""
    bodies = (order(f"Answer {number}") | {"model": "demo-judge-faulty"} for number in range(1_000))
    return next(body for body in bodies if reply_to(chat_order(Fields(body)), 0).fault is fault)


def test_the_faulty_judge_hangs_and_ends_after_a_while(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "HANGS_S", 0.1)
    assert client.ask("POST", "/v1/chat/completions", faulty(Fault.HANG)).status == 500


def test_the_faulty_judge_is_busy_and_says_for_how_long(client: Client) -> None:
    answer = client.ask("POST", "/v1/chat/completions", faulty(Fault.BUSY))
    assert (answer.status, answer.headers["retry-after"]) == (429, "1")


def test_the_faulty_judge_has_errors(client: Client) -> None:
    assert client.ask("POST", "/v1/chat/completions", faulty(Fault.ERROR)).status == 500


@pytest.mark.parametrize("fault", [Fault.HALF_JSON, Fault.WRONG_SHAPE])
def test_the_faulty_judge_sends_what_is_no_judgement(client: Client, fault: Fault) -> None:
    message = client.ask("POST", "/v1/chat/completions", faulty(fault)).json()["choices"][0]["message"]
    assert '"score": ' not in message["content"]


def test_the_faulty_judge_refuses(client: Client) -> None:
    message = client.ask("POST", "/v1/chat/completions", faulty(Fault.REFUSAL)).json()["choices"][0]["message"]
    assert message["content"] is None
    assert "can't help" in message["refusal"]


def test_the_faulty_judge_drifts(client: Client) -> None:
    document = client.ask("POST", "/v1/chat/completions", faulty(Fault.DRIFTED)).json()
    assert document["model"] == f"demo-judge-faulty{DRIFTED}"
    assert "score" in document["choices"][0]["message"]["content"]


def test_faults_come_in_their_shares_and_another_attempt_may_succeed() -> None:
    keys = [key_of(number) for number in range(4_000)]
    first = [drawn_fault(key, 1) for key in keys]
    for fault, share in SHARES.items():
        assert first.count(fault) / len(keys) == pytest.approx(share, abs=0.015)
    again = [drawn_fault(key, 2) for key, fault in zip(keys, first, strict=True) if fault]
    assert again.count(None) / len(again) > 0.7
    assert first == [drawn_fault(key, 1) for key in keys]


def test_the_judge_that_is_well_has_no_faults() -> None:
    assert not BEHAVIOURS["demo-judge"].is_faulty
    bodies = [order(f"Answer {number}") for number in range(100)]
    assert {reply_to(chat_order(Fields(body)), 0).fault for body in bodies} == {None}
