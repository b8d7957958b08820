"""The kinds of sinks, by the word that rows, receipts and exports have for them."""

from collections.abc import Mapping
from typing import Final

from audit.anchor_models import AnchorSink
from audit.anchors.file import Folder
from audit.anchors.orders import Sink
from audit.anchors.rfc3161 import TimeStamps
from audit.anchors.webhook import Webhook
from audit.anchors.witness import Witness
from relcontrol.errors import invalid

KINDS: Final[Mapping[str, Sink]] = {
    AnchorSink.Kind.RFC3161: TimeStamps(),
    AnchorSink.Kind.WITNESS: Witness(),
    AnchorSink.Kind.WEBHOOK: Webhook(),
    AnchorSink.Kind.FILE: Folder(),
}


def sink_of(kind: str) -> Sink:
    """What can be done with sinks of this kind; `Invalid` where there is no such kind."""
    sink = KINDS.get(kind)
    if sink is None:
        raise invalid("kind", f"Use one of {', '.join(KINDS)}.")
    return sink
