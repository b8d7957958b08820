"""A rollout with live traffic: two releases on one model server, and traces as gateways send them."""

import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gates.models import Slice
from relcontrol.clock import now
from relcontrol.jobs.leases import Lease, claim
from releases.models import Release
from releases.registry.order import Order
from releases.registry.registration import register
from releases.replays.choosing import choose_pairs
from releases.rollout_models import ReplayJob, ReplayPair, Rollout
from releases.traces.ingest import store
from tests.releases.canary import endpoint
from tests.releases.measuring.rows import GENERATION, new_rollout, value_of
from tests.releases.scene import Scene, body, scene

NOWHERE = "http://127.0.0.1:9/v1"
QUESTION = "May affiliates use the licence in a patent pool?"
ANSWER = "Affiliates may use it while the parent company holds more than half of their shares."
REFUSAL = "I cannot answer this for your case; you should consult an attorney who knows the file."
SLICE = "ip-licensing"
_NUMBERS = itertools.count(1)


@dataclass
class Stage:
    """One organization's rollout at its first checkpoint, a minute old."""

    scene: Scene
    row: Rollout

    def served(self, arm: str = "candidate", **changes: Any) -> dict[str, Any]:
        """One request that was served in life, stored as its gateway told of it."""
        number = next(_NUMBERS)
        told = {
            "trace_id": f"{number:032x}",
            "started_at": now().isoformat(),
            "request_id": f"req-{number}",
            "release": self.row.release.manifest_sha256,
            "route": self.row.route_id,
            "rollout": self.row.pk,
            "arm": arm,
            "generation": GENERATION,
            "subject": f"subject-{number}",
            "input": {"messages": [{"role": "user", "content": f"{QUESTION} ({number})"}], "stream": True},
            "output": ANSWER,
            "status": 200,
            "metadata": {"topic": SLICE},
            **changes,
        }
        stored = store(self.scene.organization, [told], now=now())
        assert stored.accepted == 1, stored.rejected
        return told

    def choose(self, at: datetime | None = None) -> int:
        """One tick's choice."""
        fresh = self.fresh()
        return choose_pairs(fresh, value_of(fresh), at or now())

    def fresh(self) -> Rollout:
        """The rollout as the ticker reads it."""
        rows = Rollout.objects.select_related("organization", "application", "route", "release", "previous")
        return rows.get(pk=self.row.pk)

    def pairs(self, state: str = "") -> list[ReplayPair]:
        """The rollout's pairs in the order of choosing."""
        rows = ReplayPair.objects.filter(rollout=self.row).order_by("pk")
        return list(rows.filter(state=state) if state else rows)

    def lease(self, at: datetime | None = None) -> Lease[ReplayJob]:
        """A worker's lease of the rollout's job."""
        lease = claim(ReplayJob.objects.filter(rollout=self.row), "worker:1", at or now())
        assert lease is not None
        return lease


def stage(
    slug: str = "northgate",
    *,
    base_url: str = NOWHERE,
    candidate: str = "demo-healthy",
    stable: str = "demo-healthy",
    **changes: Any,
) -> Stage:
    """An organization whose two releases are answered by these models of one server."""
    here = scene(slug)
    Slice.objects.filter(organization=here.organization, slug=SLICE).update(
        threshold="0.65", match={"metadata": {"topic": SLICE}}
    )
    endpoint(here.organization, base_url)
    previous = _registered(here, stable)
    release = _registered(here, candidate, generation={"seed": 1} if candidate == stable else None)
    entered = now() - timedelta(minutes=1)
    row = new_rollout(here, release=release, previous=previous, entered_at=entered, started_at=entered, **changes)
    return Stage(here, row)


def _registered(here: Scene, model: str, **changes: Any) -> Release:
    order = Order(**body(model_ref=f"endpoint:main-llm/{model}", **changes))
    return register(actor=here.actor, order=order).release
