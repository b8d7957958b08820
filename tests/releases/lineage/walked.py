"""A route whose first release has served, whose second one serves, and the moments in between: all by the services."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from relcontrol.clock import now
from releases.models import Release
from releases.rolling import ticking
from releases.rolling.order import RollOrder
from releases.rolling.rolling_back import roll_back
from releases.rolling.starting import start_rollout
from releases.rollout_models import Rollback, Rollout, Serving
from tests.releases.canary import PLAN, REASON, Canary, passed, replica, warm
from tests.releases.scene import OTHER_MODEL

WHY = "Answers on IP licensing are wrong."
MOMENT = timedelta(microseconds=1)


class Clock:
    """Stands in for `datetime` in relcontrol.clock: the real time, and as far ahead of it as a test has moved."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self, zone: tzinfo) -> datetime:
        """The present."""
        return datetime.now(zone) + self.ahead

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self.ahead += timedelta(seconds=seconds)


@dataclass
class Walked:
    """The canary, and a third release that was put on its route by a whole rollout after the second one."""

    canary: Canary
    third: Release
    clock: Clock

    @property
    def servings(self) -> list[Serving]:
        """What the route has served by receipts, the oldest first."""
        rows = Serving.objects.filter(route=self.canary.route).exclude(receipt_hash="a" * 64)
        return list(rows.select_related("release").order_by("since"))

    def back(self, **order: Any) -> Rollback:
        """Roll the route back, a minute later."""
        self.clock.move(60)
        return roll_back(actor=self.canary.manager, route=self.canary.route, reason=WHY, **order)


def rolled(here: Canary, clock: Clock, release: Release) -> None:
    """A whole rollout of a release: started, and promoted by rule three times, a minute apart."""
    clock.move(60)
    ready(here, release)
    order = RollOrder(plan=PLAN, reason=REASON)
    row = start_rollout(actor=here.manager, release=here.fresh(release), order=order)
    for _ in PLAN:
        clock.move(61)
        related = ("organization", "application", "route", "release", "previous")
        ticking.tick(Rollout.objects.select_related(*related).get(pk=row.pk), now())


def ready(here: Canary, release: Release) -> None:
    """Gateways have everything and the model server of what a rollback would go to has just answered."""
    replica(here.organization, fingerprints=[row.bundle_sha256 for row in Release.objects.filter(route=here.route)])
    if release.previous_release is not None:
        warm(release.previous_release)


def next_release(here: Canary, previous: Release) -> Release:
    """A passed release with another model on what serves."""
    made = here.scene.registered(
        model_ref=OTHER_MODEL,
        prompt_template_ref=previous.refs["prompt_template"],
        previous_release=previous.pk,
    )
    row = here.fresh(Release.objects.get(pk=made["release_id"]))
    passed(row)
    return row


def walked_route(here: Canary, clock: Clock) -> Walked:
    """Second, then third release on the route, each by a rollout of three steps."""
    rolled(here, clock, here.candidate)
    third = next_release(here, here.candidate)
    rolled(here, clock, third)
    return Walked(here, third, clock)


def moments_around(rows: list[Serving]) -> list[datetime]:
    """Just before, at, and just after each change of what serves."""
    edges = [row.since for row in rows]
    return [edge + step for edge in edges for step in (-MOMENT, timedelta(0), MOMENT)]
