"""Following a rollback: who has it, what drains, when the last one came through, and one receipt that says so."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from audit.models import Receipt
from relcontrol import ticks
from relcontrol.clock import now
from releases.models import Release
from releases.replica_models import Replica
from releases.rolling import following, ways
from releases.rolling.following import follow, follow_rollbacks, timeline_of
from releases.rolling.rolling_back import roll_back
from releases.rolling.ways import ways_of
from releases.rollout_models import Rollback
from tests.chaos.evidence import receipts_verified
from tests.releases.canary import Canary, canary, replica, serving
from tests.releases.rolling.test_together import at_once
from tests.releases.rolling.watched import observer_of, rolled_back

WHY = "Answers on IP licensing are wrong."


def after(row: Rollback, seconds: float) -> datetime:
    return row.decided_at + timedelta(seconds=seconds)


class Route:
    """A route that a person has just rolled back, with gateways `gw-1` and `gw-2` still on the generation before."""

    def __init__(self, here: Canary) -> None:
        self.here = here
        moved(here)
        for name in ("gw-1", "gw-2"):
            replica(here.organization, name, epoch=1, generation=here.generation(), region="eu-west")
        self.row = roll_back(actor=here.manager, route=here.route, reason=WHY)

    def reports(self, name: str, seconds: float, in_flight: int = 0, **columns: Any) -> None:
        """What a gateway says so long after the decision."""
        load = {self.here.candidate.manifest_sha256: in_flight} if in_flight else {}
        at = after(self.row, seconds)
        known = Replica.objects.filter(organization=self.here.organization, name=name).first()
        columns = {"first_seen_at": known.first_seen_at if known else at, "in_flight": load, **columns}
        replica(self.here.organization, name, seen_at=at, **columns)

    def swaps(self, name: str, seconds: float, **columns: Any) -> None:
        """A gateway acknowledges the rollback's generation."""
        told: dict[str, Any] = {
            "generation": self.row.generation,
            "epoch": 1,
            "acknowledged_at": after(self.row, seconds),
        }
        self.reports(name, seconds, **(told | columns))

    def looked(self, seconds: float) -> Rollback:
        """The rollback as it is after a look."""
        follow_rollbacks(after(self.row, seconds))
        return Rollback.objects.select_related("left", "target").get(pk=self.row.pk)

    def said(self) -> dict[str, Any]:
        """The newest receipt, as the auditor reads it."""
        return self.here.last_statement()


def moved(here: Canary) -> None:
    """The candidate serves, and stable was replaced by it."""
    Release.objects.filter(pk=here.stable.pk).update(delivery="superseded")
    Release.objects.filter(pk=here.candidate.pk).update(delivery="stable")
    serving(here.candidate)


@pytest.fixture
def route(here: Canary) -> Route:
    """One whose rollback nobody has followed yet."""
    return Route(here)


def seconds_of(row: Rollback) -> dict[str, float | None]:
    return {each.word: each.seconds_since_trigger for each in timeline_of(row)}


def test_it_has_come_through_when_the_last_gateway_has_nothing_left_in_flight(route: Route) -> None:
    route.swaps("gw-1", 0.1)
    route.swaps("gw-2", 0.3, in_flight=2)
    row = route.looked(1)
    assert (row.acknowledged_at, row.drained_at) == (after(row, 0.3), None)
    route.reports("gw-1", 2)
    route.reports("gw-2", 2, in_flight=1)
    assert route.looked(3).drained_at is None
    route.reports("gw-2", 6.5)
    row = route.looked(8)
    assert row.drained_at == after(row, 6.5)
    assert seconds_of(row)["acknowledged"] == pytest.approx(0.3)
    assert seconds_of(row)["drained"] == pytest.approx(6.5)
    assert [each.word for each in timeline_of(row)] == ["triggered", "decided", "committed", "acknowledged", "drained"]


def test_one_receipt_says_how_it_went(route: Route) -> None:
    for name in ("gw-1", "gw-2"):
        route.swaps(name, 0.2)
        route.reports(name, 2)
    row = route.looked(3)
    said = route.said()
    assert (said["event"], said["decision"]["outcome"]) == ("desired_state.reconciled", "reconciled")
    assert "delivery" not in said
    words = [(each["metric"], each["verdict"]) for each in said["decision"]["inputs"]]
    assert words == [(f"rollback/{each.word}", "reached") for each in timeline_of(row)]
    assert said["decision"]["inputs"][3]["value"] == "0.2"
    assert Receipt.objects.get(receipt_hash=row.reconciled_receipt_hash).event == "desired_state.reconciled"
    assert route.looked(60).followed_until == row.followed_until
    assert route.here.events().count("desired_state.reconciled") == 1
    receipts_verified(route.here.organization)


def test_a_heartbeat_from_before_the_swap_does_not_say_that_it_has_drained(route: Route) -> None:
    route.swaps("gw-1", 0.1)
    route.swaps("gw-2", 0.1)
    assert route.looked(0.2).drained_at is None
    route.reports("gw-1", 1.2)
    route.reports("gw-2", 1.3)
    assert route.looked(2).drained_at == after(route.row, 1.3)


def test_a_gateway_whose_clock_is_slow_has_it_when_it_reported_so(route: Route) -> None:
    route.swaps("gw-1", 0.1)
    route.swaps("gw-2", 0.2, acknowledged_at=after(route.row, -20))
    row = route.looked(0.5)
    assert row.acknowledged_at == after(row, 0.2)
    assert [way.drained_at for way in ways_of(row)] == [None, None]


def test_a_later_swap_does_not_change_when_this_one_was_acknowledged(route: Route) -> None:
    route.swaps("gw-1", 0.1)
    route.swaps("gw-2", 0.2, in_flight=1)
    route.looked(1)
    route.swaps("gw-1", 4, generation=route.row.generation + 1)
    route.swaps("gw-2", 4, generation=route.row.generation + 1)
    for name in ("gw-1", "gw-2"):
        route.reports(name, 6)
    row = route.looked(7)
    assert row.acknowledged_at == after(row, 0.2)
    assert row.drained_at == after(row, 6)


def test_a_gateway_that_is_known_to_have_it_by_its_heartbeat_alone_has_it_from_then_on(route: Route) -> None:
    route.swaps("gw-1", 0.1)
    route.reports("gw-2", 2, generation=route.row.generation, epoch=1)
    assert route.looked(3).acknowledged_at == after(route.row, 2)


def test_one_that_is_silent_is_waited_for_until_it_is_lost(route: Route) -> None:
    route.swaps("gw-1", 0.1)
    route.reports("gw-2", 1)
    for at in (10, 20, 30):
        route.reports("gw-1", at)
        assert route.looked(at).acknowledged_at is None
    route.reports("gw-1", 33)
    row = route.looked(34)
    assert row.acknowledged_at == after(row, 0.1)
    assert [(way.name, way.lost) for way in ways_of(row)] == [("gw-1", False), ("gw-2", True)]
    assert "Not heard of again: gw-2." in timeline_of(row)[3].said
    assert row.reconciled_receipt_hash


def test_one_of_an_older_epoch_does_not_have_it(route: Route) -> None:
    route.swaps("gw-1", 0.1)
    route.swaps("gw-2", 0.1, epoch=0)
    assert route.looked(2).acknowledged_at is None


def test_a_gateway_that_began_later_counts_only_where_it_is_behind(route: Route) -> None:
    for name in ("gw-1", "gw-2"):
        route.swaps(name, 0.1)
    route.swaps("gw-new", 1)
    assert [way.name for way in ways_of(route.looked(0.5))] == ["gw-1", "gw-2"]
    route.reports("gw-old", 1, generation=route.row.generation - 1, epoch=1)
    row = route.looked(1.05)
    assert [way.name for way in ways_of(row)] == ["gw-1", "gw-2", "gw-old"]
    assert row.acknowledged_at is None


def test_after_a_quarter_of_an_hour_the_receipt_names_who_has_not_come_through(route: Route) -> None:
    route.swaps("gw-1", 0.1)
    for at in (899, 900):
        for name in ("gw-1", "gw-2"):
            route.reports(name, at)
        row = route.looked(at)
        assert bool(row.reconciled_receipt_hash) == (at == 900)
    said = route.said()["decision"]
    assert said["outcome"] == "unconfirmed"
    assert [each["verdict"] for each in said["inputs"]] == ["reached"] * 3 + ["missing"] * 2
    assert said["inputs"][3]["evidence"] == "1 of 2 gateways have it."


def test_without_any_gateway_it_is_said_that_nobody_knows(route: Route) -> None:
    Replica.objects.all().delete()
    assert route.looked(10).acknowledged_at is None
    row = route.looked(901)
    assert "not known" in timeline_of(row)[3].said
    assert route.said()["decision"]["outcome"] == "unconfirmed"


def test_an_automatic_one_is_timed_from_the_first_breached_window(here: Canary) -> None:
    moved(here)
    row = rolled_back(observer_of(here.route))
    assert row is not None
    found = seconds_of(row)
    assert (found["triggered"], found["decided"]) == (0, 240)
    assert found["committed"] is not None
    assert found["committed"] >= 240
    assert (found["acknowledged"], found["drained"]) == (None, None)


def test_the_ticker_follows_it(route: Route) -> None:
    ticks.rollouts()
    assert Rollback.objects.get(pk=route.row.pk).followed_until is not None


def test_a_rehearsal_is_not_followed(route: Route) -> None:
    Rollback.objects.filter(pk=route.row.pk).update(rehearsed=True)
    row = route.looked(901)
    assert (row.followed_until, timeline_of(row)) == (None, [])


def test_one_that_cannot_be_followed_keeps_no_other_waiting(
    route: Route, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    other = Route(canary("eastgate"))
    looked = ways.looked

    def broken(row: Rollback, at: datetime) -> Any:
        if row.pk == route.row.pk:
            raise RuntimeError("the power fails")
        return looked(row, at)

    monkeypatch.setattr(following, "looked", broken)
    assert other.looked(2).followed_until is not None
    assert route.row.pk in caplog.text
    assert Rollback.objects.get(pk=route.row.pk).followed_until is None


@pytest.mark.django_db(transaction=True)
def test_two_tickers_at_once_write_one_receipt() -> None:
    route = Route(canary())
    Replica.objects.all().delete()
    at_once(*[partial(follow, route.row.pk, now() + timedelta(minutes=16))] * 3)
    assert route.here.events().count("desired_state.reconciled") == 1
