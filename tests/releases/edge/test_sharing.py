"""Work that several ask for at once is done once."""

import asyncio

import pytest

from releases.edge.sharing import Shared


class Work:
    """Counts how often it is done; is done when it is told to be."""

    def __init__(self) -> None:
        self.done = 0
        self.go = asyncio.Event()

    async def __call__(self) -> int:
        await self.go.wait()
        self.done += 1
        return self.done


def test_those_who_ask_at_once_get_one_answer_and_later_ones_another() -> None:
    async def story() -> tuple[list[int], int]:
        shared, work = Shared[int](), Work()
        together = [asyncio.create_task(shared.answer("key", work)) for _ in range(10)]
        await asyncio.sleep(0)
        work.go.set()
        return await asyncio.gather(*together), await shared.answer("key", work)

    assert asyncio.run(story()) == ([1] * 10, 2)


def test_another_key_is_other_work() -> None:
    async def story() -> list[int]:
        shared, work = Shared[int](), Work()
        work.go.set()
        return await asyncio.gather(*(shared.answer(key, work) for key in range(3)))

    assert sorted(asyncio.run(story())) == [1, 2, 3]


def test_a_failure_is_everybodys_and_is_not_kept() -> None:
    async def fail() -> int:
        raise ValueError("no database")

    async def story() -> tuple[list[int | BaseException], int]:
        shared, work = Shared[int](), Work()
        work.go.set()
        failed = await asyncio.gather(*(shared.answer("key", fail) for _ in range(2)), return_exceptions=True)
        return failed, await shared.answer("key", work)

    failed, after = asyncio.run(story())
    assert [str(error) for error in failed] == ["no database"] * 2
    assert after == 1


def test_who_goes_away_takes_nothing_from_the_others() -> None:
    async def story() -> int:
        shared, work = Shared[int](), Work()
        first, second = (asyncio.create_task(shared.answer("key", work)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        work.go.set()
        return await second

    assert asyncio.run(story()) == 1
