"""Each trace row arrives once, whatever the edge does meanwhile."""

import asyncio
from pathlib import Path

import pytest

from releases.gateway.control.options import (
    TRACES_DROPPED,
    TRACES_REJECTED,
    TRACES_REPLAYED,
    TRACES_SENT,
    TRACES_SPOOLED,
)
from releases.gateway.control.traces import TraceQueue
from tests.releases.gateway.control.fake_edge import FakeEdge, edge, row, running, soon, worker
from tests.releases.gateway.control.signed import payload


def ids(count: int) -> list[str]:
    return [str(row(number)["trace_id"]) for number in range(count)]


def spooled(folder: Path) -> int:
    return len(list((folder / "spool").glob("*.batch*")))


def test_rows_arrive_in_batches(tmp_path: Path) -> None:
    async def story() -> None:
        async with edge(payload(1)) as control, running(control.port, tmp_path) as gateway:
            for number in range(1_200):
                gateway.queue.put(row(number))
            await soon(lambda: len(control.rows) == 1_200, "all rows arrive")
            await soon(lambda: gateway.metrics.counts[TRACES_SENT] == 1_200, "all are counted")
            assert set(control.rows.values()) == {1}

    asyncio.run(story())


def test_rows_of_an_absence_are_spooled_and_arrive_once_when_the_edge_is_back(tmp_path: Path) -> None:
    async def story() -> None:
        async with edge(payload(1)) as control, running(control.port, tmp_path) as gateway:
            await soon(lambda: gateway.generation == 1, "the snapshot serves")
            await control.stop()
            for number in range(700):
                gateway.queue.put(row(number))
            await soon(lambda: gateway.metrics.counts[TRACES_SPOOLED] == 700, "they are on disk")
            assert gateway.queue.queued == 0
            await control.start()
            for number in range(700, 800):
                gateway.queue.put(row(number))
            await soon(lambda: sorted(control.rows) == ids(800), "all have arrived", seconds=30)
            await soon(lambda: spooled(tmp_path) == 0, "the spool is empty")
            assert set(control.rows.values()) == {1}
            assert gateway.metrics.counts[TRACES_REPLAYED] >= 700
            assert gateway.queue.dropped == 0

    asyncio.run(story())


def test_rows_that_were_spooled_before_a_restart_arrive_after_it(tmp_path: Path) -> None:
    async def story() -> None:
        control = FakeEdge()
        async with edge() as gone:
            control.port = gone.port
        before = worker(control.port, tmp_path)
        for number in range(600):
            before.queue.put(row(number))
        await before.plane.drain(2)
        assert (before.queue.queued, spooled(tmp_path)) == (0, 2)
        await control.start()
        async with running(control.port, tmp_path):
            await soon(lambda: sorted(control.rows) == ids(600), "all have arrived")
        await control.stop()
        assert set(control.rows.values()) == {1}

    asyncio.run(story())


def test_two_workers_replay_one_spool_without_sending_a_row_twice(tmp_path: Path) -> None:
    async def story() -> None:
        before = worker(1, tmp_path)
        for number in range(5_000):
            before.queue.put(row(number))
        await before.plane.drain(2)
        async with edge(payload(1)) as control:
            async with running(control.port, tmp_path), running(control.port, tmp_path, replica="gw/2"):
                await soon(lambda: len(control.rows) == 5_000, "all have arrived")
            assert set(control.rows.values()) == {1}

    asyncio.run(story())


def test_draining_sends_what_is_queued_and_ends_the_tasks(tmp_path: Path) -> None:
    async def story() -> None:
        async with edge(payload(1)) as control, running(control.port, tmp_path) as gateway:
            await soon(lambda: gateway.generation == 1, "the snapshot serves")
            for number in range(50):
                gateway.queue.put(row(number))
            await gateway.plane.drain(10)
            assert sorted(control.rows) == ids(50)
            await asyncio.wait_for(gateway.running, 5)

    asyncio.run(story())


def test_draining_ends_in_time_when_the_edge_hangs_and_nothing_is_lost(tmp_path: Path) -> None:
    async def story() -> None:
        async with edge(payload(1)) as control, running(control.port, tmp_path) as gateway:
            await soon(lambda: gateway.generation == 1, "the snapshot serves")
            control.hold_traces = asyncio.Event()
            for number in range(1_100):
                gateway.queue.put(row(number))
            await asyncio.wait_for(gateway.plane.drain(0.3), 5)
            await asyncio.wait_for(gateway.running, 5)
            assert gateway.queue.queued == 0
            control.hold_traces = None
            control.rows.clear()
            async with running(control.port, tmp_path):
                await soon(lambda: sorted(control.rows) == ids(1_100), "all arrive after the restart")

    asyncio.run(story())


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_batch_that_is_refused_for_good_is_dropped_and_counted(tmp_path: Path, status: int) -> None:
    async def story() -> None:
        async with edge(payload(1)) as control, running(control.port, tmp_path) as gateway:
            control.trace_answers.append((status, {"title": "no"}))
            gateway.queue.put(row(0))
            await soon(lambda: gateway.metrics.counts[TRACES_DROPPED] == 1, "it is counted")
            gateway.queue.put(row(1))
            await soon(lambda: list(control.rows) == [row(1)["trace_id"]], "the next one arrives")
            assert (spooled(tmp_path), gateway.queue.dropped) == (0, 1)

    asyncio.run(story())


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503, 302])
def test_a_batch_that_is_refused_for_now_arrives_later(tmp_path: Path, status: int) -> None:
    async def story() -> None:
        async with edge(payload(1)) as control, running(control.port, tmp_path) as gateway:
            control.trace_answers.extend([(status, {"title": "not now"})] * 4)
            gateway.queue.put(row(0))
            await soon(lambda: control.rows[str(row(0)["trace_id"])] == 1, "it arrives", seconds=30)
            assert not control.trace_answers
            assert gateway.queue.dropped == 0

    asyncio.run(story())


def test_a_batch_on_which_the_edge_fails_does_not_keep_others_back(tmp_path: Path) -> None:
    poison = str(row(0)["trace_id"])

    async def story() -> None:
        async with edge(payload(1)) as control, running(control.port, tmp_path) as gateway:
            control.fails_on = poison
            gateway.queue.put(row(0))
            await soon(lambda: gateway.metrics.counts[TRACES_SPOOLED] == 1, "it is spooled")
            for number in range(1, 5):
                gateway.queue.put(row(number))
                await soon(lambda n=number: control.rows[str(row(n)["trace_id"])] == 1, "others arrive")  # type: ignore[misc]
            assert spooled(tmp_path) == 1
            control.fails_on = ""
            await soon(lambda: control.rows[poison] == 1, "mended, the edge takes it as well")

    asyncio.run(story())


@pytest.mark.parametrize("answer", ["<html>welcome to the hotel</html>", {}, [], {"rejected": 3}])
def test_a_200_that_is_no_answer_of_an_edge_has_not_taken_the_rows(tmp_path: Path, answer: object) -> None:
    async def story() -> None:
        async with edge(payload(1)) as control, running(control.port, tmp_path) as gateway:
            control.trace_answers.append((200, answer))
            gateway.queue.put(row(0))
            await soon(lambda: control.rows[str(row(0)["trace_id"])] == 1, "it arrives")

    asyncio.run(story())


def test_rows_that_the_edge_rejects_are_counted_by_why(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rejected = [{"row": 0, "code": "too_old", "detail": "…"}]

    async def story() -> None:
        async with edge(payload(1)) as control, running(control.port, tmp_path) as gateway:
            control.trace_answers.append((200, {"accepted": 1, "rejected": rejected}))
            gateway.queue.put(row(0))
            gateway.queue.put(row(1))
            await soon(lambda: gateway.metrics.counts[TRACES_REJECTED] == 1, "it is counted")
            assert gateway.metrics.counts[TRACES_SENT] == 1

    asyncio.run(story())
    assert "'too_old': 1" in caplog.text


def test_a_queue_that_overflows_while_the_edge_hangs_counts_what_it_drops(tmp_path: Path) -> None:
    async def story() -> None:
        async with edge(payload(1)) as control:
            queue = TraceQueue(max_rows=100)
            async with running(control.port, tmp_path, queue=queue) as gateway:
                control.hold_traces = asyncio.Event()
                taken = [queue.put(row(number)) for number in range(1_100)]
                assert taken.count(False) == 1_000
                control.hold_traces.set()
                await soon(lambda: gateway.metrics.counts[TRACES_DROPPED] == 1_000, "they are counted")
                await soon(lambda: len(control.rows) == 100, "the others arrive")

    asyncio.run(story())


def test_a_disk_that_takes_nothing_loses_rows_by_count_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_given: object) -> None:
        raise OSError(28, "No space left on device")

    async def story() -> None:
        async with edge(payload(1)) as control, running(control.port, tmp_path) as gateway:
            await soon(lambda: gateway.generation == 1, "the snapshot serves")
            await control.stop()
            monkeypatch.setattr("releases.gateway.control.spool.write_private", full)
            gateway.queue.put(row(0))
            await soon(lambda: gateway.metrics.counts[TRACES_DROPPED] == 1, "it is counted")
            for number in (1, 2):
                gateway.queue.put(row(number))
            await soon(lambda: gateway.metrics.counts[TRACES_DROPPED] == 3, "and so are the next ones")
            await control.start()
            gateway.queue.put(row(3))
            await soon(lambda: control.rows[str(row(3)["trace_id"])] == 1, "the next one arrives")

    asyncio.run(story())
    assert caplog.text.count("the disk takes nothing") == 1  # a log on the same disk
