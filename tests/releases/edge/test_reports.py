"""Heartbeats and acknowledgements: merged, written, never going back by accident."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from relcontrol.accounts.models import Organization
from relcontrol.api.inputs import read
from relcontrol.errors import Invalid
from releases.edge.report_rows import write
from releases.edge.reports import HeartbeatInput, Report, merged
from releases.replica_models import Replica
from tests.factories import organization
from tests.releases.edge.conftest import Gateways, gateways
from tests.releases.edge.processes import EdgeProcess
from tests.waiting import until

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LOAD = {"in_flight": {"sha": 2}, "queued": 1, "dropped": 0, "version": "1"}
PRINT = "ab" * 32


def heartbeat(generation: int, seconds: float = 0, **changes: Any) -> Report:
    values: dict[str, Any] = {
        "organization": "org_1",
        "name": "r1",
        "region": "eu",
        "epoch": 1,
        "generation": generation,
        "fingerprints": (f"print of {generation}",),
        "seen_at": NOW + timedelta(seconds=seconds),
        "load": LOAD,
    }
    return Report(**values | changes)


def ack(generation: int, seconds: float = 0, **changes: Any) -> Report:
    at = NOW + timedelta(seconds=seconds)
    return heartbeat(generation, seconds, **{"load": None, "acknowledged_at": at} | changes)


def one(*reports: Report) -> Report:
    (report,) = merged(reports).values()
    return report


def test_the_newest_heartbeat_of_a_second_stands() -> None:
    later = {**LOAD, "queued": 7}
    report = one(heartbeat(3), heartbeat(3, 0.5, load=later))
    assert (report.load, report.seen_at) == (later, NOW + timedelta(seconds=0.5))


def test_within_a_second_a_generation_never_goes_back() -> None:
    report = one(heartbeat(4), heartbeat(3, 0.5))
    assert (report.generation, report.fingerprints) == (4, ("print of 4",))
    assert report.seen_at == NOW + timedelta(seconds=0.5)


def test_a_later_epoch_goes_before_any_generation_of_an_older_one() -> None:
    assert one(heartbeat(9), heartbeat(3, epoch=2)).position == (2, 3)


def test_reports_of_different_replicas_and_organizations_are_kept_apart() -> None:
    assert len(merged([heartbeat(1), heartbeat(1, name="r2"), heartbeat(1, organization="org_2")])) == 3


@pytest.fixture
def owner(db: None) -> Organization:
    return organization()


def row(owner: Organization, *reports: Report) -> Replica:
    """The row of the replica after these writes."""
    for report in reports:
        write([report])
    return Replica.objects.get(organization=owner)


def of(owner: Organization) -> dict[str, Any]:
    return {"organization": owner.pk}


def test_a_heartbeat_makes_the_row_of_a_replica(owner: Organization) -> None:
    made = row(owner, heartbeat(3, **of(owner)))
    assert (made.name, made.region, made.epoch, made.generation) == ("r1", "eu", 1, 3)
    assert (made.in_flight, made.queued, made.dropped, made.version) == ({"sha": 2}, 1, 0, "1")
    assert (made.fingerprints, made.first_seen_at, made.acknowledged_at) == (["print of 3"], NOW, None)


def test_an_acknowledgement_says_nothing_of_the_load(owner: Organization) -> None:
    made = row(owner, heartbeat(3, **of(owner)), ack(4, 1, **of(owner)))
    assert (made.generation, made.acknowledged_at) == (4, NOW + timedelta(seconds=1))
    assert (made.in_flight, made.queued) == ({"sha": 2}, 1)
    assert (made.first_seen_at, made.seen_at) == (NOW, NOW + timedelta(seconds=1))


def test_an_older_acknowledgement_that_was_overtaken_changes_nothing(owner: Organization) -> None:
    made = row(owner, ack(4, **of(owner)), ack(3, 1, **of(owner)))
    assert (made.generation, made.acknowledged_at, made.fingerprints) == (4, NOW, ["print of 4"])


def test_a_heartbeat_that_was_on_its_way_does_not_take_an_acknowledgement_back(owner: Organization) -> None:
    made = row(owner, ack(4, **of(owner)), heartbeat(3, 2, **of(owner)))
    assert (made.generation, made.fingerprints) == (4, ["print of 4"])
    assert made.seen_at == NOW + timedelta(seconds=2)


def test_a_replica_that_restarted_from_its_disk_is_seen_behind(owner: Organization) -> None:
    made = row(owner, ack(4, **of(owner)), heartbeat(3, 4, **of(owner)))
    assert (made.generation, made.fingerprints) == (3, ["print of 3"])


def test_many_reports_are_written_at_once(owner: Organization) -> None:
    reports = [heartbeat(number, name=f"r{number:03}", **of(owner)) for number in range(200)]
    write([*reports, ack(500, name="acked", **of(owner))])
    assert Replica.objects.filter(organization=owner).count() == 201


HEARTBEAT = {
    "replica": "gw-1",
    "region": "eu-west",
    "epoch": 1,
    "generation": 2,
    "fingerprints": [PRINT],
    "in_flight": {"cd" * 32: 3},
    "queued": 4,
    "dropped": 5,
    "version": "0.4.0",
}


def test_a_heartbeat_is_in_the_database_a_moment_later(edge: EdgeProcess, northgate: Gateways) -> None:
    assert edge.call("/v1/gateways/heartbeat", northgate.token, HEARTBEAT).status == 204
    rows = Replica.objects.filter(organization=northgate.organization)
    (made,) = until(lambda: list(rows.all()), 5, "the row is there")
    assert (made.name, made.in_flight, made.queued, made.dropped) == ("gw-1", {"cd" * 32: 3}, 4, 5)


def test_an_acknowledgement_is_in_the_database_when_it_is_answered(edge: EdgeProcess, northgate: Gateways) -> None:
    said = {"replica": "gw-1", "region": "eu", "epoch": 1, "generation": 7, "fingerprints": [PRINT]}
    answer = edge.call("/v1/gateways/ack", northgate.token, said | {"at": "2026-01-01T00:00:00.000001Z"})
    assert answer.status == 204
    made = Replica.objects.get(organization=northgate.organization)
    assert (made.generation, made.fingerprints) == (7, [PRINT])
    assert made.acknowledged_at is not None

    assert made.acknowledged_at == made.seen_at


def test_replicas_of_one_name_in_two_organizations_are_two(edge: EdgeProcess, northgate: Gateways) -> None:
    eastgate = gateways("eastgate")
    for caller, generation in ((northgate, 3), (eastgate, 9)):
        edge.call("/v1/gateways/ack", caller.token, {"replica": "gw", "generation": generation})
    assert Replica.objects.get(organization=northgate.organization).generation == 3
    assert Replica.objects.get(organization=eastgate.organization).generation == 9


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"replica": ""}, "replica"),
        ({"replica": "a\u0000b"}, "replica"),
        ({"generation": -1}, "generation"),
        ({"generation": "2"}, "generation"),
        ({"fingerprints": ["short"]}, "fingerprints[0]"),
        ({"in_flight": {"sha": -1}}, "in_flight.sha"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_heartbeat_that_breaks_a_rule_is_told_where(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(HeartbeatInput, HEARTBEAT | changes)
    assert refused.value.errors[0].field == field


def test_what_is_wrong_with_a_report_is_said_in_the_answer(edge: EdgeProcess, northgate: Gateways) -> None:
    broken = edge.call("/v1/gateways/heartbeat", northgate.token, HEARTBEAT | {"generation": -1})
    assert (broken.status, broken.json["errors"][0]["field"]) == (422, "generation")
    for body in (b"", b"[]", b"{", b'{"generation": NaN}'):
        answer = edge.call("/v1/gateways/ack", northgate.token, body)
        assert (answer.status, answer.json["code"]) == (400, "malformed"), body
    answer = edge.call("/v1/gateways/ack", northgate.token, b" " * (256 * 1024 + 1))
    assert (answer.status, answer.json["code"]) == (413, "too_large")
