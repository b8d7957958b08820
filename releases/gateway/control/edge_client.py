"""HTTP to the edge: one session, bounded in time and size, never redirected (the token would go along).

Every failure is a `ControlPlaneError`; nothing of aiohttp's gets further than this module.
"""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

from releases.gateway.control.errors import ControlPlaneError
from releases.gateway.control.options import Options
from releases.gateway.control.verification import MAX_BYTES

CONNECTIONS: Final = 8
CONNECT_S: Final = 2.0
ANSWER_S: Final = 5.0
SILENCE_S: Final = 25.0  # the edge comments on the stream every ten seconds
MAX_ANSWER: Final = 1024 * 1024
SHOWN: Final = 200
OK: Final = (200, 202, 204)
NOT_MODIFIED: Final = 304


@dataclass(frozen=True, slots=True)
class Fetched:
    """The bytes of an envelope as they came."""

    body: bytes
    etag: str


class EdgeClient:
    """Used inside of `async with`; outside of it every call says that there is no control plane."""

    def __init__(self, options: Options) -> None:
        self._base = options.control_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {options.token}", "User-Agent": f"relcontrol/{options.version}"}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            headers=self._headers,
            connector=aiohttp.TCPConnector(limit=CONNECTIONS),
            timeout=aiohttp.ClientTimeout(total=ANSWER_S, connect=CONNECT_S),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def routing(self, etag: str) -> Fetched | None:
        """The signed snapshot; `None` where it is still the one of `etag`."""
        headers = {"If-None-Match": etag} if etag else {}
        async with self._asked("GET", "/v1/routing", headers=headers) as response:
            if response.status == NOT_MODIFIED:
                return None
            return Fetched(await _bounded(response, MAX_BYTES), response.headers.get("ETag", ""))

    async def announcements(self) -> AsyncGenerator[str, None]:
        """The data of each event of the stream, until it breaks off."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=SILENCE_S)
        headers = {"Accept": "text/event-stream"}
        async with self._asked("GET", "/v1/routing/watch", headers=headers, timeout=timeout) as response:
            async for line in response.content:
                if line.startswith(b"data:"):
                    yield line[5:].strip().decode("utf-8", "replace")

    async def post(self, path: str, value: Mapping[str, Any]) -> None:
        """Say something small."""
        await self._posted(path, json.dumps(value).encode(), {})

    async def post_gzip(self, path: str, body: bytes) -> bytes:
        """Send JSON that is already compressed; the answer's bytes."""
        return await self._posted(path, body, {"Content-Encoding": "gzip"})

    async def _posted(self, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        headers = {"Content-Type": "application/json", **headers}
        async with self._asked("POST", path, headers=headers, data=body) as response:
            return await _bounded(response, MAX_ANSWER)

    @asynccontextmanager
    async def _asked(self, method: str, path: str, **request: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        if self._session is None:
            raise ControlPlaneError(0, "the connection to the control plane is closed")
        try:
            async with self._session.request(method, self._base + path, allow_redirects=False, **request) as response:
                if response.status not in (*OK, NOT_MODIFIED):
                    raise ControlPlaneError(response.status, await _refusal(response, method, path))
                yield response
        except TimeoutError as error:
            raise ControlPlaneError(0, f"{method} {path}: no answer in time") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise ControlPlaneError(0, f"{method} {path}: {type(error).__name__}: {error}") from error


async def _refusal(response: aiohttp.ClientResponse, method: str, path: str) -> str:
    said = (await response.content.read(SHOWN)).decode("utf-8", "replace")
    return f"{method} {path}: {response.status} {response.reason}: {said}"


async def _bounded(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """The whole body, or an error as soon as it is larger than allowed."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > limit:
            raise ControlPlaneError(response.status, f"the answer is larger than {limit:,} bytes")
    return bytes(body)
