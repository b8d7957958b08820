"""One worker: an event loop, its sockets, and the control-plane client beside them.

Started by `releases.workers.supervising` as `python -m releases.gateway.worker INDEX LISTENER LIFELINE options…`.
"""

import argparse
import asyncio
import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Final

import uvicorn
import uvloop

from releases.gateway.admission import Admission
from releases.gateway.answering import Answering
from releases.gateway.app import Gateway
from releases.gateway.control.connection import ControlPlane
from releases.gateway.control.errors import UnusableTrustError
from releases.gateway.control.holder import SnapshotHolder
from releases.gateway.control.in_flight import InFlight
from releases.gateway.control.options import Options
from releases.gateway.control.traces import TraceQueue
from releases.gateway.ending import DRAIN_SECONDS
from releases.gateway.logs import RequestLog, configure, no_secrets
from releases.gateway.metrics import Metrics
from releases.gateway.options import GatewayOptions, read_options
from releases.gateway.protocol import GatewayHttp
from releases.gateway.recording import Recorder
from releases.gateway.shadows import Shadows
from releases.gateway.upstream import Upstream
from releases.workers.bounding import MOST_CONNECTIONS, RESERVED_FILES, connections_for
from releases.workers.supervising import MISCONFIGURED

FLUSH_SECONDS: Final = 5.0
SNAPSHOT_SECONDS: Final = 2.0
KEEP_ALIVE_SECONDS: Final = 75
FOREIGN: Final = ("django", "psycopg")  # the data plane has neither (gateway.md)
logger = logging.getLogger(__name__)


def main(arguments: list[str]) -> int:
    """Serve until SIGTERM, or until the supervisor is gone."""
    parser = argparse.ArgumentParser(prog="gateway worker")
    for name in ("index", "listener", "lifeline"):
        parser.add_argument(name, type=int)
    options = read_options(arguments, parser)
    index, listener, lifeline = (int(text) for text in arguments[:3])
    configure()
    if found := [name for name in FOREIGN if name in sys.modules]:
        logger.error("the gateway must not import %s", " and ".join(found))
        return MISCONFIGURED
    GatewayHttp.most_connections = connections_for(_open_files(2 * MOST_CONNECTIONS + RESERVED_FILES))
    # Before uvicorn listens to signals they are remembered; after, it repeats the one that ended it, which is no news.
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: asked.append(number))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            runner.run(serve(replace(options, replica=f"{options.replica}/{index}"), listener, lifeline, asked))
        except UnusableTrustError as error:
            logger.error("%s", error)  # noqa: TRY400 - a sentence for the operator, who has no use for the places
            return MISCONFIGURED
    return 0


async def serve(options: GatewayOptions, listener: int, lifeline: int, asked: list[int]) -> None:
    """Everything of a worker, made here and ended here in the opposite order."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(no_secrets)
    log = RequestLog()
    writing = asyncio.create_task(log.run())
    try:
        async with _gateway(options, log) as gateway:
            server = uvicorn.Server(_configuration(gateway))
            os.set_blocking(lifeline, False)
            loop.add_reader(lifeline, _end, server, loop, lifeline)
            server.should_exit = bool(asked)
            await server.serve(sockets=[socket.socket(fileno=listener)])
    finally:
        writing.cancel()
        log.flush()


@asynccontextmanager
async def _gateway(options: GatewayOptions, log: RequestLog) -> AsyncIterator[Gateway]:
    holder, in_flight, queue, metrics = SnapshotHolder(), InFlight(), TraceQueue(), Metrics()
    control = ControlPlane(_control_options(options), holder, in_flight, queue, metrics)
    first = asyncio.Event()
    holder.listen(lambda _: first.set())
    running = asyncio.create_task(control.run())
    with suppress(TimeoutError):  # connections wait: a worker that was started again must not refuse anybody
        await asyncio.wait_for(first.wait(), SNAPSHOT_SECONDS)
    upstream = Upstream()
    recorder = Recorder(queue=queue, metrics=metrics, log=log, replica=options.replica)
    seconds = float(options.timeout)
    shadows = Shadows(upstream=upstream, in_flight=in_flight, metrics=metrics, keep=recorder.keep, seconds=seconds)
    answering = Answering(
        holder=holder,
        upstream=upstream,
        in_flight=in_flight,
        shadows=shadows,
        admission=Admission(options.concurrency),
        max_body=options.max_body,
        seconds=seconds,
    )
    try:
        yield Gateway(answering=answering, holder=holder, recorder=recorder)
    finally:
        await shadows.drain()
        await control.drain(FLUSH_SECONDS)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await upstream.close()


def _configuration(gateway: Gateway) -> uvicorn.Config:
    return uvicorn.Config(
        gateway,
        http=GatewayHttp,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


def _control_options(options: GatewayOptions) -> Options:
    return Options(
        control_url=options.control,
        token=options.token,
        trust=options.trust,
        data_dir=options.data,
        region=options.region,
        replica=options.replica,
    )


def _open_files(wanted: int) -> int:
    """How many files this process may have open now: services are often started with 1,024, and may have more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limits = [limit for limit in (wanted, hard) if limit != resource.RLIM_INFINITY]
    if soft != resource.RLIM_INFINITY and soft < min(limits):
        soft = min(limits)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return wanted if soft == resource.RLIM_INFINITY else soft


def _end(server: uvicorn.Server, loop: asyncio.AbstractEventLoop, lifeline: int) -> None:
    """The supervisor is gone."""
    loop.remove_reader(lifeline)
    server.should_exit = True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
