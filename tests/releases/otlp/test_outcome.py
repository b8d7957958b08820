"""How a call ended, in the words of traces."""

from typing import Any

import pytest

from releases.otlp.span import Event
from releases.otlp.spans import draft
from tests.releases.otlp.made import START, span


def ended(attributes: dict[str, Any], **changes: Any) -> tuple[int | None, str | None]:
    """Status and error of the row of a span."""
    row = draft(span(attributes, **changes)).row
    return row["status"], row["error"]


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("timeout", "timeout"),
        ("openai.APITimeoutError", "timeout"),
        ("java.net.SocketTimeoutException", "timeout"),
        ("DEADLINE_EXCEEDED", "timeout"),
        ("openai.APIConnectionError", "connection_failed"),
        ("java.net.UnknownHostException", "connection_failed"),
        ("ECONNREFUSED", "connection_failed"),
        ("httpx.RemoteProtocolError", "stream_broken"),
        ("IncompleteRead", "stream_broken"),
        ("asyncio.CancelledError", "client_gone"),
        ("openai.RateLimitError", "upstream_4xx"),
        ("invalid_request_error", "upstream_4xx"),
        ("openai.AuthenticationError", "upstream_denied"),
        ("openai.NotFoundError", "upstream_denied"),
        ("openai.InternalServerError", "upstream_5xx"),
        ("_OTHER", "upstream_5xx"),
        ("server overloaded", "upstream_5xx"),
    ],
)
def test_the_type_of_an_error_is_one_of_our_words(kind: str, word: str) -> None:
    assert ended({"error.type": kind}, failed=True) == (None, word)


@pytest.mark.parametrize(
    ("attributes", "end"),
    [
        ({"error.type": "500"}, (500, "upstream_5xx")),
        ({"error.type": "429"}, (429, "upstream_4xx")),
        ({"http.response.status_code": 503, "error.type": "timeout"}, (503, "upstream_5xx")),
        ({"http.status_code": 404}, (404, "upstream_denied")),
        ({"http.response.status_code": 200}, (200, None)),
        ({"http.response.status_code": 7}, (None, None)),
        ({}, (None, None)),
    ],
)
def test_a_status_code_says_more_than_words(attributes: dict[str, Any], end: tuple[int | None, str | None]) -> None:
    assert ended(attributes) == end


def test_a_failed_span_is_told_by_its_exception() -> None:
    thrown = Event("exception", START, {"exception.type": "httpx.ConnectError"})
    assert ended({}, failed=True, events=[thrown]) == (None, "connection_failed")


def test_a_failed_span_that_says_no_more_counts_against_the_release() -> None:
    assert ended({}, failed=True) == (None, "upstream_5xx")


def test_an_exception_that_was_handled_is_no_error() -> None:
    thrown = Event("exception", START, {"exception.type": "httpx.ConnectError"})
    assert ended({}, events=[thrown]) == (None, None)
