"""One edge process: its threads, what it knows of callers and generations, and what runs beside the requests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.applications import Starlette
from starlette.requests import Request

from relcontrol.accounts.actors import Actor
from relcontrol.accounts.permissions import Permission
from releases.edge.callers import Callers
from releases.edge.database import bounded
from releases.edge.ending import told_of_the_end
from releases.edge.generations import Generations
from releases.edge.listening import Listener
from releases.edge.reporting import Reporting
from releases.edge.sharing import Shared
from releases.edge.threads import Threads
from releases.routing.snapshot import Signed


class Edge:
    """What the calls share. Traces have threads of their own, so that many of them hold up nothing else."""

    def __init__(self) -> None:
        self.threads = Threads("quick", threads=4, waiting=1_000)
        self.trace_threads = Threads("traces", threads=4, waiting=8)
        self.callers = Callers(self.threads)
        self.generations = Generations()
        self.snapshots: Shared[Signed] = Shared()
        self.listener = Listener(self.generations, self.threads)
        self.reporting = Reporting(self.threads)

    async def caller(self, request: Request, permission: Permission) -> Actor:
        """Who calls, if she may."""
        return await self.callers.caller(request.headers.get("authorization"), permission)

    async def run(self) -> None:
        """What runs beside the requests."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.listener.run())
            group.create_task(self.reporting.run())


def edge_of(request: Request) -> Edge:
    """The edge that answers this request."""
    edge: Edge = request.app.state.edge
    return edge


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Run beside the requests from the start to the end; the last heartbeats are written."""
    edge = app.state.edge = Edge()
    with bounded(), told_of_the_end(edge.generations.end):
        beside = asyncio.create_task(edge.run())
        try:
            yield
        finally:
            beside.cancel()
            with suppress(asyncio.CancelledError):
                await beside
            await edge.reporting.flush()
            edge.threads.close()
            edge.trace_threads.close()
