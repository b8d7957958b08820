"""A rollout at any point of its way, as rows: what pages read, without the hours that it takes in life."""

from datetime import datetime, timedelta
from typing import Any

from audit.models import Receipt
from relcontrol.accounts.models import Organization, RoutingState
from relcontrol.clock import now
from relcontrol.web.words import iso_time
from releases.checkpoints import DEFAULT_PLAN
from releases.measuring.checkpoint_sums import CheckpointSums
from releases.models import Release
from releases.replica_models import Replica
from releases.rolling.storing import plan_as_json
from releases.rollout_models import Measurement, Rollout, RolloutStep, Serving
from tests.releases.scene import OTHER_MODEL, Scene, stable

SETTINGS: dict[str, Any] = {
    "limits": {"errors": 1.5, "latency": 1.2},
    "tolerance": 0.05,
    "tolerances": {},
    "alarm": "rollout",
    "dry": [],
    "shadow_basis_points": 1000,
    "slices": [],
    "policies": [],
}
AGO = timedelta(minutes=11, seconds=24)
REASON = "Tom Behrens: The numbers look right."


def releases(of: Scene) -> tuple[Release, Release]:
    """What the route serves, and the release that follows it."""
    first = stable(of.registered()["release_id"])
    second = of.registered(model_ref=OTHER_MODEL, previous_release=first.manifest_sha256)
    return first, Release.objects.get(pk=second["release_id"])


def rollout(of: Scene, **values: Any) -> Rollout:
    """A rollout at 25 %, looked at a second ago; `values` are columns that are otherwise."""
    before, candidate = values.pop("releases", None) or releases(of)
    at = now()
    state = values.get("state", "checkpoint")
    over = state in ("completed", "halted", "aborted")
    usual: dict[str, Any] = {
        "organization": of.organization,
        "application": of.application,
        "route": candidate.route,
        "release": candidate,
        "previous": before,
        "plan": plan_as_json(DEFAULT_PLAN),
        "settings": SETTINGS,
        "state": state,
        "checkpoint": 2,
        "entered_at": at - AGO,
        "entered_generation": 2,
        "due": timedelta(seconds=900),
        "frozen": timedelta(0),
        "reasons": [REASON],
        "version": 3,
        "looked_at": at - timedelta(seconds=1),
        "started_by": "prn_tom",
        "started_by_label": "Tom Behrens",
        "started_at": at - timedelta(minutes=20),
        "ended_at": at - timedelta(minutes=2) if over else None,
    }
    row = Rollout.objects.create(**{**usual, **values})
    delivery = {"completed": "stable", "halted": "halted", "aborted": "registered"}.get(state, "rolling")
    if state == "completed" and before is not None:
        Release.objects.filter(pk=before.pk).update(delivery="superseded")
    Release.objects.filter(pk=candidate.pk).update(delivery=delivery)
    return Rollout.objects.select_related("release", "previous", "route", "organization").get(pk=row.pk)


def moved(row: Rollout, act: str, version: int, *, percent: int, checkpoint: int, ago: timedelta) -> RolloutStep:
    """A line of the timeline, with the newest receipt of the organization as its own."""
    receipt = Receipt.objects.filter(organization=row.organization).latest("seq")
    return RolloutStep.objects.create(
        rollout=row,
        version=version,
        act=act,
        state=row.state,
        checkpoint=checkpoint,
        percent=percent,
        reasons=["dwell 7:12, 1,000 requests, three monitors ok." if act == "promoted" else REASON],
        actor="internal" if act == "promoted" else "prn_tom",
        actor_label="relcontrol" if act == "promoted" else "Tom Behrens",
        receipt_hash=receipt.receipt_hash,
        receipt_seq=receipt.seq,
        at=now() - ago,
    )


def measured(row: Rollout, checkpoint: int, requests: int, *, points: int = 0, ago: timedelta = AGO) -> Measurement:
    """What was counted at a checkpoint, with a chart of so many points."""
    entered = row.entered_at if checkpoint == row.checkpoint else now() - ago
    return Measurement.objects.create(
        rollout=row,
        checkpoint=checkpoint,
        entered_at=entered,
        generation=2,
        folded_to=0,
        folded_at=now(),
        candidate_requests=requests,
        stable_requests=requests * 3,
        sums=CheckpointSums().as_json(),
        history=[_point(entered, number, points, requests) for number in range(points)],
    )


def _point(entered: datetime, number: int, of: int, requests: int) -> dict[str, Any]:
    part, wave = (number + 1) / of, (number * 7 % 11 - 5) / 100
    p95, stable_p95 = 1184 * (1 + wave / 2), 1092 * (1 + wave / 4)
    return {
        "at": iso_time(entered + (now() - entered) * part),
        "requests": int(requests * part),
        "stable_requests": int(requests * part * 3),
        "error_rate": 0.0010 + wave / 200,
        "stable_error_rate": 0.0009,
        "error_ratio": 1.14 + wave * 2,
        "p95_ms": p95,
        "stable_p95_ms": stable_p95,
        "p95_ratio": p95 / stable_p95,
        "quality": -0.01 + wave / 5,
    }


def verdict(metric: str, reading: str = "ok", **values: Any) -> dict[str, Any]:
    """A verdict of a look, as `releases.measuring.as_json` writes it."""
    usual: dict[str, Any] = {
        "metric": metric,
        "slice": None,
        "reading": reading,
        "evidence": "unproven",
        "n": 7912,
        "estimate": 1.08,
        "limit": 1.2,
        "op": "<=",
        "low": None,
        "high": None,
        "e_above": 0.04,
        "e_below": 3.0,
        "alarm": 480.0,
        "dispersion": None,
        "p": None,
        "reasons": [f"{metric}: 1.08 times the stable release, limit 1.20.", "Evidence 0.0 (breaches at 480)."],
    }
    return {**usual, **values}


def monitor(*verdicts: dict[str, Any], reading: str = "ok", dry: bool = False) -> dict[str, Any]:
    """A monitor of a look."""
    headlines = [each["reasons"][0] for each in verdicts] or ["Nothing has been measured yet."]
    return {"reading": reading, "dry": dry, "eta": None, "headlines": headlines, "verdicts": list(verdicts)}


def look(**monitors: Any) -> dict[str, Any]:
    """The last readings of a rollout."""
    quality = verdict("quality", slice="ip-licensing", estimate=-0.01, limit=-0.05, op=">=", n=38)
    return {
        "since": "2026-11-21T13:53:42Z",
        "requests": 7912,
        "requests_per_second": 11.6,
        "monitors": {
            "errors": monitor(verdict("errors", estimate=1.14, limit=1.5)),
            "latency": monitor(verdict("latency_ttft"), verdict("latency_total", estimate=1.1)),
            "quality": monitor(quality),
            **monitors,
        },
        "sample_ratio": None,
        "policies": [
            {"name": "toxicity", "action": "pause_for_review", "violated": False, "dry": False, "reasons": ["0.01."]}
        ],
        "waiting_for": {"next": None, "eta": None, "halts_at": None, "conditions": []},
    }


def gateway(owner: Organization, name: str, *, behind: int = 0, silent_s: float = 0, **values: Any) -> Replica:
    """A replica that reported so long ago, by the present generation or by one `behind` it."""
    at = now()
    state, _ = RoutingState.objects.get_or_create(organization=owner, defaults={"generation": 2, "changed_at": at})
    return Replica.objects.create(
        organization=owner,
        name=name,
        epoch=1,
        generation=state.generation - behind,
        acknowledged_at=at,
        first_seen_at=at - timedelta(hours=1),
        seen_at=at - timedelta(seconds=silent_s),
        **values,
    )


def served(row: Release, *, since: timedelta, until: timedelta | None = None, reason: str = "") -> Serving:
    """A line of a route's history."""
    at = now()
    receipt = Receipt.objects.filter(organization=row.organization).latest("seq")
    return Serving.objects.create(
        route=row.route,
        release=row,
        since=at - since,
        until=at - until if until is not None else None,
        generation=2,
        event="rollout.completed",
        reason=reason,
        decided_by="internal",
        decided_by_label="relcontrol",
        receipt_hash=receipt.receipt_hash,
    )


def canary(of: Scene, **values: Any) -> Rollout:
    """A rollout at 25 % with its timeline, readings and four gateways, as in the mock-up."""
    row = rollout(of, **values)
    moved(row, "started", 1, percent=5, checkpoint=1, ago=timedelta(minutes=20))
    moved(row, "promoted", 2, percent=25, checkpoint=2, ago=AGO)
    measured(row, 1, 1000, ago=timedelta(minutes=20))
    measured(row, 2, 7912, points=40)
    for name, silent in (("gw-fra-1", 0), ("gw-fra-2", 1), ("gw-iad-1", 2), ("gw-iad-2", 18)):
        gateway(of.organization, name, silent_s=silent, in_flight={row.release.manifest_sha256: 3})
    return row
