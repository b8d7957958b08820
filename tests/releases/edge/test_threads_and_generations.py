"""What the calls share: bounded threads, and positions with those who wait for them."""

import asyncio
import threading

import pytest

from relcontrol.errors import TooManyRequests
from releases.edge.generations import FRESH_SECONDS, Generations
from releases.edge.threads import Threads


class Clock:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def test_more_work_than_there_is_room_for_is_asked_to_come_again() -> None:
    async def scene() -> None:
        threads, held = Threads("test", threads=1, waiting=1), threading.Event()
        running = [asyncio.create_task(threads.run(held.wait, 20)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(TooManyRequests) as refused:
            await threads.run(held.wait)
        assert refused.value.retry_after == 1
        held.set()
        assert await asyncio.gather(*running) == [True, True]
        assert await threads.run(int, "7") == 7
        threads.close()
        assert threads.taken == 0

    asyncio.run(scene())


def test_work_whose_request_went_away_keeps_its_place_until_it_ends() -> None:
    async def scene() -> None:
        threads, held, begun = Threads("test", threads=1, waiting=0), threading.Event(), threading.Event()

        def work() -> None:
            begun.set()
            held.wait(20)

        running = asyncio.create_task(threads.run(work))
        await asyncio.to_thread(begun.wait, 20)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert threads.taken == 1
        held.set()
        threads.close()
        assert threads.taken == 0

    asyncio.run(scene())


def test_a_watch_hears_each_change_once_and_the_end() -> None:
    async def scene() -> None:
        generations = Generations()
        generations.fresh("org")
        generations.publish({"org": (1, 1)}, 0)
        with generations.watch("org") as watch:
            assert await watch.next(20) == (1, 1)
            generations.publish({"org": (1, 1)}, 0)
            assert await watch.next(0) is None
            waiting = asyncio.create_task(watch.next(20))
            await asyncio.sleep(0)
            generations.publish({"org": (1, 2), "other": (1, 9)}, 0)
            assert await waiting == (1, 2)
            generations.end()
            assert await watch.next(20) is None
            assert watch.ended
        with generations.watch("org") as late:
            assert late.ended

    asyncio.run(scene())


def test_what_was_read_a_while_ago_is_not_fresh() -> None:
    clock = Clock()
    generations = Generations(clock)
    generations.publish({"org": (1, 1)}, clock())
    assert generations.fresh("org") == (1, 1)
    clock.at += FRESH_SECONDS + 0.1
    assert generations.fresh("org") is None


def test_an_organization_that_nobody_asks_for_any_more_is_not_read_any_more() -> None:
    clock = Clock()
    generations = Generations(clock)
    generations.fresh("asked")
    with generations.watch("watched"):
        assert generations.interesting() == ["asked", "watched"]
        clock.at += 61
        assert generations.interesting() == ["watched"]
    assert generations.interesting() == []
