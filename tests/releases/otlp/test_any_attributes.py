"""Whatever a span says, it becomes a row that is JSON."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from releases.otlp import attributes as names
from releases.otlp.messages import DETAILS, EVENT_ROLES
from releases.otlp.span import Event
from releases.otlp.spans import draft
from tests.releases.otlp.made import START, span

NAMES = [
    *names.PLACES,
    *names.SETTINGS,
    *names.KINDS,
    "gen_ai.prompt.0.role",
    "gen_ai.prompt.0.content",
    "gen_ai.prompt.0",
    "gen_ai.prompt.",
    "llm.input_messages.0.message",
    "llm.input_messages.0.message.content",
    "llm.input_messages.x.message.contents.0.message_content.text",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function",
    "gen_ai.completion.1.tool_calls",
    "relcontrol.metadata.topic",
    "content",
    "message",
    "role",
    "id",
]
KEYS = [
    "role",
    "content",
    "parts",
    "contents",
    "type",
    "message",
    "tool_calls",
    "function",
    "messages",
    "choices",
    "text",
]
TEXTS = [
    "",
    "text",
    "tool_call",
    "tool_call_response",
    "12",
    "[1]",
    '{"role": 1}',
    '[{"parts": {}}]',
    "\\ud800",
    "1e999",
]
PLAIN = st.sampled_from([None, True, -1, 0, 200, 503, 2**70, 0.5, -0.5, 1e300, "nan", *TEXTS])
NESTED = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=6,
)
VALUES = st.one_of(PLAIN, NESTED, NESTED.map(json.dumps))
ATTRIBUTES = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6)
EVENTS = st.lists(
    st.builds(
        Event,
        st.sampled_from([*EVENT_ROLES, *DETAILS, *names.FIRST_CHUNK_EVENTS, "gen_ai.choice", "exception"]),
        st.integers(0, 2 * START),
        ATTRIBUTES,
    ),
    max_size=2,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ATTRIBUTES, EVENTS)
def test_no_attributes_are_too_odd(attributes: dict[str, Any], events: list[Event]) -> None:
    row = draft(span(attributes, events=events)).row
    json.dumps(row, allow_nan=False)
    assert isinstance(row["input"]["messages"], list)
    assert row["output"] is None or isinstance(row["output"], str | dict)
