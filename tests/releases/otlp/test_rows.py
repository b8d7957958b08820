"""What a row says of a span: identity, times, the request, usage, and everything that relcontrol is told."""

import json
from typing import Any

import pytest

from releases.otlp.receiving import drafted
from releases.otlp.span import Event
from releases.otlp.spans import UnusableSpanError, draft
from tests.releases.otlp.made import CHAT, END, SPAN, START, STARTED_AT, TRACE, numbered, span

MILLISECOND = 1_000_000


def row(attributes: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """The row of a chat with these attributes."""
    return draft(span(attributes, **changes)).row


def test_a_typical_chat_becomes_a_whole_row() -> None:
    made = row(CHAT)
    assert made == {
        "trace_id": "f8a339231ec22d91820b621c64ba90ed",
        "started_at": STARTED_AT,
        "request_id": "chatcmpl-1",
        "release": None,
        "route": None,
        "rollout": None,
        "arm": None,
        "generation": None,
        "subject": "conversation-7",
        "input": {
            "messages": [{"role": "user", "content": "May affiliates use the licence? " * 8}],
            "model": "gemma-4",
            "temperature": 0.2,
        },
        "output": {"content": "They may, where the grant says so. " * 8, "finish_reason": "stop"},
        "status": None,
        "error": None,
        "ttft_ms": None,
        "latency_ms": 812.5,
        "input_tokens": 310,
        "output_tokens": 120,
        "metadata": {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "otel.trace_id": TRACE,
            "otel.span_id": SPAN,
        },
        "fingerprint": None,
        "model": "gemma-4-e2b",
        "replica": None,
    }


def test_two_calls_of_one_trace_are_two_rows() -> None:
    assert row(span_id=numbered(1))["trace_id"] != row(span_id=numbered(2))["trace_id"]


def test_the_same_span_is_the_same_row_whatever_else_it_says() -> None:
    first, again = row(), row({"gen_ai.usage.input_tokens": 7})
    assert (first["trace_id"], first["started_at"]) == (again["trace_id"], again["started_at"])


def test_what_relcontrol_is_told_is_taken_as_told() -> None:
    told = {
        "relcontrol.route": "rte_1",
        "relcontrol.rollout": "rol_1",
        "relcontrol.arm": "candidate",
        "relcontrol.generation": 42,
        "relcontrol.subject": "anna",
        "relcontrol.request_id": "req-1",
        "relcontrol.fingerprint": "f" * 64,
        "session.id": "another subject",
        "gen_ai.response.id": "another request",
    }
    made = row(told)
    taken = {name: made[name] for name in ("route", "rollout", "arm", "generation", "subject", "request_id")}
    assert taken == {
        "route": "rte_1",
        "rollout": "rol_1",
        "arm": "candidate",
        "generation": 42,
        "subject": "anna",
        "request_id": "req-1",
    }
    assert made["fingerprint"] == "f" * 64


@pytest.mark.parametrize(
    ("attributes", "subject"),
    [
        ({"gen_ai.conversation.id": "c", "session.id": "s", "user.id": "u"}, "c"),
        ({"session.id": "s", "enduser.id": "e"}, "s"),
        ({"enduser.id": "e", "user.id": "u"}, "e"),
        ({"user.id": 17}, "17"),
        ({"session.id": ""}, TRACE),
        ({}, TRACE),
    ],
)
def test_the_subject_is_the_strongest_name_there_is(attributes: dict[str, Any], subject: str) -> None:
    assert row(attributes)["subject"] == subject


@pytest.mark.parametrize(
    ("attributes", "tokens"),
    [
        ({"gen_ai.usage.input_tokens": 3, "gen_ai.usage.output_tokens": 4}, (3, 4)),
        ({"gen_ai.usage.prompt_tokens": 3, "gen_ai.usage.completion_tokens": 4}, (3, 4)),
        ({"llm.token_count.prompt": 3, "llm.token_count.completion": 4}, (3, 4)),
        ({"gen_ai.usage.input_tokens": "3", "gen_ai.usage.output_tokens": 4.0}, (3, 4)),
        ({"gen_ai.usage.input_tokens": 3, "gen_ai.usage.prompt_tokens": 9}, (3, None)),
        ({"gen_ai.usage.input_tokens": "many"}, (None, None)),
    ],
)
def test_usage_is_read_by_every_name(attributes: dict[str, Any], tokens: tuple[int | None, int | None]) -> None:
    made = row(attributes)
    assert (made["input_tokens"], made["output_tokens"]) == tokens


@pytest.mark.parametrize(
    ("attributes", "model"),
    [
        ({"gen_ai.request.model": "asked", "gen_ai.response.model": "answered"}, "answered"),
        ({"gen_ai.request.model": "asked"}, "asked"),
        ({"llm.model_name": "named"}, "named"),
        ({"gen_ai.response.model": "m" * 400}, "m" * 300),
    ],
)
def test_the_model_is_the_one_that_answered(attributes: dict[str, Any], model: str) -> None:
    assert row(attributes)["model"] == model


@pytest.mark.parametrize("name", ["gen_ai.response.time_to_first_chunk", "gen_ai.server.time_to_first_token"])
def test_the_time_to_the_first_token_comes_in_seconds(name: str) -> None:
    assert row({name: 0.25})["ttft_ms"] == 250


def test_the_time_to_the_first_token_may_be_an_event() -> None:
    chunks = [Event("gen_ai.content.completion.chunk", START + at * MILLISECOND, {}) for at in (320, 300, 340)]
    assert row(events=chunks)["ttft_ms"] == 300


def test_an_event_before_the_start_is_no_first_token() -> None:
    assert row(events=[Event("gen_ai.first_token", START - 1, {})])["ttft_ms"] is None


def test_a_span_that_ends_before_it_starts_has_no_latency() -> None:
    assert row(end=START - 1)["latency_ms"] is None


def test_metadata_is_what_slices_may_match() -> None:
    made = row({"relcontrol.metadata.topic": "ip", "metadata": json.dumps({"tier": "pro"}), "service.name": "qa"})
    assert made["metadata"] | {"topic": "ip", "tier": "pro", "service.name": "qa"} == made["metadata"]


def test_a_request_id_that_is_too_long_gives_way_to_the_span() -> None:
    assert row({"gen_ai.response.id": "x" * 101})["request_id"] == f"{TRACE}-{SPAN}"


def test_the_release_that_is_told_and_those_that_may_be_meant_are_kept_apart() -> None:
    made = draft(span({"relcontrol.release": "r1", "service.version": "r2", "feature_flag.result.variant": "r3"}))
    assert (made.release, made.guesses, made.row["release"]) == ("r1", ["r2", "r3"], None)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"trace_id": "0" * 32}, "traceId"),
        ({"trace_id": "abc"}, "traceId"),
        ({"trace_id": "g" * 32}, "traceId"),
        ({"span_id": ""}, "spanId"),
        ({"span_id": "0" * 16}, "spanId"),
        ({"start": 0}, "times"),
        ({"start": 2**64}, "times"),
        ({"end": -1}, "times"),
    ],
)
def test_a_span_without_right_ids_and_times_is_no_row(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UnusableSpanError, match=said):
        draft(span(**changes))


def test_a_wrong_span_costs_nobody_else_the_row() -> None:
    drafts, reasons = drafted([span(span_id=numbered(1)), span(start=0), span(span_id=numbered(2))])
    assert (len(drafts), len(reasons)) == (2, 1)


def test_the_last_nanosecond_of_the_format_is_a_time() -> None:
    assert row(start=2**64 - 1, end=END)["started_at"] == "2554-07-21T23:34:33.709551Z"
