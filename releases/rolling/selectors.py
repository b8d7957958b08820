"""Reading rollouts: by id, as lists, those that are not over, and the steps that each has taken."""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, OuterRef, QuerySet

from relcontrol.accounts.models import Organization, Route
from relcontrol.accounts.selectors import found
from releases.rollout_models import OVER, Rollout, RolloutStep, Serving

LATELY: Final = timedelta(days=1)


def rollouts_of(organization: Organization) -> QuerySet[Rollout]:
    """Rollouts of an organization, newest first, with their releases but not the bytes of the manifests."""
    rows = Rollout.objects.filter(organization=organization).order_by("-pk")
    return rows.select_related("organization", "application", "route", "release", "previous").defer(
        "release__manifest", "previous__manifest"
    )


def rollout_named(organization: Organization, key: str) -> Rollout:
    """The rollout with this id (rol_…)."""
    return found(rollouts_of(organization), "rollout", pk=key)


def open_rollouts() -> QuerySet[Rollout]:
    """Everything that the ticker looks at, of every organization, oldest first."""
    rows = Rollout.objects.exclude(state__in=OVER).order_by("pk")
    return rows.select_related("organization", "application", "route", "release", "previous")


def running_rollouts(organization: Organization) -> QuerySet[Rollout]:
    """The same of one organization, newest first."""
    return rollouts_of(organization).exclude(state__in=OVER)


def open_rollout(route: Route) -> Rollout | None:
    """The rollout that runs on a route."""
    return open_rollouts().filter(route=route).first()


def held_rollouts(organization: Organization) -> QuerySet[Rollout]:
    """Rollouts that stand still until a person decides, first the one whose time runs out first."""
    held = [Rollout.State.WAITING_REVIEW, Rollout.State.PAUSED]
    return rollouts_of(organization).filter(state__in=held).order_by("first_held_at")


def halted_lately(organization: Organization, at: datetime) -> list[Rollout]:
    """Rollouts that were halted within a day, where nothing was rolled out on their route since."""
    later = Rollout.objects.filter(route=OuterRef("route"), pk__gt=OuterRef("pk"))
    rows = rollouts_of(organization).filter(state=Rollout.State.HALTED, ended_at__gte=at - LATELY)
    return list(rows.filter(~Exists(later)))


def steps_of(rollout: Rollout) -> QuerySet[RolloutStep]:
    """What happened to a rollout, newest first."""
    return RolloutStep.objects.filter(rollout=rollout).order_by("-version")


def servings_of(route: Route) -> QuerySet[Serving]:
    """What a route served, newest first."""
    rows = Serving.objects.filter(route=route).select_related("release").order_by("-since", "-pk")
    return rows.defer("release__manifest")
