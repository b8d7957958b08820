"""Request and answer out of every dialect, as an OpenAI client would have sent and received them."""

import json
from typing import Any

import pytest

from releases.otlp.span import Event
from releases.otlp.spans import draft
from tests.releases.otlp.made import START, span

USER = {"role": "user", "content": "Hello"}
SYSTEM = {"role": "system", "content": "Be short."}
PARTS = [{"role": "user", "parts": [{"type": "text", "content": "Hello"}]}]
ANSWER_PARTS = [{"role": "assistant", "parts": [{"type": "text", "content": "Hi"}]}]
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Bern"}'}}


def told(attributes: dict[str, Any], *events: Event) -> tuple[Any, Any]:
    """The messages that were sent and the output."""
    row = draft(span(attributes, events=events)).row
    return row["input"]["messages"], row["output"]


def event(name: str, **attributes: Any) -> Event:
    """An event of the span; `__` in names stands for a dot."""
    return Event(name, START, {key.replace("__", "."): value for key, value in attributes.items()})


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai.input.messages": json.dumps(PARTS), "gen_ai.output.messages": json.dumps(ANSWER_PARTS)},
        {"gen_ai.input.messages": PARTS, "gen_ai.output.messages": ANSWER_PARTS},
        {
            "gen_ai.prompt": json.dumps([USER]),
            "gen_ai.completion": json.dumps([{"role": "assistant", "content": "Hi"}]),
        },
        {"gen_ai.prompt": "Hello", "gen_ai.completion": "Hi"},
        {
            "gen_ai.prompt.0.role": "user",
            "gen_ai.prompt.0.content": "Hello",
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.content": "Hi",
        },
        {
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.content": "Hello",
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.content": "Hi",
            "input.value": "something else",
            "output.value": "something else",
        },
        {
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.contents.0.message_content.type": "text",
            "llm.input_messages.0.message.contents.0.message_content.text": "Hello",
            "output.value": "Hi",
        },
        {"input.value": "Hello", "output.value": "Hi"},
        {
            "input.value": json.dumps({"messages": [USER], "model": "m"}),
            "output.value": json.dumps({"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}}]}),
        },
        {"input.value": "Hello", "output.value": json.dumps({"choices": [{"text": "Hi"}]})},
    ],
)
def test_every_dialect_says_the_same(attributes: dict[str, Any]) -> None:
    assert told(attributes) == ([USER], "Hi")


@pytest.mark.parametrize(
    "events",
    [
        [
            event("gen_ai.user.message", content="Hello"),
            event("gen_ai.choice", index=0, message=json.dumps({"role": "assistant", "content": "Hi"})),
        ],
        [
            event("gen_ai.user.message", gen_ai__event__content=json.dumps({"content": "Hello", "role": "user"})),
            event("gen_ai.choice", index=0, message={"content": "Hi"}),
        ],
        [
            event("gen_ai.content.prompt", gen_ai__prompt=json.dumps([USER])),
            event("gen_ai.content.completion", gen_ai__completion="Hi"),
        ],
        [
            event(
                "gen_ai.client.inference.operation.details",
                gen_ai__input__messages=PARTS,
                gen_ai__output__messages=ANSWER_PARTS,
            )
        ],
    ],
)
def test_events_say_what_attributes_do_not(events: list[Event]) -> None:
    assert told({}, *events) == ([USER], "Hi")


def test_the_span_wins_over_its_events() -> None:
    late = event("gen_ai.client.inference.operation.details", gen_ai__prompt="from the event")
    assert told({"gen_ai.prompt": "Hello"}, late)[0] == [USER]


@pytest.mark.parametrize(
    "system",
    [
        "Be short.",
        json.dumps([{"type": "text", "content": "Be short."}]),
        [{"type": "text", "content": "Be short."}],
        json.dumps([{"role": "system", "content": "Be short."}]),
    ],
)
def test_system_instructions_come_first(system: Any) -> None:
    assert told({"gen_ai.system_instructions": system, "gen_ai.input.messages": PARTS})[0] == [SYSTEM, USER]


@pytest.mark.parametrize("answer", ['{"verdict": "yes"}', '["a", "b"]', '[{"a": 1}]', "[]", "{}", "[not json", "17"])
def test_an_answer_that_is_json_itself_stays_a_text(answer: str) -> None:
    assert told({"output.value": answer})[1] == answer


@pytest.mark.parametrize(
    "attributes",
    [
        {
            "gen_ai.output.messages": [
                {
                    "role": "assistant",
                    "parts": [{"type": "tool_call", "id": "call_1", "name": "weather", "arguments": {"city": "Bern"}}],
                    "finish_reason": "tool_calls",
                }
            ]
        },
        {
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.tool_calls.0.tool_call.id": "call_1",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "weather",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"city": "Bern"}',
            "llm.finish_reason": "tool_calls",
        },
        {
            "gen_ai.completion.0.tool_calls.0.id": "call_1",
            "gen_ai.completion.0.tool_calls.0.name": "weather",
            "gen_ai.completion.0.tool_calls.0.arguments": '{"city": "Bern"}',
            "gen_ai.completion.0.finish_reason": "tool_calls",
        },
    ],
)
def test_tool_calls_are_those_of_the_openai_api(attributes: dict[str, Any]) -> None:
    assert told(attributes)[1] == {"content": None, "tool_calls": [CALL], "finish_reason": "tool_calls"}


def test_the_result_of_a_tool_is_a_message_of_the_tool() -> None:
    part = {"type": "tool_call_response", "id": "call_1", "response": "rainy"}
    sent, _ = told({"gen_ai.input.messages": [{"role": "tool", "parts": [part]}]})
    assert sent == [{"role": "tool", "content": "rainy", "tool_call_id": "call_1"}]


def test_reasoning_is_no_part_of_the_answer() -> None:
    parts = [{"type": "reasoning", "content": "Hm."}, {"type": "text", "content": "Hi"}]
    assert told({"gen_ai.output.messages": [{"role": "assistant", "parts": parts}]})[1] == "Hi"


def test_parts_that_are_no_text_are_kept_as_they_came() -> None:
    image = {"type": "uri", "modality": "image", "uri": "https://pictures.example/1.png"}
    sent, _ = told({"gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "See"}, image]}]})
    assert sent == [{"role": "user", "content": [{"type": "text", "text": "See"}, image]}]


def test_indexed_messages_are_in_the_order_of_their_numbers() -> None:
    attributes = {f"gen_ai.prompt.{number}.content": str(number) for number in (10, 2, 0)}
    assert [one["content"] for one in told(attributes)[0]] == ["0", "2", "10"]


@pytest.mark.parametrize(
    ("content", "output"), [({"verdict": "yes"}, '{"verdict": "yes"}'), (True, "true"), (None, None)]
)
def test_content_that_is_no_text_becomes_one(content: Any, output: str | None) -> None:
    assert told({"gen_ai.output.messages": [{"role": "assistant", "content": content}]})[1] == output


def test_nothing_recorded_is_no_output() -> None:
    assert told({}) == ([], None)


def test_settings_come_with_the_messages() -> None:
    given = {"gen_ai.request.max_tokens": 50, "gen_ai.request.stop_sequences": ["END"], "gen_ai.request.model": "m"}
    row = draft(span(given | {"llm.invocation_parameters": json.dumps({"top_p": 0.5, "max_tokens": 1})})).row
    assert row["input"] == {"top_p": 0.5, "max_tokens": 50, "stop": ["END"], "model": "m", "messages": []}


def test_metadata_of_the_client_is_no_part_of_the_input() -> None:
    value = json.dumps({"messages": [USER], "temperature": 0, "metadata": {"topic": "ip"}})
    assert draft(span({"input.value": value})).row["input"] == {"messages": [USER], "temperature": 0}
