"""The way to the model servers: one aiohttp session per worker, one retry, and only where no answer had begun.

Nothing of the client's headers goes upstream: a request is made anew with the secret of the release's endpoint.
"""

import time
from collections.abc import Callable
from typing import Final

import aiohttp
from aiohttp import hdrs

from relcontrol.model_servers import outcomes
from relcontrol.model_servers.credentials import MissingCredentialError, credential
from releases.gateway.control.snapshot import EndpointEntry
from releases.gateway.errors import UPSTREAM, GatewayError

CONNECT_SECONDS: Final = 5.0
CREDENTIAL_SECONDS: Final = 5.0  # a rotated secret is taken up within this time
KEEP_ALIVE_SECONDS: Final = 15.0  # shorter than model servers keep idle connections: fewer races for a closing one
READ_BUFFER: Final = 64 * 1024  # for each stream whose client does not read, several times
ATTEMPTS: Final = 2


class Upstream:
    """Posts to model servers."""

    def __init__(self, *, read: Callable[[str], str] = credential, clock: Callable[[], float] = time.monotonic) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, limit_per_host=0, keepalive_timeout=KEEP_ALIVE_SECONDS),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            read_bufsize=READ_BUFFER,
        )
        self._read, self._clock = read, clock
        self._secrets: dict[str, tuple[float, str]] = {}

    def secret(self, endpoint: EndpointEntry) -> str:
        """The value behind the endpoint's credential, not older than a few seconds; the error never shows it."""
        name, now = endpoint.credential, self._clock()
        if not name:
            return ""
        until, value = self._secrets.get(name, (0.0, ""))
        if until <= now:
            try:
                value = self._read(name)
            except (MissingCredentialError, OSError, ValueError):
                raise _no_credential() from None
            self._secrets[name] = (now + CREDENTIAL_SECONDS, value)
        return value

    async def post(
        self, endpoint: EndpointEntry, path: str, payload: bytes, *, stream: bool = False
    ) -> aiohttp.ClientResponse:
        """The answer's head. Raises aiohttp's errors of the connection, after a second attempt on a new one."""
        headers = {
            hdrs.CONTENT_TYPE: "application/json",
            hdrs.ACCEPT: "text/event-stream" if stream else "application/json",
            hdrs.ACCEPT_ENCODING: "identity",
            hdrs.USER_AGENT: "relcontrol-gateway",
        }
        if secret := self.secret(endpoint):
            headers[hdrs.AUTHORIZATION] = f"Bearer {secret}"
        url = endpoint.base_url.rstrip("/") + path
        for left in range(ATTEMPTS - 1, -1, -1):
            try:
                return await self._session.post(url, data=payload, headers=headers, allow_redirects=False)
            except (aiohttp.ClientConnectionError, ConnectionError):
                if not left:
                    raise
        raise AssertionError("unreachable")

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()


def _no_credential() -> GatewayError:
    message = "This gateway has no credential for the model server of this release. Its operator must set one."
    return GatewayError(502, message, code="credential_missing", kind=UPSTREAM, outcome=outcomes.CONNECTION_FAILED)
