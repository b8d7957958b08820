"""Which spans count: calls of a model, and of nested ones the innermost."""

from typing import Any

import pytest

from releases.otlp.attributes import is_call
from releases.otlp.receiving import drafted
from releases.otlp.span import Span
from tests.releases.otlp.made import numbered, span

AGENT, FIRST, SECOND, TOOL, INNER = map(numbered, range(1, 6))
OTHER_TRACE = "f" * 32


def operation(name: str, span_id: str, parent: str = "", **changes: Any) -> Span:
    """A span of this operation that used ten tokens."""
    attributes = {"gen_ai.operation.name": name, "gen_ai.usage.input_tokens": 10}
    return span(attributes, span_id=span_id, parent_id=parent, **changes)


def counted(*spans: Span) -> list[str]:
    """The ids of the spans that become rows."""
    drafts, _ = drafted(list(spans))
    return [one.row["metadata"]["otel.span_id"] for one in drafts]


@pytest.mark.parametrize("name", ["chat", "text_completion", "generate_content", "embeddings"])
def test_a_call_of_a_model_counts(name: str) -> None:
    assert counted(operation(name, FIRST)) == [FIRST]


@pytest.mark.parametrize("name", ["invoke_agent", "create_agent", "execute_tool", "invoke_workflow", "retrieval", ""])
def test_other_operations_do_not_count(name: str) -> None:
    assert counted(operation(name, FIRST)) == []


def test_the_usage_of_an_agent_is_not_counted_a_second_time() -> None:
    spans = [
        span({"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 20}, span_id=AGENT),
        operation("chat", FIRST, AGENT),
        operation("execute_tool", TOOL, AGENT),
        operation("chat", SECOND, AGENT),
    ]
    drafts, reasons = drafted(spans)
    assert (sum(one.row["input_tokens"] for one in drafts), reasons) == (20, [])


def test_of_nested_calls_only_the_innermost_counts() -> None:
    http = span({"gen_ai.operation.name": None, "http.request.method": "POST"}, span_id=TOOL, parent_id=FIRST)
    assert counted(operation("chat", INNER, TOOL), http, operation("chat", FIRST), operation("chat", SECOND)) == [
        INNER,
        SECOND,
    ]


def test_a_parent_of_another_trace_with_the_same_id_still_counts() -> None:
    assert counted(operation("chat", INNER, FIRST), operation("chat", FIRST, trace_id=OTHER_TRACE)) == [INNER, FIRST]


def test_spans_that_are_each_others_parents_end_the_walk() -> None:
    assert counted(operation("chat", FIRST, SECOND), operation("chat", SECOND, FIRST)) == []


@pytest.mark.parametrize(
    ("attributes", "counts"),
    [
        ({"openinference.span.kind": "LLM"}, True),
        ({"openinference.span.kind": "EMBEDDING"}, True),
        ({"openinference.span.kind": "CHAIN", "llm.token_count.prompt": 3}, False),
        ({"openinference.span.kind": "AGENT", "llm.model_name": "m"}, False),
        ({"llm.model_name": "m"}, True),
        ({"gen_ai.request.model": "m"}, True),
        ({"traceloop.span.kind": "workflow", "gen_ai.request.model": "m"}, False),
        ({"llm.request.type": "chat"}, True),
        ({"llm.request.type": "rerank", "gen_ai.request.model": "m"}, False),
        ({"gen_ai.operation.name": ["chat"]}, False),
        ({"gen_ai.operation.name": "execute_tool", "llm.model_name": "m"}, False),
        ({"http.request.method": "POST"}, False),
        ({}, False),
    ],
)
def test_every_convention_says_what_a_call_is(attributes: dict[str, Any], counts: bool) -> None:
    assert is_call(attributes) is counts
