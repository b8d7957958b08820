"""The ground of the observe bench: a large organization whose routes have served many releases, and a lot of traces.

Receipts of the registry come from the fast generator; rollouts leave theirs through `append`, as in life. Traces go in
by INSERT … SELECT, day by day, of so many users; some go through `store`, with bodies that open: those are looked up.
"""

import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db import connection, transaction

from audit.administration.routing import next_generation
from audit.events import Event
from audit.receipts import Record, append
from audit.statement import Delivery, ReleaseRef
from gates.slices.services import create_slice
from gates.suites import carry_out, request_import
from relcontrol.accounts.actors import command_actor, system_actor
from relcontrol.accounts.models import Organization, Route
from relcontrol.bench.chaos_stage import passed
from relcontrol.bench.generator import Size, generate
from relcontrol.clock import now
from releases.models import Release
from releases.observer_models import ObservedSlice
from releases.observing.starting import ensure_observers
from releases.rolling.receipts import claimed_weights
from releases.rollout_models import Serving
from releases.traces.ingest import store
from releases.traces.subjects import subject_digest

SLUG: Final = "observed"
SUITE: Final = "scored-qa-v1"
RELEASES: Final = 400
RECEIPTS: Final = 20_000
SERVED_OF_EACH: Final = 25  # releases that each route has served, one after the other
USERS: Final = 20_000
DAYS: Final = 30
AT_ONCE: Final = 100_000
REAL: Final = 2_000
SLICES: Final = 6
THRESHOLD: Final = Decimal("0.65")
BODY_BYTES: Final = 700
QUESTION: Final = "May affiliates of the licensee use the software in territories that the grant does not name? " * 4
ANSWER: Final = "They may where the grant extends to affiliates; a territory that it does not name is not granted. " * 4

_TRACES: Final = """
INSERT INTO releases_trace (organization_id, trace_id, started_at, received_at, request_id, release, route_id, arm,
    generation, subject, slice, status, ttft_ms, latency_ms, input_tokens, output_tokens, fingerprint, model, replica,
    body)
SELECT %(organization)s, md5('trace' || number), at, at + interval '1 second', md5('request' || number),
    (%(releases)s::text[])[1 + number %% %(of)s], (%(routes)s::text[])[1 + number %% %(of)s], 'stable', 1,
    (%(subjects)s::bytea[])[1 + ((number::bigint * 7919) %% %(users)s)::integer], 'slice-' || number %% %(slices)s, 200,
    120, 900 + number %% 700, 310, 120, (%(bundles)s::text[])[1 + number %% %(of)s], 'gemma-4-e2b', 'gateway-1',
    %(body)s
FROM generate_series(%(first)s, %(last)s) AS number,
    LATERAL (SELECT %(start)s::timestamptz + (%(step)s * number) * interval '1 second' AS at) AS time
"""
_WINDOWS: Final = """
INSERT INTO releases_qualitywindow (observed_id, started_at, ended_at, closed_at, requests, asked, n, n_min, mean, sd,
    floor, agreement_n, verdict, streak, late)
SELECT %(observed)s, at, at + interval '1 minute', at + interval '95 seconds', 40, 20, 18, 12,
    0.8 + 0.05 * sin(minute / 60.0), 0.2, 0.55, 0, 'above', 0, 0
FROM generate_series(0, %(minutes)s - 1) AS minute, LATERAL (SELECT %(start)s + minute * interval '1 minute' AS at) AS t
"""


@dataclass(frozen=True, slots=True)
class Ground:
    """What there is: moments at which something served, and requests that can be opened."""

    organization: Organization
    routes: Sequence[Route]
    decided: Sequence[tuple[Route, datetime]]
    requests: Sequence[dict[str, Any]]


def set_ground(traces: int) -> Ground:
    """Make all of it, with so many traces over a month."""
    organization = generate(slug=SLUG, size=Size(RELEASES, RECEIPTS), now=now())
    _one_suite(organization)
    routes = list(Route.objects.filter(organization=organization).order_by("pk"))
    decided = [(route, at) for route in routes for at in _served(route)]
    serving = list(Release.objects.filter(organization=organization, delivery="stable").order_by("route_id"))
    _make_days()
    _fill(organization, serving, traces)
    requests = _real(organization, serving)
    _observe(routes[0])
    return Ground(organization, routes, decided, requests)


def _one_suite(organization: Organization) -> None:
    actor = command_actor(organization)
    for number in range(SLICES):
        create_slice(
            actor=actor, slug=f"slice-{number}", threshold=THRESHOLD, match={"metadata": {"topic": str(number)}}
        )
    case = json.dumps({"case_id": "c1", "slice": "slice-1", "input": "May affiliates use the licence?"}).encode()
    carry_out(request_import(actor=actor, name=SUITE, body=case, file_format="jsonl"))


def _served(route: Route) -> Iterator[datetime]:
    """The last releases of a route, each judged, rolled out and serving until the next."""
    rows = list(Release.objects.filter(route=route).order_by("-number")[:SERVED_OF_EACH])[::-1]
    for row in rows:
        passed(row)
        yield _rolled(row)


@transaction.atomic
def _rolled(release: Release) -> datetime:
    """The receipts of a rollout, and the row of what serves now."""
    actor, at = system_actor(release.organization), now()
    routing = next_generation(release.organization)
    plan = [{"percent": percent, "dwell_seconds": 240, "requests": 1000} for percent in (5, 25, 100)]
    state = {"plan": plan, "checkpoint": 3, "reasons": [], "routing_generation": routing.generation}
    started, completed = (
        Record(
            event=event,
            outcome=outcome,
            kind="rollout",
            name=f"rol_of_{release.pk}",
            application=release.application.slug,
            release=ReleaseRef(release.manifest_sha256, release.pk, release.route_id),
            delivery=Delivery("rolling", "stable"),
            weights=claimed_weights(release),
            state=state,
            occurred_at=at,
        )
        for event, outcome in ((Event.ROLLOUT_STARTED, "started"), (Event.ROLLOUT_COMPLETED, "completed"))
    )
    append(actor, started)
    receipt = append(actor, completed)
    Serving.objects.filter(route=release.route, until=None).update(until=at)
    Serving.objects.create(
        route=release.route,
        release=release,
        since=at,
        generation=routing.generation,
        event=receipt.event,
        decided_by=actor.id,
        decided_by_label=actor.label,
        receipt_hash=receipt.receipt_hash,
    )
    return at


def _make_days() -> None:
    with connection.cursor() as cursor:
        first = (now() - timedelta(days=DAYS)).date()
        cursor.execute("SELECT relcontrol_make_trace_partitions(%s::date, %s)", [first, DAYS + 2])


def _fill(organization: Organization, serving: Sequence[Release], traces: int) -> None:
    """The bulk: evenly over the month, of all routes in turn, each user with about as many."""
    values: dict[str, Any] = {
        "organization": organization.pk,
        "releases": [row.manifest_sha256 for row in serving],
        "routes": [row.route_id for row in serving],
        "bundles": [row.bundle_sha256 for row in serving],
        "of": len(serving),
        "subjects": [subject_digest(organization.pk, user(number)) for number in range(USERS)],
        "users": USERS,
        "slices": SLICES,
        "body": secrets.token_bytes(BODY_BYTES),
        "start": now() - timedelta(days=DAYS),
        "step": timedelta(days=DAYS).total_seconds() / (traces + 1),
    }
    for first in range(1, traces + 1, AT_ONCE):
        with connection.cursor() as cursor:
            cursor.execute(_TRACES, values | {"first": first, "last": min(traces, first + AT_ONCE - 1)})


def user(number: int) -> str:
    """What the application calls one of its users."""
    return f"user-{number}"


def _real(organization: Organization, serving: Sequence[Release]) -> list[dict[str, Any]]:
    """Requests of the last second, with prompt, answer and feature values under the keys of their users."""
    at = now()
    rows = [
        _row(number, serving[number % len(serving)], at - timedelta(microseconds=500 * number))
        for number in range(REAL)
    ]
    stored = store(organization, rows, now=at)
    if stored.rejected:
        raise RuntimeError(f"a row was rejected: {stored.rejected[0]}")
    return rows


def _row(number: int, of: Release, at: datetime) -> dict[str, Any]:
    return {
        "trace_id": secrets.token_hex(16),
        "started_at": at.isoformat(timespec="microseconds"),
        "request_id": secrets.token_hex(16),
        "release": of.manifest_sha256,
        "route": of.route_id,
        "arm": "stable",
        "subject": user(number),
        "status": 200,
        "fingerprint": of.bundle_sha256,
        "input": {"messages": [{"role": "user", "content": QUESTION}]},
        "output": {"content": ANSWER},
        "metadata": {
            "topic": str(number % SLICES),
            "features": [{"name": "plan", "as_of": at.isoformat(), "value": "pro"}],
        },
    }


def _observe(route: Route) -> None:
    """The observers of all routes; of one a window for every minute of the month on each of its slices."""
    ensure_observers(now())
    start = now() - timedelta(days=DAYS)
    for row in ObservedSlice.objects.filter(observer__route=route):
        with connection.cursor() as cursor:
            cursor.execute(_WINDOWS, {"observed": row.pk, "minutes": DAYS * 24 * 60, "start": start})


def fresh(ground: Ground, count: int) -> None:
    """So many answers of the last minute on the route that is measured, of all its slices in turn."""
    at, serving = now(), Serving.objects.select_related("release").get(route=ground.routes[0], until=None)
    rows = [
        _row(number, serving.release, at - timedelta(milliseconds=60_000 * number / count)) for number in range(count)
    ]
    stored = store(ground.organization, rows, now=at)
    if stored.rejected:
        raise RuntimeError(f"a row was rejected: {stored.rejected[0]}")
