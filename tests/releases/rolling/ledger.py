"""What the rows of rollouts say whatever happened to them: steps, receipts, deliveries, what serves, what is routed."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from audit.models import Receipt
from relcontrol.accounts.models import Organization, Route
from releases.models import Release
from releases.rolling.storing import value_of
from releases.rollout_models import Rollout, RolloutStep, Serving
from releases.rollouts.decisions import EVENTS
from releases.routing.document import routing_document

EVENT_OF = {act.value: event.value for act, event in EVENTS.items()}
ENDS = {"completed", "halted", "aborted"}
BY_RULES = "internal"


def rows_hold(organization: Organization) -> None:
    """Everything below that holds at any moment."""
    rollouts = Rollout.objects.filter(organization=organization).select_related("release", "previous", "route")
    steps: dict[str, list[RolloutStep]] = defaultdict(list)
    for step in RolloutStep.objects.filter(rollout__organization=organization).order_by("rollout_id", "version"):
        steps[step.rollout_id].append(step)
    for row in rollouts:
        steps_lead_to(row, steps[row.pk])
    each_step_has_its_receipt(organization, [step for found in steps.values() for step in found])
    deliveries_agree(organization, rollouts)


def steps_lead_to(row: Rollout, steps: list[RolloutStep]) -> None:
    """Versions without a gap, one checkpoint after the other, nothing after the end, and the last one is the row."""
    assert [step.version for step in steps] == list(range(1, row.version + 1))
    assert [step.act for step in steps].count("started") == 1
    assert (steps[0].act, steps[0].checkpoint) == ("started", 0 if row.shadow else 1)
    for before, after in pairwise(steps):
        assert after.checkpoint - before.checkpoint == (after.act == "promoted")
        assert before.state not in ENDS
    last = steps[-1]
    assert (last.state, last.checkpoint) == (row.state, row.checkpoint)
    assert (row.ended_at is not None) == (row.state in ENDS)
    if row.state == "completed":
        assert row.checkpoint == (len(row.plan) if row.previous_id else 0)


def each_step_has_its_receipt(organization: Organization, steps: Iterable[RolloutStep]) -> None:
    """One receipt for each step, with the step's event, and no receipt of a rollout without a step."""
    rows = Receipt.objects.filter(organization=organization, event__in=list(EVENT_OF.values()))
    written = {
        row.seq: (row.receipt_hash, row.event, row.actor) for row in rows.only("seq", "receipt_hash", "event", "actor")
    }
    told = {step.receipt_seq: (step.receipt_hash, EVENT_OF[step.act], step.actor) for step in steps}
    assert written == told


def deliveries_agree(organization: Organization, rollouts: Iterable[Rollout]) -> None:
    """A release is rolling while its rollout is open; a route has one stable release, which is what it serves."""
    deliveries = dict(Release.objects.filter(organization=organization).values_list("pk", "delivery"))
    rolling = [row.release_id for row in rollouts if not row.is_over]
    assert sorted(key for key, delivery in deliveries.items() if delivery == "rolling") == sorted(rolling)
    stable = Release.objects.filter(organization=organization, delivery="stable").values_list("route_id", "pk")
    serving = Serving.objects.filter(route__organization=organization, until=None).values_list("route_id", "release_id")
    assert sorted(serving) == sorted(stable)
    assert len(dict(stable)) == len(stable)
    open_routes = [row.route_id for row in rollouts if not row.is_over]
    assert len(open_routes) == len(set(open_routes))


def routed(organization: Organization) -> Mapping[str, Any]:
    """The document that gateways get now, in which every route says what the rows say."""
    document: dict[str, Any] = json.loads(routing_document(organization).payload)
    rows = {row.pk: row for row in Route.objects.filter(organization=organization)}
    running = {
        row.route_id: row for row in Rollout.objects.select_related("release", "previous").exclude(state__in=ENDS)
    }
    for said in document["routes"]:
        stable = Release.objects.filter(route=rows[said["id"]], delivery="stable").first()
        assert said["stable"] == (stable.manifest_sha256 if stable else None)
        candidate, rollout = said["candidate"], running.get(said["id"])
        assert (candidate is None) == (rollout is None)
        if rollout is not None:
            assert (candidate["release"], candidate["salt"]) == (rollout.release.manifest_sha256, rollout.pk)
            assert candidate["basis_points"] == value_of(rollout).basis_points
    return document
