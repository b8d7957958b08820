"""With real transactions side by side each trace is counted exactly once, whoever commits, waits or dies."""

import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.db import connection

from releases.measuring import folding
from releases.measuring.folding import fold
from releases.rollout_models import MeasuredSubject, Measurement, Rollout
from tests.releases.measuring.rows import ENTERED, Row, new_rollout, write
from tests.releases.scene import scene
from tests.waiting import until

SECONDS = 60  # other databases of the same server hold the horizon back as long as their transactions run
WRITERS, BATCHES, BATCH = 4, 15, 7


@pytest.fixture
def rollout(transactional_db: None) -> Rollout:
    """A rollout that other connections see."""
    return new_rollout(scene())


@pytest.fixture
def session(transactional_db: None) -> Iterator[Any]:
    """Another connection, in a transaction of its own."""
    other = connection.copy()
    other.set_autocommit(False)
    yield other
    other.close()


_TICKS = count(1)


def _next_tick() -> datetime:
    """A time at which every fold is due."""
    return ENTERED + timedelta(seconds=10 * next(_TICKS))


def _until_counted(rollout: Rollout, wanted: int) -> Measurement:
    until(lambda: fold(rollout, _next_tick()).candidate_requests >= wanted, SECONDS, f"{wanted} requests are counted")
    return fold(rollout, _next_tick())


def test_an_older_transaction_that_commits_late_is_not_missed(rollout: Rollout, session: Any) -> None:
    write(rollout, [Row()], session=session)
    write(rollout, [Row()])
    assert fold(rollout, _next_tick()).candidate_requests == 0
    session.commit()
    assert _until_counted(rollout, 2).candidate_requests == 2


def test_a_killed_transaction_holds_nothing_up_and_counts_nothing(rollout: Rollout, session: Any) -> None:
    write(rollout, [Row()], session=session)
    write(rollout, [Row()])
    with socket.socket(fileno=os.dup(session.connection.pgconn.socket)) as line:
        line.shutdown(socket.SHUT_RDWR)
    assert _until_counted(rollout, 1).candidate_requests == 1


def test_a_fold_that_dies_leaves_everything_to_the_next_one(rollout: Rollout, monkeypatch: pytest.MonkeyPatch) -> None:
    write(rollout, [Row(subject=f"s{number}") for number in range(3)])
    with monkeypatch.context() as patch:
        patch.setattr(folding, "with_point", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            until(lambda: fold(rollout, _next_tick()), SECONDS, "a fold dies")
    assert not Measurement.objects.exists()
    assert not MeasuredSubject.objects.exists()
    made = _until_counted(rollout, 3)
    assert (made.candidate_requests, made.candidate_subjects) == (3, 3)


def test_writers_and_two_tickers_at_once_count_every_trace_once(rollout: Rollout) -> None:
    def writing(writer: int) -> None:
        try:
            for _ in range(BATCHES):
                write(rollout, [Row(subject=f"w{writer}-{number}") for number in range(BATCH)])
        finally:
            connection.close()

    def ticking(_: int) -> None:
        try:
            for _ in range(BATCHES):
                fold(rollout, _next_tick())
        finally:
            connection.close()

    with ThreadPoolExecutor(WRITERS + 2) as pool:
        done = [pool.submit(writing, number) for number in range(WRITERS)]
        done += [pool.submit(ticking, number) for number in range(2)]
        for each in done:
            each.result()
    made = _until_counted(rollout, WRITERS * BATCHES * BATCH)
    assert (made.candidate_requests, made.candidate_subjects) == (WRITERS * BATCHES * BATCH, WRITERS * BATCH)
