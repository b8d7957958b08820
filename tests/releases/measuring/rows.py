"""Trace rows as ingest would write them, and rollouts at a checkpoint, for the tests of what is made of them."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from django.db import connection

from releases.checkpoints import DEFAULT_PLAN, Checkpoint
from releases.models import Release
from releases.registry.order import Order
from releases.registry.registration import register
from releases.rollout_models import Rollout
from releases.rollouts import states
from tests.releases.scene import Scene, body

ENTERED = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
GENERATION = 7
PLAN = [
    {"percent": step.percent, "dwell_seconds": step.dwell_seconds, "requests": step.requests} for step in DEFAULT_PLAN
]
SETTINGS: dict[str, Any] = {
    "limits": {"errors": 1.5, "latency": 1.2},
    "tolerance": 0.05,
    "tolerances": {},
    "alarm": "rollout",
    "dry": [],
    "shadow_basis_points": 1000,
    "slices": ["ip-licensing"],
    "policies": [],
}
_NUMBERS: Iterator[int] = count(1)


@dataclass(frozen=True)
class Row:
    """One trace; what is left out is that of a healthy request to the candidate."""

    arm: str | None = "candidate"
    subject: str = "anna"
    error: str | None = None
    latency_ms: float | None = 800.0
    ttft_ms: float | None = 120.0
    generation: int | None = GENERATION
    started_at: datetime = ENTERED + timedelta(seconds=1)
    received_at: datetime | None = None
    output_tokens: int | None = 100
    input_tokens: int | None = 50
    fingerprint: str | None = None
    release: str | None = None
    rollout: str | None = None
    request_id: str = ""
    xact: int | None = None

    def but(self, **changes: Any) -> "Row":
        """The same with other values."""
        return replace(self, **changes)


COLUMNS = (
    "organization_id, trace_id, started_at, received_at, xact, request_id, release, route_id, rollout_id, arm,"
    " generation, subject, error, ttft_ms, latency_ms, input_tokens, output_tokens, fingerprint"
)
PLACES = "%s, %s, %s, %s, coalesce(%s, pg_current_xact_id()::text::bigint)" + ", %s" * 13
INSERT = f"INSERT INTO releases_trace ({COLUMNS}) VALUES ({PLACES})"  # noqa: S608 - only constants


def write(rollout: Rollout, rows: Iterable[Row], *, xact: int | None = None, session: Any = connection) -> None:
    """Insert traces of a rollout, in the present transaction or as if another one had written them."""
    values = [_values(rollout, row, row.xact or xact) for row in rows]
    with session.cursor() as cursor:
        cursor.executemany(INSERT, values)


def _values(rollout: Rollout, row: Row, xact: int | None) -> tuple[Any, ...]:
    number = next(_NUMBERS)
    return (
        rollout.organization_id,
        f"{number:032x}",
        row.started_at,
        row.received_at or row.started_at,
        xact,
        row.request_id or f"req-{number}",
        row.release,
        rollout.route_id,
        row.rollout or rollout.pk,
        row.arm,
        row.generation,
        hashlib.sha256(row.subject.encode()).digest()[:16],
        row.error,
        row.ttft_ms,
        row.latency_ms,
        row.input_tokens,
        row.output_tokens,
        row.fingerprint,
    )


def registered(scene: Scene, **changes: Any) -> Release:
    """A release of the scene's application."""
    return register(actor=scene.actor, order=Order(**body(**changes))).release


def new_rollout(scene: Scene, **changes: Any) -> Rollout:
    """A rollout of a second release at its first checkpoint, its first release being what the route serves."""
    previous, candidate = registered(scene), registered(scene, generation={"seed": 1})
    values = {
        "organization": scene.organization,
        "application": scene.application,
        "route": candidate.route,
        "release": candidate,
        "previous": previous,
        "plan": PLAN,
        "shadow": None,
        "settings": dict(SETTINGS),
        "state": "checkpoint",
        "checkpoint": 1,
        "entered_at": ENTERED,
        "entered_generation": GENERATION,
        "due": timedelta(seconds=240),
        "frozen": timedelta(0),
        "started_by": "per_1",
        "started_by_label": "Rosa",
        "started_at": ENTERED,
    }
    return Rollout.objects.create(**values | changes)


def value_of(row: Rollout) -> states.Rollout:
    """The rollout as the pure core sees it."""
    shadow = states.COLD_START_SHADOW if row.shadow is not None else None
    return states.Rollout(
        plan=tuple(Checkpoint(**step) for step in row.plan),
        previous=row.previous.manifest_sha256 if row.previous else None,
        shadow=shadow,
        state=states.State(row.state),
        checkpoint=row.checkpoint,
        entered_at=row.entered_at,
        due=row.due,
    )


def move(row: Rollout, checkpoint: int, entered_at: datetime, generation: int) -> Rollout:
    """The rollout one checkpoint further."""
    row.checkpoint, row.entered_at, row.entered_generation = checkpoint, entered_at, generation
    row.save(update_fields=["checkpoint", "entered_at", "entered_generation"])
    return row
