"""What gateways report: heartbeats, added up for a second, and acknowledgements, written at once (gateway.md).

Both become one row for each replica of an organization. Within one write the newest report of a replica stands, with
the highest (epoch, generation) that it told of: reports overtake each other on the way.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from rest_framework import serializers

from relcontrol.accounts.models import Organization
from relcontrol.api.inputs import Input, Text, Whole

MOST: int = 2**53 - 1
NEAR = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Report:
    """One heartbeat or acknowledgement. `acknowledged_at` is there on an acknowledgement only.

    An acknowledgement says nothing of the load: `load` is None, and what is known of it stays.
    """

    organization: str
    name: str
    region: str
    epoch: int
    generation: int
    fingerprints: tuple[str, ...]
    seen_at: datetime
    load: dict[str, Any] | None = None
    acknowledged_at: datetime | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Whose report it is."""
        return self.organization, self.name

    @property
    def position(self) -> tuple[int, int]:
        """(epoch, generation)."""
        return self.epoch, self.generation


class _ReportInput(Input):
    """What both have."""

    replica = Text(max_length=100)
    region = Text(max_length=60, required=False, allow_blank=True, default="")
    epoch = Whole(min_value=1, max_value=2**31 - 1, required=False, default=1)
    generation = Whole(min_value=0, max_value=MOST)
    fingerprints = serializers.ListField(
        child=serializers.RegexField(r"^[0-9a-f]{64}\Z"), max_length=1_000, required=False, default=list
    )


class HeartbeatInput(_ReportInput):
    """The body of a heartbeat."""

    in_flight = serializers.DictField(child=Whole(min_value=0, max_value=MOST), required=False, default=dict)
    queued = Whole(min_value=0, max_value=MOST, required=False, default=0)
    dropped = Whole(min_value=0, max_value=MOST, required=False, default=0)
    version = Text(max_length=40, required=False, allow_blank=True, default="")


class AckInput(_ReportInput):
    """The body of an acknowledgement; `at` is when the replica began to serve by the generation."""

    at = serializers.DateTimeField(required=False, default=None, default_timezone=UTC)


def heartbeat(organization: Organization, said: dict[str, Any], now: datetime) -> Report:
    """A checked heartbeat as a report."""
    load = {name: said[name] for name in ("in_flight", "queued", "dropped", "version")}
    return _report(organization, said, now, load=load)


def acknowledgement(organization: Organization, said: dict[str, Any], now: datetime) -> Report:
    """A checked acknowledgement as a report. A time far from our own clock's is the mark of a wrong clock."""
    at = said["at"]
    return _report(organization, said, now, acknowledged_at=at if at and now - NEAR <= at <= now else now)


def merged(reports: Iterable[Report]) -> dict[tuple[str, str], Report]:
    """One report for each replica, of reports in the order in which they came."""
    newest: dict[tuple[str, str], Report] = {}
    for report in reports:
        known = newest.get(report.key)
        newest[report.key] = _later(known, report) if known is not None else report
    return newest


def _later(known: Report, report: Report) -> Report:
    ahead = report if report.position >= known.position else known
    return replace(
        report,
        epoch=ahead.epoch,
        generation=ahead.generation,
        fingerprints=ahead.fingerprints,
        load=report.load if report.load is not None else known.load,
        acknowledged_at=report.acknowledged_at or known.acknowledged_at,
    )


def _report(organization: Organization, said: dict[str, Any], now: datetime, **more: Any) -> Report:
    return Report(
        organization=organization.pk,
        name=said["replica"],
        region=said["region"],
        epoch=said["epoch"],
        generation=said["generation"],
        fingerprints=tuple(sorted(set(said["fingerprints"]))),
        seen_at=now,
        **more,
    )
