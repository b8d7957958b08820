"""Forgetting old observations of weights, which an agent may send every minute (receipts.md "Weights").

Each that comes in takes with it what is older than any trace: lineage asks what was known when a request was answered,
and goes back no further. What a receipt rests on stays, as it names the digest of what the observer signed. So does the
last one before that time, as what it says holds on until the next.
"""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Exists, OuterRef

from audit.evidence_models import WeightsObservation
from audit.models import Receipt
from audit.weights.standing import MAX_AGE
from releases.weights.receipts import EVENTS

SAME_CALL: Final = timedelta(minutes=1)  # a receipt is written in the call that brought its observation
MOST_AT_ONCE: Final = 1_000


def prune(newest: WeightsObservation, at: datetime) -> int:
    """Delete what its observer saw in place of the same weights long ago and nothing needs; how many there were."""
    rows = WeightsObservation.objects.filter(observer=newest.observer_id, expected_sha256=newest.expected_sha256)
    old = rows.filter(observed_at__lt=at - timedelta(days=settings.TRACE_RETENTION_DAYS) - 2 * MAX_AGE)
    last = old.order_by("-observed_at", "-pk").values_list("pk", flat=True).first()
    if last is None:
        return 0
    receipts = Receipt.objects.filter(
        organization=OuterRef("organization"),
        event__in=EVENTS,
        issued_at__gte=OuterRef("received_at"),
        issued_at__lte=OuterRef("received_at") + SAME_CALL,
    )
    gone = old.exclude(pk=last).filter(~Exists(receipts)).order_by("observed_at").values("pk")[:MOST_AT_ONCE]
    return WeightsObservation.objects.filter(pk__in=gone).delete()[0]
