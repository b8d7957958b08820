"""How far each replica has come with a rollback: whether it has swapped, when, and what it still finishes.

A replica acknowledges when it swaps, by its own clock. It has drained with the first heartbeat after its swap that
reports nothing in flight on what was left. One that falls silent is waited for until it counts as lost.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Self

from audit.chain import timestamp
from relcontrol.accounts.models import RoutingState
from releases.replica_models import Replica
from releases.rollout_models import Rollback
from releases.routing.replicas import LOST

BEAT: Final = timedelta(seconds=1)
REPLICAS: Final = "replicas"
_TIMES: Final = ("acknowledged_at", "drained_at")

Position = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Way:
    """How far one replica has come with a rollback; a `lost` one was not heard of again before it came through."""

    name: str
    region: str
    acknowledged_at: datetime | None = None
    drained_at: datetime | None = None
    in_flight: int = 0
    lost: bool = False

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """As the row keeps it."""
        times = {name: moment_from(said[name]) for name in _TIMES}
        return cls(said["name"], said["region"], **times, in_flight=said["in_flight"], lost=said["lost"])

    def as_json(self) -> dict[str, Any]:
        """For the row, the API and the receipt."""
        times = {name: timestamp(at) if (at := getattr(self, name)) else None for name in _TIMES}
        return {**asdict(self), **times}


def ways_of(row: Rollback) -> list[Way]:
    """How far each replica has come, by name."""
    return [Way.from_json(said) for said in row.progress.get(REPLICAS, ())]


def moment_from(said: str | None) -> datetime | None:
    """A time as receipts write it."""
    return datetime.fromisoformat(said) if said else None


def looked(row: Rollback, now: datetime) -> list[Way]:
    """The same as the replicas' own reports have it now; what is known stays known."""
    known = {way.name: way for way in ways_of(row)}
    needed = RoutingState.objects.get(organization=row.organization_id).epoch, row.generation
    for replica in _concerned(row, known, needed, now):
        known[replica.name] = _further(known.get(replica.name), replica, row, needed, now)
    return sorted(known.values(), key=lambda way: way.name)


def _concerned(row: Rollback, known: Iterable[str], needed: Position, now: datetime) -> list[Replica]:
    """Replicas that had to swap: those that were there, and later ones that began by an older generation."""
    rows = list(Replica.objects.filter(organization=row.organization_id).order_by("name"))
    there = [each for each in rows if each.first_seen_at <= row.decided_at and each.seen_at > row.decided_at - LOST]
    behind = [each for each in rows if (each.epoch, each.generation) < needed]
    late = [each for each in behind if each.first_seen_at > row.decided_at and now - each.seen_at <= LOST]
    wanted = {each.name for each in (*there, *late)} | set(known)
    return [each for each in rows if each.name in wanted]


def _further(way: Way | None, replica: Replica, row: Rollback, needed: Position, now: datetime) -> Way:
    way = way or Way(replica.name, replica.region)
    swapped = (replica.epoch, replica.generation) >= needed
    at = way.acknowledged_at or (_swapped_at(replica, row) if swapped else None)
    in_flight = replica.in_flight.get(row.left.manifest_sha256, 0)
    drained = way.drained_at or (replica.seen_at if at and not in_flight and _has_beaten_since(at, replica) else None)
    lost = drained is None and now - replica.seen_at > LOST
    return replace(way, acknowledged_at=at, drained_at=drained, in_flight=in_flight, lost=lost)


def _swapped_at(replica: Replica, row: Rollback) -> datetime:
    """When it says that it swapped. Where that is of an earlier swap, or was before the decision: when it reported."""
    told = replica.acknowledged_at
    return told if told and told >= row.decided_at else replica.seen_at


def _has_beaten_since(at: datetime, replica: Replica) -> bool:
    """A heartbeat came after its swap: an acknowledgement says nothing of what is in flight."""
    return replica.seen_at >= max(at, replica.acknowledged_at or at) + BEAT


def last_of(ways: Iterable[Way], name: str) -> datetime | None:
    """The latest of these times; None while one is missing that may still come, and where nobody is there."""
    times = [getattr(way, name) for way in ways if not way.lost or getattr(way, name)]
    return max(times) if times and None not in times else None
