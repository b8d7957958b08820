"""What the gateways of an organization last reported: who is there, who has the newest routing, what is in flight.

Live is a replica that was heard of within 15 s, lost one that was silent for 30 s (gateway.md "The snapshot"). What a
silent replica has in flight counts for a drain until it is lost: it may be answering still.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from django.db.models import QuerySet

from relcontrol.accounts.models import Organization, RoutingState
from releases.replica_models import Replica

LIVE: Final = timedelta(seconds=15)
LOST: Final = timedelta(seconds=30)
KEPT: Final = timedelta(days=7)

ReplicaState = Literal["in step", "behind", "silent", "lost"]


@dataclass(frozen=True, slots=True)
class ReplicaView:
    """One replica as pages show it. `in_flight` is by manifest SHA-256, `fingerprints` are bundle digests."""

    name: str
    region: str
    epoch: int
    generation: int
    state: ReplicaState
    seen_ago: timedelta
    in_flight: dict[str, int]
    queued: int
    dropped: int
    fingerprints: frozenset[str]
    version: str

    @property
    def live(self) -> bool:
        """It counts where replicas are counted."""
        return self.state in {"in step", "behind"}


def replicas_of(organization: Organization, now: datetime) -> list[ReplicaView]:
    """Every replica that is still known, by name, lost ones last."""
    newest = _newest(organization)
    rows = Replica.objects.filter(organization=organization)
    return sorted((_view(row, newest, now) for row in rows), key=lambda view: (view.state == "lost", view.name))


def acknowledged(organization: Organization, generation: int, now: datetime) -> tuple[int, int]:
    """How many live replicas serve by this generation of the present epoch or a later one, and how many live."""
    epoch, _ = _newest(organization)
    rows = list(_seen_since(organization, now - LIVE).values_list("epoch", "generation"))
    return sum(row >= (epoch, generation) for row in rows), len(rows)


def draining(organization: Organization, sha: str, now: datetime) -> int:
    """Requests in flight on the release with this manifest SHA-256, on all replicas that are not lost."""
    rows = _seen_since(organization, now - LOST).values_list("in_flight", flat=True)
    return sum(in_flight.get(sha, 0) for in_flight in rows)


def fingerprints_of_live(organization: Organization, now: datetime) -> dict[str, set[str]]:
    """The bundles that each live replica serves, by the replica's name."""
    rows = _seen_since(organization, now - LIVE).values_list("name", "fingerprints")
    return {name: set(fingerprints) for name, fingerprints in rows}


def tidy_replicas(now: datetime) -> int:
    """Forget replicas of every organization that were not heard of for a week; how many there were."""
    return Replica.objects.filter(seen_at__lt=now - KEPT).delete()[0]


def _seen_since(organization: Organization, since: datetime) -> QuerySet[Replica]:
    return Replica.objects.filter(organization=organization, seen_at__gte=since)


def _newest(organization: Organization) -> tuple[int, int]:
    """(epoch, generation) of the organization; before the first change there is nothing to be behind of."""
    row = RoutingState.objects.filter(organization=organization).values_list("epoch", "generation").first()
    return row or (0, 0)


def _view(row: Replica, newest: tuple[int, int], now: datetime) -> ReplicaView:
    seen_ago = max(timedelta(0), now - row.seen_at)
    return ReplicaView(
        name=row.name,
        region=row.region,
        epoch=row.epoch,
        generation=row.generation,
        state=_state((row.epoch, row.generation) >= newest, seen_ago),
        seen_ago=seen_ago,
        in_flight=row.in_flight,
        queued=row.queued,
        dropped=row.dropped,
        fingerprints=frozenset(row.fingerprints),
        version=row.version,
    )


def _state(in_step: bool, seen_ago: timedelta) -> ReplicaState:
    if seen_ago > LOST:
        return "lost"
    if seen_ago > LIVE:
        return "silent"
    return "in step" if in_step else "behind"
