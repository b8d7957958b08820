"""Shadows: a sampled copy of a request for the candidate, after the client has its answer (gateway.md "Shadow").

The answer becomes a trace and nothing else. Tools that it asks for are not executed: a gateway executes none, ever.
There is a budget of shadows at once; what is over it is dropped and counted, so that shadows cannot slow answers down.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Final

from releases.gateway.calls import Call
from releases.gateway.control.in_flight import InFlight
from releases.gateway.errors import GatewayError
from releases.gateway.exchanges import Question, exchange
from releases.gateway.metrics import Metrics
from releases.gateway.orders import Order, shadow_of
from releases.gateway.rendering import rendered
from releases.gateway.sinks import NoSink
from releases.gateway.upstream import Upstream

BUDGET: Final = 8
DRAIN_SECONDS: Final = 5.0
logger = logging.getLogger(__name__)


class Shadows:
    """The shadows of one worker; `keep` takes their traces."""

    def __init__(
        self,
        *,
        upstream: Upstream,
        in_flight: InFlight,
        metrics: Metrics,
        keep: Callable[[Call], None],
        seconds: float,
        budget: int = BUDGET,
    ) -> None:
        self._upstream, self._in_flight, self._metrics, self._keep = upstream, in_flight, metrics, keep
        self._seconds, self._budget = seconds, budget
        self._running: set[asyncio.Task[None]] = set()

    def offer(self, order: Order) -> None:
        """Start a shadow of a request that was answered, or that nothing serves yet, if it falls into the sample."""
        shadow = shadow_of(order)
        if shadow is None:
            return
        if len(self._running) >= self._budget:
            self._metrics.shadow_dropped()
            return
        task = asyncio.create_task(self._run(shadow))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def drain(self) -> None:
        """Let them end, but not for long: nobody waits for them."""
        running = set(self._running)
        if running:
            _, late = await asyncio.wait(running, timeout=DRAIN_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _run(self, order: Order) -> None:
        call = Call("shadow", order.request_id, application=order.application, order=order, received=order.size)
        self._in_flight.begin(order.release.sha)
        try:
            rendering = rendered(order.release, order.application, order.body)
            call.client_settings = rendering.client_settings
            question = Question(
                endpoint=order.release.endpoint,
                path="/chat/completions",
                payload=json.dumps(rendering.body).encode(),
                answers="choices",
                stream=order.body.get("stream") is True,
            )
            await exchange(self._upstream, question, NoSink(), call.ended, seconds=self._seconds)
        except GatewayError as error:
            call.fail(error)
        except Exception:
            logger.exception("a shadow failed")
            return
        finally:
            self._in_flight.end(order.release.sha)
        self._keep(call)
