"""How the edge hears of new generations: one connection that LISTENs, and a poll each second as the safety net.

After every reconnect all positions are read again, because what was notified meanwhile is lost (gateway.md).
"""

import asyncio
import logging
from collections.abc import Sequence
from time import monotonic
from typing import Final

import psycopg
from django.db import DatabaseError, InterfaceError

from audit.administration.routing import CHANNEL
from relcontrol.accounts.models import RoutingState
from relcontrol.errors import TooManyRequests
from releases.edge.database import listening_address
from releases.edge.generations import Generations, Position
from releases.edge.metrics import LISTENING
from releases.edge.threads import Threads
from releases.routing.document import FIRST

POLL_SECONDS: Final = 1.0
QUIET_SECONDS: Final = 10.0  # without a notification, the connection is asked whether it is still there
NAME: Final = "relcontrol edge, listening"
FIRST_PAUSE: Final = 0.05
LONGEST_PAUSE: Final = 2.0

logger = logging.getLogger(__name__)


class Listener:
    """Publishes positions into `generations` for as long as `run` runs."""

    def __init__(self, generations: Generations, threads: Threads) -> None:
        self._generations = generations
        self._threads = threads
        self._heard: set[str] = set()
        self._wake = asyncio.Event()
        self._next_poll = 0.0
        self.listening = False

    async def run(self) -> None:
        """Until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen())
            group.create_task(self._read())

    async def _listen(self) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                await self._hear()
            except (psycopg.Error, OSError, TimeoutError) as error:
                if self.listening:
                    logger.warning("the listening connection is lost: %s", str(error).partition("\n")[0])
                    pause = FIRST_PAUSE
                self._say(listening=False)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _hear(self) -> None:
        address = listening_address() | {"application_name": NAME}
        async with await psycopg.AsyncConnection.connect(**address, autocommit=True) as connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            self._say(listening=True)
            self._read_all()
            while True:
                async for notification in connection.notifies(timeout=QUIET_SECONDS):
                    self._heard.add(notification.payload)
                    self._wake.set()
                async with asyncio.timeout(QUIET_SECONDS):
                    await connection.execute("SELECT 1")

    def _say(self, *, listening: bool) -> None:
        self.listening = listening
        LISTENING.set(listening)

    def _read_all(self) -> None:
        self._next_poll = 0.0
        self._wake.set()

    async def _read(self) -> None:
        """The only reader: what it publishes is in the order in which it was read."""
        while True:
            try:
                async with asyncio.timeout(max(0.0, self._next_poll - monotonic())):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            await self._publish(self._wanted())

    def _wanted(self) -> list[str]:
        """Everything once a second, else only what was heard of and somebody wants to know."""
        heard, self._heard = self._heard, set()
        interesting = self._generations.interesting()
        if monotonic() < self._next_poll:
            return [organization for organization in interesting if organization in heard]
        self._next_poll = monotonic() + POLL_SECONDS
        return interesting

    async def _publish(self, organizations: Sequence[str]) -> None:
        if not organizations:
            return
        read_at = monotonic()
        try:
            self._generations.publish(await self._threads.run(positions_of, organizations), read_at)
        except (DatabaseError, InterfaceError, TooManyRequests) as error:
            logger.warning("the generations cannot be read: %s", str(error).partition("\n")[0])


def positions_of(organizations: Sequence[str]) -> dict[str, Position]:
    """(epoch, generation) of these organizations, in one query; those without a change stand at the first one."""
    rows = RoutingState.objects.filter(organization__in=organizations)
    changed = {pk: (epoch, generation) for pk, epoch, generation in rows.values_list("pk", "epoch", "generation")}
    return dict.fromkeys(organizations, FIRST) | changed
