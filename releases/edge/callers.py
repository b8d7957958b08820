"""Who calls the edge: the same bearer tokens and scopes as the API's, with each answer kept for five seconds.

A replica calls every second, so asking the database each time would cost more than what it asks for. A revoked token
stops when its answer is five seconds old; a refusal is never kept.
"""

import hashlib
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Final

from relcontrol.accounts.actors import Actor
from relcontrol.accounts.bearer import token_of
from relcontrol.accounts.models import Token
from relcontrol.accounts.permissions import Permission
from relcontrol.api.authentication import actor_of
from relcontrol.clock import now
from relcontrol.errors import Unauthenticated
from releases.edge.sharing import Shared
from releases.edge.threads import Threads

KEPT_SECONDS: Final = 5.0
MOST_KEPT: Final = 10_000
USED_AGAIN: Final = timedelta(minutes=1)


class Callers:
    """Actors by what they showed."""

    def __init__(self, threads: Threads, clock: Callable[[], float] = time.monotonic) -> None:
        self._threads = threads
        self._clock = clock
        self._kept: dict[bytes, tuple[Actor, float]] = {}
        self._looked_up: Shared[Actor] = Shared()

    async def caller(self, authorization: str | None, permission: Permission) -> Actor:
        """The actor of an Authorization header; `Unauthenticated`, or `Forbidden` without the role or scope."""
        scheme, _, text = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not text.strip():
            raise Unauthenticated("Send `Authorization: Bearer rc_<public>.<secret>`.")
        actor = await self._actor(text.strip())
        actor.require(permission)
        return actor

    async def _actor(self, text: str) -> Actor:
        key = hashlib.sha256(text.encode()).digest()
        kept = self._kept.get(key)
        if kept is not None and self._clock() < kept[1]:
            return kept[0]
        self._kept.pop(key, None)
        asked_at = self._clock()
        actor = await self._looked_up.answer(key, partial(self._threads.run, _look_up, text))
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        self._kept[key] = actor, asked_at + KEPT_SECONDS
        return actor


def _look_up(text: str) -> Actor:
    at = now()
    token = token_of(text, at)
    if token.last_used_at is None or at - token.last_used_at >= USED_AGAIN:
        Token.objects.filter(pk=token.pk).update(last_used_at=at)
    return actor_of(token)
