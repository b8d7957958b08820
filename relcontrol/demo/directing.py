"""The demo's people at work: r1 is rolled out as the first release of its route, then r2 in checkpoints.

Meanwhile their judge is measured, and judges (`relcontrol.demo.measuring`).

Where it stands is read from the rows at every look, so that it may be ended and started again at any time. It does what
nobody else has done: as soon as r2 has ever been rolled out, or the route has taken another way, there is nothing left.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from relcontrol.accounts.actors import Actor
from relcontrol.demo.decisions import MANAGER, acting
from relcontrol.demo.making import organization
from relcontrol.demo.measuring import next_measure
from relcontrol.demo.registering import APPLICATION
from relcontrol.errors import Conflict
from releases.checkpoints import Checkpoint
from releases.models import Release
from releases.rolling.order import CANARY, SHADOW, RollOrder
from releases.rolling.preparing import prepare
from releases.rolling.selectors import open_rollout
from releases.rolling.starting import start_rollout
from releases.rollout_models import Rollout
from releases.selectors import serving

LOOK_EVERY_S: Final = 2.0
# Short dwells, so that a first look sees it move. Of 300 requests 200 are streamed, as the latency monitor needs (R11);
# at 5 % of the demo's traffic they take three minutes, which one dwell and its extensions hold. Nothing is compared in
# the shadow of a first release, which needs 100 to see an outage.
FIRST_PLAN: Final = (Checkpoint(5, 20, 100), Checkpoint(25, 20, 100), Checkpoint(100, 20, 100))
SECOND_PLAN: Final = (Checkpoint(5, 90, 300), Checkpoint(25, 40, 300), Checkpoint(100, 30, 300))
FIRST_ORDER: Final = RollOrder(FIRST_PLAN, SHADOW, "The first release of this route: copies of live questions first.")
SECOND_ORDER: Final = RollOrder(SECOND_PLAN, CANARY, "r2 passed its gate in every slice.")

Write = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Step:
    """A release that is to be rolled out now."""

    release: Release
    order: RollOrder


def direct(write: Write, pause: Callable[[float], object]) -> None:
    """Do all that the demo's people do, side by side; returns when there is nothing left to do."""
    said: dict[str, str] = {}
    while lines := {name: line for name, line in (("roll", _roll()), ("judge", next_measure())) if line is not None}:
        for name, line in lines.items():
            if line != said.get(name):
                write(line)
        said |= lines
        pause(LOOK_EVERY_S)
    write("nothing left to do: the demo's releases are the user's")


def _roll() -> str | None:
    found = next_step()
    return _done(found) if isinstance(found, Step) else found


def next_step() -> Step | str | None:
    """What is to be rolled out now, the sentence what is waited for, or None where the rest is the user's."""
    found = organization()
    rows = Release.objects.filter(organization=found, application__slug=APPLICATION).select_related("route")
    releases = list(rows.filter(number__lte=2).order_by("number"))
    if len(releases) != 2:
        return None
    first, second = releases
    if Rollout.objects.filter(release=second).exists():
        return None
    running, stable = open_rollout(first.route), serving(first.route)
    if running is not None:
        return f"waiting for {running.release.name}, which is rolling out" if running.release_id == first.pk else None
    if stable is None:
        again = Rollout.objects.filter(release=first).exists()  # it was stopped once, so a person decides
        return None if again else Step(first, FIRST_ORDER)
    return Step(second, SECOND_ORDER) if stable.pk == first.pk else None


def _done(step: Step) -> str:
    """Start the rollout; what stands against it is said, and tried again at the next look."""
    actor = _manager(step.release)
    try:
        prepare(actor=actor, release=step.release)
        row = start_rollout(actor=actor, release=step.release, order=step.order)
    except Conflict as conflict:
        return f"{step.release.name} cannot be rolled out yet: {conflict.detail}"
    return f"rolling {step.release.name} out ({row.pk})"


def _manager(release: Release) -> Actor:
    return acting(release.organization, MANAGER)
