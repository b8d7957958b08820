"""When what serves gets to the disk: not within the change itself, once for many changes, and always at the end."""

import asyncio
from pathlib import Path

from releases.gateway.control.disk import LastGood
from releases.gateway.control.keeping import Keeper
from releases.gateway.control.snapshot import Snapshot
from tests.releases.gateway.control import signed
from tests.releases.gateway.control.fake_edge import edge, running, soon
from tests.releases.gateway.control.signed import payload

NEVER_S = 3_600.0


class Counted(LastGood):
    """A folder that notes what it is asked to keep."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.stored: list[int] = []

    def store(self, envelope: bytes, snapshot: Snapshot) -> bool:
        self.stored.append(snapshot.generation)
        return super().store(envelope, snapshot)


def keep(keeper: Keeper, generation: int) -> None:
    keeper.keep(signed.envelope(payload(generation)), signed.snapshot(generation))


def test_of_snapshots_that_follow_each_other_quickly_only_the_last_is_written(tmp_path: Path) -> None:
    disk = Counted(tmp_path)

    async def story() -> None:
        keeper = Keeper(disk, after_s=0.01)
        for generation in (1, 2, 3):
            keep(keeper, generation)
        assert disk.stored == []
        await soon(disk.held, "it is on disk")
        keep(keeper, 4)
        await soon(lambda: len(disk.stored) > 1, "so is a later one")

    asyncio.run(story())
    assert disk.stored == [3, 4]


def test_at_the_end_nothing_waits_any_more(tmp_path: Path) -> None:
    disk = Counted(tmp_path)

    async def story() -> None:
        keeper = Keeper(disk, after_s=NEVER_S)
        keep(keeper, 1)
        await keeper.flush()
        await keeper.flush()

    asyncio.run(story())
    assert disk.stored == [1]


def test_a_gateway_that_ends_right_after_a_change_has_kept_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with edge(payload(1)) as control, running(control.port, tmp_path) as gateway:
            await soon(lambda: control.watchers and gateway.generation == 1, "the first snapshot serves")
            await control.publish(payload(2))
            await soon(lambda: gateway.generation == 2, "the second serves")

    asyncio.run(story())
    held = LastGood(tmp_path).held()
    assert held is not None
    assert held.position == (1, 2)
