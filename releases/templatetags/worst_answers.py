"""Links to the worst answers of an event, from its receipt and from its page."""

from typing import Any, Final

from django import template

from audit.events import Event
from audit.models import Receipt
from releases.rollout_models import Rollout
from releases.worst.selectors import worst_by_receipt, worst_of

register = template.Library()

EVENTS: Final = frozenset({Event.ROLLOUT_HALTED, Event.ROLLBACK_AUTO, Event.ROLLBACK_MANUAL, Event.DRIFT_ALARMED})


@register.inclusion_tag("releases/observe/worst_link.html")
def worst_link(receipt: Receipt) -> dict[str, Any]:
    """Nothing where the receipt's event has no worst answers."""
    has_some = receipt.event in EVENTS
    worst = worst_by_receipt(receipt.organization, receipt.receipt_hash) if has_some else None
    return {"worst": worst, "organization": receipt.organization.slug}


@register.inclusion_tag("releases/observe/worst_link.html")
def worst_link_of(rollout: Rollout) -> dict[str, Any]:
    """Nothing where the rollout was not halted."""
    worst = worst_of(rollout) if rollout.state == Rollout.State.HALTED else None
    return {"worst": worst, "organization": rollout.organization.slug}
