"""When reports are written: heartbeats once a second, acknowledgements at once, both many in one statement.

What cannot be written is kept and tried again: the newest report of each replica, so that nothing grows.
"""

import asyncio
import logging
from typing import Final

from django.db import DatabaseError, InterfaceError, OperationalError

from relcontrol.errors import TooManyRequests
from releases.edge.report_rows import write
from releases.edge.reports import Report, merged
from releases.edge.threads import Threads

EVERY_SECONDS: Final = 1.0
MOST_REPLICAS: Final = 20_000

logger = logging.getLogger(__name__)


class Reporting:
    """Takes reports on the event loop and has them written by a thread."""

    def __init__(self, threads: Threads) -> None:
        self._threads = threads
        self._heartbeats: dict[tuple[str, str], Report] = {}
        self._acks: list[tuple[Report, asyncio.Future[None]]] = []
        self._wake = asyncio.Event()

    def heartbeat(self, report: Report) -> None:
        """Write it within a second."""
        if report.key not in self._heartbeats and len(self._heartbeats) >= MOST_REPLICAS:
            raise TooManyRequests("Too many replicas report to this process at once.", retry_after=1)
        self._keep([*filter(None, [self._heartbeats.get(report.key)]), report])

    async def acknowledge(self, report: Report) -> None:
        """Return once it is written; raises what the database raises."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._acks.append((report, done))
        self._wake.set()
        await done

    async def run(self) -> None:
        """Write until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._write_heartbeats())
            group.create_task(self._write_acks())

    async def flush(self) -> None:
        """Write the heartbeats that wait; what fails waits for the next time."""
        waiting, self._heartbeats = self._heartbeats, {}
        if not waiting:
            return
        try:
            await self._threads.run(write, list(waiting.values()))
        except (OperationalError, InterfaceError, TooManyRequests) as error:
            logger.warning("heartbeats of %d replicas wait: %s", len(waiting), str(error).partition("\n")[0])
            self._keep([*waiting.values(), *self._heartbeats.values()])
        except DatabaseError:  # trying again would fail again, and hold up all that comes later
            logger.exception("heartbeats of %d replicas cannot be written", len(waiting))

    def _keep(self, reports: list[Report]) -> None:
        self._heartbeats |= merged(reports)

    async def _write_heartbeats(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await self.flush()

    async def _write_acks(self) -> None:
        """While one batch is being written, the next one gathers."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            batch, self._acks = self._acks, []
            try:
                await self._threads.run(write, list(merged(report for report, _ in batch).values()))
            except (DatabaseError, InterfaceError, TooManyRequests) as error:
                _settle(batch, error)
            else:
                _settle(batch, None)


def _settle(batch: list[tuple[Report, asyncio.Future[None]]], error: Exception | None) -> None:
    for _, done in batch:
        if done.done():  # the one who asked went away
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
