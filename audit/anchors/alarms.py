"""Which sinks have made nothing for too long while there is something to anchor, and whether the schedule stands still.

A failing anchor blocks no release; that is why somebody must be told. Read by the overview, the anchors' page, health
and metrics.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from audit.anchor_models import Anchor, AnchorSchedule, AnchorSink
from audit.anchors.checkpoints import SWITCHED_OFF
from audit.anchors.selectors import made_size, newest_checkpoint, schedule_of, sinks_of, unanchored
from relcontrol.accounts.models import Organization
from relcontrol.jobs.models import LeasedJob


@dataclass(frozen=True, slots=True)
class Overdue:
    """What is overdue since when: a sink with its last problem, or without one the schedule itself."""

    since: datetime
    receipts: int
    sink: AnchorSink | None = None
    problem: str = ""

    @property
    def sentence(self) -> str:
        """For people."""
        what = f"{self.receipts:,} receipt{'' if self.receipts == 1 else 's'}"
        if self.sink is None:
            return f"No checkpoint was made of {what}, although the schedule asks for one."
        return f"{self.sink.name} has not anchored {what}. {self.problem or 'It has not been tried yet.'}"


def overdue_of(organization: Organization, at: datetime) -> list[Overdue]:
    """Everything that is overdue here, sinks by name, the schedule last."""
    schedule, sinks = schedule_of(organization), list(sinks_of(organization).filter(enabled=True))
    limit = timedelta(minutes=schedule.overdue_minutes)
    found = [late for sink in sinks if (late := _late_sink(organization, sink, at - limit))]
    if sinks and schedule.every_minutes is not None and (late := _late_schedule(organization, schedule, sinks, at)):
        found.append(late)
    return found


def count_overdue(at: datetime) -> int:
    """How many sinks and schedules are overdue, over all organizations."""
    owners = Organization.objects.filter(anchor_sinks__enabled=True).distinct()
    return sum(len(overdue_of(organization, at)) for organization in owners)


def _late_sink(organization: Organization, sink: AnchorSink, before: datetime) -> Overdue | None:
    """Late once the first checkpoint that it was given since its last success has waited so long."""
    size = made_size(organization, sink)
    given = Anchor.objects.filter(sink=sink, checkpoint__size__gt=size).exclude(state=LeasedJob.State.DONE)
    given = given.exclude(problem__code=SWITCHED_OFF["code"]).order_by("created_at")
    first = given.first()
    if first is None or first.created_at >= before:
        return None
    newest = given.exclude(last_problem="").last()
    receipts = unanchored(organization, size).count()
    if not receipts:
        return None
    return Overdue(first.created_at, receipts, sink, newest.last_problem if newest else "")


def _late_schedule(
    organization: Organization, schedule: AnchorSchedule, sinks: list[AnchorSink], at: datetime
) -> Overdue | None:
    """Late once the first receipt beyond the newest checkpoint is older than the period and the limit together."""
    newest = newest_checkpoint(organization)
    waiting = unanchored(organization, newest.size if newest else 0)
    first = waiting.values_list("issued_at", flat=True).first()
    if first is None:
        return None
    begins = max(first, min(sink.created_at for sink in sinks))
    period = timedelta(minutes=(schedule.every_minutes or 0) + schedule.overdue_minutes)
    return Overdue(begins, waiting.count(), None) if at - begins > period else None
