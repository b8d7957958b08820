"""uvicorn, which ends the event streams as soon as it is told to stop and then waits for the other requests."""

from socket import socket
from typing import Final

import uvicorn

from releases.edge.ending import end
from releases.edge.protocol import EdgeHttp

SECONDS_TO_DRAIN: Final = 5


class EdgeServer(uvicorn.Server):
    """A server of the edge."""

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """End the streams first: waiting for them would use up the whole time for draining."""
        end()
        await super().shutdown(sockets)


def configuration(host: str = "", port: int = 0) -> uvicorn.Config:
    """How the edge is served; a worker gets a socket instead of a place."""
    return uvicorn.Config(
        "releases.edge.app:app",
        host=host,
        port=port,
        loop="uvloop",
        http=EdgeHttp,
        ws="none",
        lifespan="on",
        log_level="info",
        access_log=False,
        server_header=False,
        backlog=4096,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=SECONDS_TO_DRAIN,
    )
