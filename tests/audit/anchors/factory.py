"""Receipts and sinks of an organization, cheaply."""

from dataclasses import replace
from pathlib import Path

from django.db import transaction

from audit.anchor_models import Anchor, AnchorSink, Checkpoint
from audit.anchors.sinks import add_sink
from audit.anchors.working import make_anchor
from audit.events import Event
from audit.models import Receipt
from audit.receipts import Record, append
from audit.statement import ClosedApiWeights, Delivery, ReleaseRef
from audit.verify import DELIVERY_FAMILIES
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization
from relcontrol.jobs.running import run


@transaction.atomic
def receipts(
    owner: Organization, count: int = 1, *, event: Event = Event.ARTIFACT_CREATED, manifest: str | None = None
) -> Receipt:
    """So many receipts more; the last of them."""
    record = Record(event=event, outcome="recorded", kind="artifact", name="one", state={"n": 1})
    if manifest:
        weights = ClosedApiWeights("openai", "gpt-4o-mini")
        record = replace(record, release=ReleaseRef(manifest), application="legal-assistant", weights=weights)
    if event.family in DELIVERY_FAMILIES:
        record = replace(record, delivery=Delivery("rolling", "stable"))
    return [append(command_actor(owner), record) for _ in range(count)][-1]


def folder_sink(owner: Organization, folder: Path, name: str = "the tape") -> AnchorSink:
    """A sink that always works, as long as RELCONTROL_ANCHOR_FOLDERS allows the folder."""
    return add_sink(actor=command_actor(owner), name=name, kind="file", settings={"folder": str(folder)})


def worked(checkpoint: Checkpoint) -> list[Anchor]:
    """What the worker has made of a checkpoint's anchors, by the name of the sink."""
    for key in list(checkpoint.anchors.values_list("pk", flat=True)):
        run(Anchor.objects.filter(pk=key), make_anchor)
    return list(checkpoint.anchors.select_related("sink", "receipt", "checkpoint").order_by("sink__name"))
