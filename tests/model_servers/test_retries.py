"""Calls with several attempts: what may pass is tried again, after a pause; what is refused is not."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from relcontrol.model_servers import retries
from relcontrol.model_servers.calls import Calls
from relcontrol.model_servers.client import Answer, answer, seconds_to_wait
from relcontrol.model_servers.retries import may_pass, pause_before_retry
from tests.model_servers.sequences import USAGE, Sequences, completion, sequences

BODY = {"model": "m", "messages": [{"role": "user", "content": "?"}]}
AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[Sequences]:
    with sequences() as found:
        yield found


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_PAUSE", 0.001)


def asked(server: Sequences, *answers: Any, attempts: int = 4, seconds: float = 10.0) -> Answer:
    """One call to a server that answers so, one after the other, and then well."""
    with Calls(time_limit=seconds, attempts=attempts, seed=1) as calls:
        return calls.ask(server.answering(*answers), "", BODY).result(timeout=20)


@pytest.mark.parametrize("fault", [429, 500, 503, "closes", "breaks-off", "no-completion"])
def test_what_may_pass_is_tried_again(server: Sequences, fault: Any) -> None:
    found = asked(server, fault, fault)
    assert (found.error, found.attempts) == (None, 3)
    assert len(server.asked()) == 3


def test_a_server_that_hangs_is_asked_again_after_its_time(server: Sequences) -> None:
    found = asked(server, "hangs", seconds=0.2)
    assert (found.error, found.attempts) == (None, 2)


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_what_is_refused_is_not_tried_again(server: Sequences, status: int) -> None:
    found = asked(server, status)
    assert (found.output, found.status, found.attempts) == (None, status, 1)
    assert len(server.asked()) == 1


def test_attempts_have_an_end_and_the_last_answer_counts(server: Sequences) -> None:
    found = asked(server, 500, 500, 429, attempts=3)
    assert (found.output, found.status, found.error, found.attempts) == (None, 429, "upstream_4xx", 3)
    assert len(server.asked()) == 3


def test_without_more_said_there_is_one_attempt(server: Sequences) -> None:
    with Calls(time_limit=10) as calls:
        found = calls.ask(server.answering(500), "", BODY).result(timeout=20)
    assert (found.status, found.attempts) == (500, 1)


def test_each_attempt_after_the_first_says_its_number(server: Sequences) -> None:
    asked(server, 500, 500)
    assert [headers.get("X-Relcontrol-Attempt") for headers in server.asked()] == [None, "2", "3"]


def test_tokens_of_an_attempt_that_gave_nothing_are_billed_and_are_not_the_answers(server: Sequences) -> None:
    found = asked(server, "no-completion")
    assert (found.input_tokens, found.output_tokens) == USAGE
    assert found.billed == (2 * USAGE[0], 2 * USAGE[1])


def test_another_time_limit_may_hold_for_one_call(server: Sequences) -> None:
    with Calls(time_limit=30) as calls:
        found = calls.ask(server.answering("hangs"), "", BODY, time_limit=0.1).result(timeout=10)
    assert found.error == "timeout"


def test_what_is_in_flight_is_given_up_when_the_calls_are_left(server: Sequences) -> None:
    with Calls(time_limit=30, attempts=5) as calls:
        hanging = calls.ask(server.answering(*["hangs"] * 5), "", BODY)
        assert server.arrived.wait(10)
    assert hanging.cancelled()
    assert not [thread for thread in threading.enumerate() if thread.name == "model-calls"]


def test_a_call_that_is_cancelled_in_its_pause_makes_no_further_attempt(
    server: Sequences, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "FIRST_PAUSE", 30.0)
    with Calls(time_limit=30, attempts=5) as calls:
        waiting = calls.ask(server.answering(500, 500), "", BODY)
        assert server.arrived.wait(10)
    assert waiting.cancelled()
    assert len(server.asked()) == 1


def test_the_server_says_which_model_answered(server: Sequences) -> None:
    assert asyncio.run(answer(server.answering(), "", BODY, 10)).model == "m-2026-01-01"
    assert asyncio.run(answer(server.answering(completion(model=7)), "", BODY, 10)).model is None


def test_how_long_a_server_wants_to_be_left_alone_is_kept(server: Sequences) -> None:
    assert asyncio.run(answer(server.answering((429, "7")), "", BODY, 10)).retry_after_s == 7
    assert asyncio.run(answer(server.answering(429), "", BODY, 10)).retry_after_s is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("12", 12),
        ("Sat, 21 Nov 2026 12:00:30 GMT", 30),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0),
        ("soon", None),
        ("", None),
        ("-1", None),
        ("٣", None),
        ("9" * 400, 999_999_999),
    ],
)
def test_a_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    assert seconds_to_wait(text, AT) == seconds


def test_a_date_without_a_zone_is_one_of_utc() -> None:
    assert seconds_to_wait("Sat, 21 Nov 2026 12:00:30 -0000", AT) == timedelta(seconds=30).total_seconds()


CHANCE = Random(3)  # noqa: S311 - spreads pauses, guards nothing


def failed(**members: Any) -> Answer:
    return Answer(None, members.pop("status", 500), members.pop("error", "upstream_5xx"), None, 1.0, **members)


def test_pauses_double_up_to_a_limit_and_are_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_PAUSE", 0.5)
    for attempt, longest in ((1, 0.5), (2, 1.0), (3, 2.0), (9, 8.0)):
        found = [pause_before_retry(failed(), attempt, CHANCE) for _ in range(50)]
        assert longest / 2 <= min(found) < max(found) <= longest
        assert len(set(found)) > 40


@pytest.mark.parametrize(("wish", "least", "most"), [(3.0, 3.0, 3.0), (300.0, 30.0, 30.0), (0.0, 0.0, 0.001)])
def test_a_servers_wish_counts_up_to_half_a_minute(wish: float, least: float, most: float) -> None:
    assert least <= pause_before_retry(failed(status=429, retry_after_s=wish), 1, CHANCE) <= most


def test_an_answer_is_not_asked_for_again() -> None:
    assert not may_pass(Answer({"content": "Yes."}, 200, None, None, 1.0))
