"""Chat completions without a stream, as an unmodified client expects them."""

from typing import Any

import pytest

from relcontrol.demo_models.tokens import count_of
from tests.demo_models.client import QUESTION, Client, serving


def test_an_answer_has_the_shape_of_openai(client: Client) -> None:
    answer = client.chat()
    document = answer.json()
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-relcontrol-demo"] == "true"
    assert (document["object"], document["model"], document["created"]) == (
        "chat.completion",
        "demo-healthy",
        1_767_225_600,
    )
    assert document["id"].startswith("chatcmpl-")
    [choice] = document["choices"]
    assert (choice["index"], choice["finish_reason"], choice["logprobs"]) == (0, "stop", None)
    assert choice["message"]["role"] == "assistant"


def test_usage_counts_the_tokens_of_prompt_and_answer(client: Client) -> None:
    document = client.chat().json()
    usage = document["usage"]
    assert usage["completion_tokens"] == count_of(document["choices"][0]["message"]["content"])
    assert usage["prompt_tokens"] == 4 + count_of(QUESTION)
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_a_question_of_the_demo_gets_the_answer_to_it(client: Client) -> None:
    opening = "Here is an audit clause with ten days' warning for an agency agreement. It names who may act"
    assert client.chat().json()["choices"][0]["message"]["content"].startswith(opening)
    tidied = client.chat(question=f"Please help.\n  {QUESTION.upper()}  Thank you.")
    assert tidied.json()["choices"][0]["message"]["content"].startswith(opening)


def test_any_other_question_gets_an_answer_too(client: Client) -> None:
    assert len(client.chat(question="Wie wird das Wetter? 🌦").json()["choices"][0]["message"]["content"]) > 100
    assert client.chat(question="").status == 200


def test_the_same_prompt_gets_the_same_bytes_and_another_one_others(client: Client) -> None:
    assert client.chat().body == client.chat().body
    assert client.chat().body != client.chat(question="Another question.").body


def test_another_server_with_the_same_seed_says_the_same_and_with_another_seed_something_else(client: Client) -> None:
    with serving(seed=0) as same, serving(seed=1) as other:
        assert same.chat().body == client.chat().body
        assert other.chat().json()["id"] != client.chat().json()["id"]
        assert other.chat(seed=0).body == client.chat().body


def test_the_length_is_the_one_that_was_asked_for(client: Client) -> None:
    usage = client.chat(question=f"{QUESTION} Answer in about 1,200 tokens.").json()["usage"]
    assert 1_200 <= usage["completion_tokens"] <= 1_300
    assert client.chat(question="900000 words, please").json()["usage"]["completion_tokens"] <= 8_100


@pytest.mark.parametrize("limit", [{"max_tokens": 10}, {"max_completion_tokens": 10}])
def test_a_limit_cuts_the_answer_and_says_so(client: Client, limit: dict[str, Any]) -> None:
    document = client.chat(**limit).json()
    assert document["usage"]["completion_tokens"] == 10
    assert document["choices"][0]["finish_reason"] == "length"


def test_a_stop_ends_the_answer_before_it(client: Client) -> None:
    document = client.chat(stop=["never said", " for an agency"]).json()
    assert document["choices"][0]["message"]["content"] == "Here is an audit clause with ten days' warning"
    assert document["choices"][0]["finish_reason"] == "stop"


def test_parts_of_text_and_an_assistant_that_said_nothing_are_read(client: Client) -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "assistant", "content": None, "tool_calls": []},
        {"role": "user", "content": [{"type": "text", "text": QUESTION}]},
    ]
    said = client.chat(messages=messages, temperature=0.2, tools=[], user="x").json()["choices"][0]["message"][
        "content"
    ]
    assert said.startswith("Here is an audit clause")


def test_a_limit_changes_nothing_before_it(client: Client) -> None:
    whole = client.chat().json()["choices"][0]["message"]["content"]
    for most in (1, 50, 200):
        assert whole.startswith(client.chat(max_tokens=most).json()["choices"][0]["message"]["content"])
    tokens = client.chat().json()["usage"]["completion_tokens"]
    assert client.chat(max_tokens=tokens).json()["choices"][0]["finish_reason"] == "stop"
    assert client.chat(max_tokens=tokens - 1).json()["choices"][0]["finish_reason"] == "length"


def test_an_answer_that_a_stop_leaves_empty_is_one_too(client: Client) -> None:
    document = client.chat("demo-broken-streams", stop="Here").json()
    assert document["choices"][0]["message"]["content"] == ""
    assert client.chat("demo-broken-streams", stop="Here", stream=True).said() == ""
