"""The queue between requests and the sender: bounded, and never in the way."""

import asyncio
import gzip
import json
import math
import time
from typing import Any

import pytest

from releases.gateway.control.in_flight import InFlight
from releases.gateway.control.traces import BATCH_ROWS, TraceQueue, packed
from tests.releases.gateway.control.fake_edge import row


def test_a_thousand_rows_over_the_bound_are_dropped_and_counted() -> None:
    queue = TraceQueue(max_rows=500)

    taken = [queue.put(row(number)) for number in range(1_500)]

    assert taken == [True] * 500 + [False] * 1_000
    assert (queue.queued, queue.dropped) == (500, 1_000)


def test_the_bound_in_bytes_counts_what_is_really_held_and_room_comes_back() -> None:
    size = len(json.dumps(row(1), separators=(",", ":")))
    queue = TraceQueue(max_bytes=2 * size)

    assert [queue.put(row(number)) for number in (1, 2, 3)] == [True, True, False]
    queue.take()
    assert queue.put(row(4))


@pytest.mark.parametrize("value", [object(), math.nan, {1, 2}, b"bytes"])
def test_a_row_that_is_no_json_is_dropped_and_counted(value: Any, caplog: pytest.LogCaptureFixture) -> None:
    queue = TraceQueue()

    assert not queue.put({"input": value, "subject": "the secret prompt"})
    assert queue.dropped == 1
    assert "secret" not in caplog.text


def test_half_a_surrogate_pair_of_a_client_is_kept_as_it_came() -> None:
    queue = TraceQueue()
    queue.put({"input": "\ud83d"})

    batch = packed(queue.take())

    assert json.loads(gzip.decompress(batch.body)) == {"traces": [{"input": "\ud83d"}]}


def test_a_batch_has_at_most_five_hundred_rows_oldest_first() -> None:
    queue = TraceQueue()
    for number in range(BATCH_ROWS + 1):
        queue.put(row(number))

    first, second = queue.take(), queue.take()

    assert (len(first), len(second), queue.take()) == (BATCH_ROWS, 1, [])
    assert json.loads(first[0])["trace_id"] == row(0)["trace_id"]


def test_a_full_batch_is_not_waited_for() -> None:
    queue = TraceQueue()
    for number in range(BATCH_ROWS):
        queue.put(row(number))

    started = time.monotonic()
    asyncio.run(queue.wait(60))

    assert time.monotonic() - started < 30


def test_a_large_row_is_a_batch_of_its_own() -> None:
    queue = TraceQueue()
    for _ in range(2):
        queue.put({"input": "x" * 9_000_000})

    assert len(queue.take()) == 1
    assert queue.queued == 1


def test_requests_in_flight_are_counted_by_release_until_the_last_one_ends() -> None:
    flights = InFlight()
    flights.begin("a")
    flights.begin("a")
    flights.begin("b")
    flights.end("a")
    flights.end("b")

    assert flights.counts() == {"a": 1}


def test_an_end_without_a_begin_is_an_error_and_counts_nothing() -> None:
    flights = InFlight()

    with pytest.raises(ValueError, match="each end needs its begin"):
        flights.end("a")
    assert flights.counts() == {}
