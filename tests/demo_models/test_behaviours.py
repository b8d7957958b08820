"""Each demo model fails as its name says, and in no other way."""

import re
import time

import pytest

from relcontrol.demo_models.behaviours import BEHAVIOURS
from relcontrol.demo_models.orders import Message, Order
from relcontrol.demo_models.replies import Reply, reply_to
from tests.demo_models.client import QUESTION, Client, serving

LONG = f"{QUESTION} Answer in about 2,500 tokens."
IMPOSSIBLE = re.compile(r"March 32nd|February 30th|June 31st|November 31st")


def reply(model: str, question: str = QUESTION) -> Reply:
    return reply_to(Order(BEHAVIOURS[model], (Message("user", question),)), seed=0)


def content(client: Client, model: str, question: str = QUESTION) -> str:
    text: str = client.chat(model, question).json()["choices"][0]["message"]["content"]
    return text


def test_the_slow_model_takes_twice_as_long_for_the_same_words() -> None:
    healthy, slow = reply("demo-healthy"), reply("demo-slow")
    assert slow.text() == healthy.text()
    assert slow.first_s == pytest.approx(2 * healthy.first_s)
    assert slow.rest_s == pytest.approx(2 * healthy.rest_s)


def test_the_model_that_fails_on_long_answers_answers_short_ones(client: Client) -> None:
    question = f"{QUESTION} Answer in about 2,300 tokens."
    assert content(client, "demo-failing-long", question) == content(client, "demo-healthy", question)


@pytest.mark.parametrize("stream", [False, True])
def test_a_long_answer_is_a_time_out_of_the_server(client: Client, stream: bool) -> None:
    answer = client.chat("demo-failing-long", LONG, stream=stream)
    assert answer.status == 504
    assert answer.json()["error"] == {
        "message": "The answer was not finished in time.",
        "type": "server_error",
        "param": None,
        "code": "timeout",
    }
    assert client.chat("demo-healthy", LONG, stream=stream).status == 200


def test_a_limit_below_the_failing_length_makes_it_answer(client: Client) -> None:
    assert client.chat("demo-failing-long", LONG, max_tokens=2_400).status == 200
    assert client.chat("demo-failing-long", LONG, max_tokens=2_401).status == 504


def test_of_all_questions_a_few_get_an_answer_that_is_too_long() -> None:
    failing = sum(reply("demo-failing-long", f"Question {number}").fails for number in range(500))
    assert 10 <= failing <= 60


def test_the_hedging_model_says_nothing_and_is_as_quick_as_the_healthy_one(client: Client) -> None:
    assert "you should consult an attorney" in content(client, "demo-hedging")
    assert "you should consult an attorney" not in content(client, "demo-healthy")
    hedged, healthy = reply("demo-hedging"), reply("demo-healthy")
    assert (hedged.first_s, hedged.rest_s) == (healthy.first_s, healthy.rest_s)
    assert not hedged.fails
    assert hedged.breaks_after is None


def test_the_model_of_impossible_dates_differs_in_the_date_alone(client: Client) -> None:
    wrong, right = content(client, "demo-impossible-dates"), content(client, "demo-healthy")
    assert IMPOSSIBLE.search(wrong)
    assert not IMPOSSIBLE.search(right)
    day = re.compile(r"due on \w+ \w+ \w+\.")
    assert day.sub("", wrong) == day.sub("", right)


def test_one_of_the_impossible_dates_is_thursday_the_32nd_of_march() -> None:
    assert any("Thursday March 32nd" in reply("demo-impossible-dates", str(number)).text() for number in range(30))


def test_the_first_token_takes_its_time_and_each_that_follows_a_little() -> None:
    found = reply("demo-healthy", LONG)
    assert 0.1 <= found.first_s <= 0.25
    assert found.rest_s == pytest.approx(0.001 * found.completion_tokens)


@pytest.mark.parametrize("stream", [False, True])
def test_latency_scales_what_it_takes(stream: bool) -> None:
    found = reply("demo-slow", f"{QUESTION} Answer in about 80 tokens.")
    with serving(seed=0, latency=0.5) as client:
        started = time.monotonic()
        client.chat("demo-slow", f"{QUESTION} Answer in about 80 tokens.", stream=stream)
        assert time.monotonic() - started >= 0.5 * (found.first_s + found.rest_s) - 0.01
