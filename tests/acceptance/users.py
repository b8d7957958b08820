"""Users of a world with moved time, and the gateway between them and the demo models: what they ask becomes traces."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from relcontrol.accounts.models import Route
from relcontrol.demo_models.fields import Fields
from relcontrol.demo_models.orders import chat_order
from relcontrol.demo_models.replies import Reply as Answer
from relcontrol.demo_models.replies import reply_to
from relcontrol.rehearsal.world import Crowd
from releases.bucketing import bucket
from releases.models import Release
from releases.rolling.selectors import open_rollout
from releases.rollout_models import Rollout
from releases.selectors import serving
from releases.traces.ingest import store
from releases.traces.selectors import xact_horizon
from tests.releases.evaluating.servers import Body, Reply
from tests.waiting import until

REQUESTS = 20  # in a step while nothing rolls
WHILE_ROLLING = 300  # and while something does, so that monitors have their requests within a few steps
WITHOUT_MONITORS = 60
COPIES = 60
LONG = (2_450, 2_600)  # tokens


@dataclass
class Models:
    """The demo models, without a pause and without a server; some behave like others under a name of their own."""

    behaviours: dict[str, str] = field(default_factory=dict)

    def answer(self, body: Body) -> Answer:
        """The reply to a request."""
        model = str(self.behaviours.get(body["model"], body["model"]))
        known = model if model.startswith("demo-") else "demo-healthy"
        return reply_to(chat_order(Fields({**body, "model": known, "stream": False, "stream_options": None})), 0)

    def said(self, body: Body) -> Reply:
        """The same for a model server of tests."""
        answer = self.answer(body)
        return Reply(status=500) if answer.fails else Reply(answer.text())


@dataclass
class Users:
    """Everybody who asks on one route."""

    route: Route
    models: Models
    asked: int = 0
    drawn: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311 - no secret

    def ask(self, crowd: Crowd, at: datetime, during: timedelta) -> None:
        """The requests of a step, answered by what serves or rolls, stored as a gateway sends them, and visible."""
        rolling, stable = open_rollout(self.route), serving(self.route)
        found = list(self._answered(crowd, rolling, stable))
        rows = [
            row | {"started_at": (at - during * (place / len(found))).isoformat()} for place, row in enumerate(found)
        ]
        assert store(self.route.organization, rows, now=at).accepted == len(rows)
        if rolling is not None:
            _await_counting()

    def _answered(self, crowd: Crowd, rolling: Rollout | None, stable: Release | None) -> Iterator[dict[str, Any]]:
        if rolling is not None and rolling.state == Rollout.State.SHADOWING:
            for _ in range(COPIES):
                yield self._trace(crowd, self._subject(), rolling.release, "shadow", rolling)
            return
        for _ in range(_requests(rolling) if stable else 0):
            subject = self._subject()
            chosen = bucket(crowd.rollout, subject) < crowd.percent * 100 if crowd.rollout else False
            for _ in range(crowd.times if chosen else 1):
                yield self._routed(crowd, subject, rolling, stable)

    def _routed(self, crowd: Crowd, subject: str, rolling: Rollout | None, stable: Release | None) -> dict[str, Any]:
        if rolling is not None and bucket(rolling.pk, subject) < _percent(rolling) * 100:
            return self._trace(crowd, subject, rolling.release, "candidate", rolling)
        assert stable is not None
        return self._trace(crowd, subject, stable, "stable", rolling)

    def _subject(self) -> str:
        self.asked += 1
        return f"user-{self.asked}"

    def _trace(self, crowd: Crowd, subject: str, release: Release, arm: str, rolling: Rollout | None) -> dict[str, Any]:
        self.asked += 1
        long = self.drawn.random() < crowd.long
        tokens = self.drawn.randrange(*LONG) if long else self.drawn.randrange(crowd.tokens, 2 * crowd.tokens)
        said = f"May affiliates use the licence in matter {self.asked}? Answer in about {tokens} tokens."
        messages = [{"role": "user", "content": said}]
        answer = self.models.answer({"model": release.model_ref.rpartition("/")[2], "messages": messages})
        seconds = answer.first_s + answer.rest_s
        return {
            "trace_id": f"{self.asked:032x}",
            "request_id": f"req-{self.asked}",
            "release": release.manifest_sha256,
            "route": self.route.pk,
            "rollout": rolling.pk if rolling else None,
            "arm": arm,
            "generation": rolling.entered_generation if rolling else None,
            "subject": subject,
            "input": {"messages": messages},
            "output": None if answer.fails else answer.text(),
            "status": 500 if answer.fails else 200,
            "error": "upstream_5xx" if answer.fails else None,
            "latency_ms": seconds * 1000,
            "ttft_ms": answer.first_s * 1000,
            "metadata": dict(crowd.metadata),
            "fingerprint": release.bundle_sha256,
        }


def _requests(rolling: Rollout | None) -> int:
    if rolling is None:
        return REQUESTS
    return WITHOUT_MONITORS if rolling.settings["dry"] else WHILE_ROLLING


def _await_counting() -> None:
    """Monitors count traces once no older transaction is open, here or in a test beside this one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        (mine,) = cursor.fetchone()
    until(lambda: xact_horizon() > mine, 60, "no transaction is older than what these users asked")


def _percent(rolling: Rollout) -> int:
    return int(rolling.plan[rolling.checkpoint - 1]["percent"])
