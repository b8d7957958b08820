"""The gateways of an organization as a card shows them: who is there, and who has the newest routing."""

from datetime import datetime, timedelta
from typing import Any, Final

from relcontrol.accounts.models import Organization, RoutingState
from releases.routing.replicas import ReplicaView, replicas_of

SHOWN: Final = 8
STATUS: Final = {
    "in step": ("pass", "In step"),
    "behind": ("running", "Behind"),
    "silent": ("hold", "Silent"),
    "lost": ("fail", "Lost"),
}
WORST_FIRST: Final = ("lost", "silent", "behind", "in step")


def gateways(organization: Organization, at: datetime, *, stopped: str = "") -> dict[str, Any]:
    """The context of the card; of a `stopped` release (its manifest SHA-256) also what it is still answering."""
    views = sorted(replicas_of(organization, at), key=lambda view: (WORST_FIRST.index(view.state), view.name))
    state = RoutingState.objects.filter(organization=organization).first()
    live = [view for view in views if view.live]
    return {
        "replicas": [(view, *_said(view)) for view in views[:SHOWN]],
        "more_replicas": max(0, len(views) - SHOWN),
        "generation": state.generation if state else 0,
        "acknowledged": sum(view.state == "in step" for view in live),
        "live_replicas": len(live),
        "draining": _draining(stopped, views) if stopped else None,
    }


def _said(view: ReplicaView) -> tuple[str, str]:
    kind, word = STATUS[view.state]
    return kind, word if view.live else f"{word} {_ago(view.seen_ago)}"


def _ago(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"


def _draining(sha: str, views: list[ReplicaView]) -> int:
    return sum(view.in_flight.get(sha, 0) for view in views if view.state != "lost")
