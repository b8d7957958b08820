"""One batch to the edge: what an answer means for the rows in it.

Taken: gone from here, with rows that the edge rejected counted. Refused for good (a 4xx): dropped and counted, since it
would be refused again. Not now: no answer, too many requests, an edge without its database, or a token that is not
accepted, which a person can mend; such a batch is kept. Failed: the edge answered 500, perhaps because of this very
batch, so it is kept, but others go before it.
"""

import asyncio
import json
import logging
from collections import Counter
from enum import StrEnum
from typing import Final

from releases.gateway.control.edge_client import EdgeClient
from releases.gateway.control.errors import ControlPlaneError
from releases.gateway.control.options import CONTROL_ERRORS, TRACES_REJECTED, TRACES_SENT, Metrics
from releases.gateway.control.standing import BackOff, Standing
from releases.gateway.control.traces import Batch, TraceQueue

PATH: Final = "/v1/traces"
TRIES: Final = 3
PAUSE_S: Final = (0.05, 0.5)
KEEP: Final = frozenset({401, 403, 404, 405, 408, 425, 429})  # 404, 405: an edge that does not know traces (yet)
INTERNAL_ERROR: Final = 500
WORTH_ANOTHER_TRY: Final = frozenset({408, 425, 429, INTERNAL_ERROR, 502, 503, 504})

logger = logging.getLogger(__name__)


class Fate(StrEnum):
    """What became of a batch."""

    TAKEN = "taken"
    REFUSED = "refused"
    NOT_NOW = "not_now"
    FAILED = "failed"


class Delivery:
    """Sends batches; `queue` is told of rows that are lost."""

    def __init__(self, client: EdgeClient, queue: TraceQueue, metrics: Metrics) -> None:
        self._client, self._queue, self._metrics = client, queue, metrics
        self._standing = Standing(logger, "sending traces")

    async def deliver(self, batch: Batch, *, tries: int = TRIES) -> Fate:
        """Try a few times at once; who calls keeps what could not be delivered now."""
        pauses = BackOff(*PAUSE_S)
        for tried in range(1, tries + 1):
            try:
                codes = _rejections(await self._client.post_gzip(PATH, batch.body))
            except ControlPlaneError as error:
                self._metrics.count(CONTROL_ERRORS)
                self._standing.failed(error.sentence)
                if _for_good(error.status):
                    self._queue.lose(batch.rows)
                    return Fate.REFUSED
                if tried == tries or error.status not in WORTH_ANOTHER_TRY:
                    return Fate.FAILED if error.status == INTERNAL_ERROR else Fate.NOT_NOW
                await asyncio.sleep(pauses.pause())
            else:
                self._standing.works()
                self._account(batch, codes)
                return Fate.TAKEN
        return Fate.NOT_NOW

    def _account(self, batch: Batch, codes: Counter[str]) -> None:
        rejected = min(codes.total(), batch.rows)
        self._metrics.count(TRACES_SENT, batch.rows - rejected)
        if rejected:
            self._metrics.count(TRACES_REJECTED, rejected)
            logger.warning("the edge rejected %d of %d trace rows: %s", rejected, batch.rows, dict(codes))


def _for_good(status: int) -> bool:
    return 400 <= status < 500 and status not in KEEP


def _rejections(answer: bytes) -> Counter[str]:
    """How many rows were rejected for what. Whatever else says 200 (a proxy's page) has not taken the rows."""
    try:
        return Counter(str(entry["code"]) for entry in json.loads(answer)["rejected"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ControlPlaneError(0, f"POST {PATH}: a 200 that is no answer of an edge: {answer[:80]!r}") from error
