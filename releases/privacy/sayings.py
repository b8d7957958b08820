"""Feedback as a copy: what people said of answers, which may quote them. Light, as whoever stores traces needs it."""

from collections import Counter
from datetime import datetime
from typing import Final

from releases.trace_models import Feedback

AT_ONCE: Final = 1000


def erase_feedback(organization_id: str, request_ids: set[str]) -> int:
    """Delete what was said of the answers to these requests: a label may quote, and a thumb is about her answer."""
    if not request_ids:
        return 0
    return Feedback.objects.filter(organization_id=organization_id, request_id__in=request_ids).delete()[0]


def expire_feedback(end: datetime) -> Counter[str]:
    """Delete what is older. Its ids follow its time, so the oldest are found without an index on the time."""
    gone: Counter[str] = Counter()
    oldest = Feedback.objects.order_by("pk").values_list("pk", "created_at", "organization_id")
    while batch := [(key, owner) for key, said_at, owner in oldest[:AT_ONCE] if said_at < end]:
        Feedback.objects.filter(pk__in=[key for key, _ in batch]).delete()
        gone.update(owner for _, owner in batch)
    return gone
