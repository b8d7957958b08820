"""Reading anchors: what was given to whom, what was made of it, and how far the log is anchored."""

from django.db.models import Max, QuerySet

from audit.anchor_models import Anchor, AnchorSchedule, AnchorSink, Checkpoint
from audit.events import Event
from audit.models import Receipt
from relcontrol.accounts.models import Organization
from relcontrol.jobs.models import LeasedJob


def sinks_of(organization: Organization) -> QuerySet[AnchorSink]:
    """Sinks of an organization, by name; those that are switched off, too."""
    return AnchorSink.objects.filter(organization=organization).order_by("name")


def schedule_of(organization: Organization) -> AnchorSchedule:
    """The schedule; where none was set, the one that holds without."""
    return AnchorSchedule.objects.filter(organization=organization).first() or AnchorSchedule(organization=organization)


def checkpoints_of(organization: Organization) -> QuerySet[Checkpoint]:
    """Checkpoints that were given to sinks, newest first."""
    return Checkpoint.objects.filter(organization=organization).order_by("-pk")


def anchors_of(organization: Organization) -> QuerySet[Anchor]:
    """Anchors, newest first, without their evidence."""
    rows = Anchor.objects.filter(organization=organization).select_related("checkpoint", "sink", "trust", "receipt")
    return rows.defer("evidence", "receipt__payload", "receipt__signature").order_by("-pk")


def newest_checkpoint(organization: Organization) -> Checkpoint | None:
    """The one over the most receipts."""
    return Checkpoint.objects.filter(organization=organization).order_by("-size").first()


def made_size(organization: Organization, sink: AnchorSink | None = None) -> int:
    """Up to which size the log is anchored, by one sink or by any; 0 for not at all."""
    made = Anchor.objects.filter(organization=organization, state=LeasedJob.State.DONE)
    if sink is not None:
        made = made.filter(sink=sink)
    return made.aggregate(most=Max("checkpoint__size"))["most"] or 0


def unanchored(organization: Organization, size: int) -> QuerySet[Receipt]:
    """The receipts beyond this size that an anchor has still to cover; those that anchors leave do not count."""
    rows = Receipt.objects.filter(organization=organization, seq__gt=size)
    return rows.exclude(event=Event.ANCHOR_MADE.value).order_by("seq")


def newest_of_each_sink(organization: Organization) -> dict[str, Anchor]:
    """The newest anchor that each sink was given and that nothing has overtaken, by the sink's id."""
    rows = anchors_of(organization).exclude(state=LeasedJob.State.CANCELLED)
    return {row.sink_id: row for row in rows.order_by("sink", "-pk").distinct("sink")}
