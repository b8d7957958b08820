"""One bounded HTTP POST to a sink: 5 s to connect, 20 s in all, 1 MiB of answer, never redirected.

Called by a worker outside of every transaction. What goes wrong is a `SinkError` in words, which people read on the
anchor's page.
"""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import aiohttp

CONNECT_SECONDS: Final = 5.0
TOTAL_SECONDS: Final = 20.0
NAMES_SECONDS: Final = 2.0  # a name that is being looked up cannot be interrupted; it is left behind
LARGEST_ANSWER: Final = 1024 * 1024
LONGEST_SAID: Final = 200


class SinkError(Exception):
    """A sink that did not answer, or answered what cannot be accepted. The message is for people."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whole."""

    status: int
    content: bytes

    def expected(self, *statuses: int) -> "Answer":
        """This answer, or `SinkError` for any other status."""
        if self.status not in statuses:
            raise SinkError(f"It answered {self.status}{self._said()}.")
        return self

    def _said(self) -> str:
        """The beginning of a short text, as far as it can be shown."""
        if 300 <= self.status < 400:
            return "; redirects are not followed, so give the address that it leads to"
        text = " ".join(self.content[: LONGEST_SAID * 4].decode("utf-8", "replace").split())[:LONGEST_SAID]
        return f": {text.rstrip('.')}" if text and text.isprintable() else ""


def posted(
    url: str, body: bytes, content_type: str, headers: Mapping[str, str] | None = None, *, seconds: float = 0
) -> Answer:
    """POST the body and read the whole answer. Raises `SinkError` for everything that is no HTTP answer."""
    limit = seconds or TOTAL_SECONDS
    sent = {"Content-Type": content_type, **(headers or {})}
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="anchor")  # a loop of its own, whoever calls
    try:
        return pool.submit(lambda: asyncio.run(_posted(url, body, sent, limit))).result(limit + NAMES_SECONDS)
    except TimeoutError as error:
        raise SinkError(f"It did not answer within {limit:g} s.") from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise SinkError(f"It cannot be reached: {_one_line(error)}.") from error
    finally:
        pool.shutdown(wait=False)


async def _posted(url: str, body: bytes, headers: Mapping[str, str], limit: float) -> Answer:
    limits = aiohttp.ClientTimeout(total=limit, sock_connect=min(CONNECT_SECONDS, limit))
    content = bytearray()
    async with (
        aiohttp.ClientSession(timeout=limits) as session,
        session.post(url, data=body, headers=headers, allow_redirects=False) as response,
    ):
        async for piece in response.content.iter_any():
            content += piece
            if len(content) > LARGEST_ANSWER:
                raise SinkError(f"Its answer is larger than {LARGEST_ANSWER // 1024:,} KiB.")
        return Answer(response.status, bytes(content))


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).replace(" ssl:default", "").split())
    return text[:LONGEST_SAID].rstrip(".") or type(error).__name__
