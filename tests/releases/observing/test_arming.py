"""Arming automatic rollback, or refusing to: from what is known, with a receipt for each change (statistics.md R16)."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from audit import verify
from audit.models import Receipt
from audit.selectors import envelope_of
from audit.trust import trust_document
from relcontrol.clock import now
from releases.models import Release
from releases.observer_models import ObservedSlice, Observer
from releases.observing import arming
from releases.observing.arming import arm
from releases.rollout_models import Serving
from tests.releases.observing.factory import observed, observer, served
from tests.releases.observing.histories import MINUTE, closed, steady
from tests.releases.scene import Scene

EVENTS = ("observer.armed", "observer.refused")


@pytest.fixture
def at() -> datetime:
    return now().replace(second=0, microsecond=0)


@pytest.fixture
def watched(northgate: Scene) -> Observer:
    """What watches a release that serves after one that it can go back to."""
    return observer(served(northgate))


@pytest.fixture
def fresh(watched: Observer) -> ObservedSlice:
    """A slice of which nobody has decided yet: the floor is .55, the gate measured .8."""
    return observed(watched, armed=False, decided_at=None, why="", windows_known=0, spread=0.25, correlation=0.0)


@pytest.fixture
def known(fresh: ObservedSlice, at: datetime) -> ObservedSlice:
    """The same with an hour of healthy windows."""
    closed(fresh, steady(60), at)
    return fresh


def _receipts(of: ObservedSlice) -> list[Receipt]:
    return list(Receipt.objects.filter(organization=of.observer.organization, event__in=EVENTS).order_by("seq"))


def _events(of: ObservedSlice) -> list[str]:
    return [receipt.event for receipt in _receipts(of)]


def _kept(of: ObservedSlice, **columns: Any) -> None:
    ObservedSlice.objects.filter(pk=of.pk).update(**columns)


def test_a_healthy_slice_is_armed_with_everything_that_the_page_shows(known: ObservedSlice, at: datetime) -> None:
    row = arm(known.pk, at)
    row.refresh_from_db()
    assert (row.armed, row.armed_at, row.decided_at, row.n_min, row.windows_known) == (True, at, at, 10, 60)
    assert row.healthy_mean == pytest.approx(0.8)
    assert row.spread == pytest.approx(0.2, abs=0.02)
    assert row.why.startswith(
        "Armed: three windows in a row below 0.55 take the release back; a window needs 10 scores"
    )
    assert row.false_rollbacks_per_month is not None
    assert row.false_rollbacks_per_month < 0.01


def test_arming_leaves_a_receipt_that_an_auditor_can_read(known: ObservedSlice, at: datetime) -> None:
    row = arm(known.pk, at)
    (receipt,) = _receipts(known)
    owner = known.observer.organization
    predicate = verify.verify_envelope(envelope_of(receipt), trust_document(owner)).predicate
    (decided,) = predicate["decision"]["inputs"]
    assert (receipt.event, receipt.outcome, row.receipt_hash) == ("observer.armed", "armed", receipt.receipt_hash)
    assert (decided["slice"], decided["threshold"], decided["n"], decided["verdict"]) == (
        row.slice,
        "0.55",
        60,
        "armed",
    )
    assert decided["value"] == "0.8"
    assert decided["evidence"] == row.why


def test_within_ten_minutes_nothing_is_decided_anew(known: ObservedSlice, at: datetime) -> None:
    arm(known.pk, at)
    closed(known, steady(9), at + 9 * MINUTE)
    row = arm(known.pk, at + 9 * MINUTE + timedelta(seconds=59))
    assert (row.decided_at, row.windows_known) == (at, 60)
    row = arm(known.pk, at + 10 * MINUTE)
    assert (row.decided_at, row.windows_known) == (at + 10 * MINUTE, 69)


def test_the_same_decision_again_leaves_no_receipt(known: ObservedSlice, at: datetime) -> None:
    for minutes in (0, 10, 20):
        assert arm(known.pk, at + minutes * MINUTE).armed
    row = arm(known.pk, at + 20 * MINUTE)
    assert (_events(known), row.armed_at, row.decided_at) == (["observer.armed"], at, at + 20 * MINUTE)


def test_of_two_that_decide_at_once_the_second_writes_nothing(
    known: ObservedSlice, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    decided = arming._decided
    others: list[datetime] = []

    def overtaken(row: ObservedSlice, now: datetime) -> Any:
        found = decided(row, now)
        if not others:
            others.append(now)
            arm(known.pk, at)  # another process, while this one has not taken the lock yet
        return found

    monkeypatch.setattr(arming, "_decided", overtaken)
    row = arm(known.pk, at + timedelta(seconds=2))
    assert (row.decided_at, _events(known)) == (at, ["observer.armed"])


def test_each_change_leaves_a_receipt(known: ObservedSlice, at: datetime) -> None:
    arm(known.pk, at)
    Release.objects.filter(delivery="superseded").update(delivery="rolled_back")
    refused = arm(known.pk, at + 10 * MINUTE)
    assert (refused.armed, refused.armed_at, refused.false_rollbacks_per_month) == (False, None, None)
    assert refused.why == "Not armed: there is no release that this route could go back to."
    Release.objects.filter(delivery="rolled_back").update(delivery="superseded")
    assert arm(known.pk, at + 20 * MINUTE).armed
    assert _events(known) == ["observer.armed", "observer.refused", "observer.armed"]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"floor": None, "floor_source": ""}, "there is no floor here"),
        ({"floor": 0.81}, "the healthy mean 0.80 is not above the floor 0.81"),
        ({"floor": 0.79}, "scores, and about 20.0 a minute come: too few for 15 minutes"),
    ],
)
def test_a_refusal_says_why_and_leaves_a_receipt(
    known: ObservedSlice, at: datetime, columns: dict[str, Any], words: str
) -> None:
    _kept(known, **columns)
    row = arm(known.pk, at)
    assert not row.armed
    assert words in row.why
    assert [(receipt.event, receipt.outcome) for receipt in _receipts(known)] == [("observer.refused", "refused")]


@pytest.mark.parametrize("event", ["rollback.auto", "rollback.manual"])
def test_a_release_that_came_by_a_rollback_is_never_armed(known: ObservedSlice, at: datetime, event: str) -> None:
    Serving.objects.filter(pk=known.observer.serving_id).update(event=event)
    row = arm(known.pk, at)
    assert (row.armed, "never rolled back automatically" in row.why) == (False, True)


def test_without_any_traffic_it_refuses_and_looks_again_after_two_minutes(fresh: ObservedSlice, at: datetime) -> None:
    row = arm(fresh.pk, at)
    assert "about 0.0 a minute come: too few" in row.why
    closed(fresh, steady(20), at + MINUTE)
    assert not arm(fresh.pk, at + MINUTE).armed
    row = arm(fresh.pk, at + 2 * MINUTE)
    assert (row.armed, row.n_min, row.windows_known) == (True, 10, 20)
    assert row.why.endswith("How much scores vary is assumed until 30 windows are known.")


def test_answers_that_get_no_score_do_not_count_as_traffic(known: ObservedSlice, at: datetime) -> None:
    known.windows.update(n=1, asked=20, verdict="no_data", requests=4)
    row = arm(known.pk, at)
    assert "about 0.2 a minute come: too few" in row.why


def _at_the_edge(of: ObservedSlice, at: datetime, requests: int) -> None:
    """Six hours in which so many scores came in ten minutes; 18 make a window, 15 are enough for one that is armed."""
    of.windows.all().delete()
    closed(of, [0.79, 0.81] * 18, at, requests=requests, length=10 * MINUTE)
    _kept(of, floor=0.68)


@pytest.mark.parametrize(("requests", "stays"), [(11, True), (9, False)])
def test_what_is_armed_stays_so_until_it_fails_nine_tenths_of_what_arming_takes(
    fresh: ObservedSlice, at: datetime, requests: int, *, stays: bool
) -> None:
    _at_the_edge(fresh, at, requests)
    assert not arm(fresh.pk, at).armed
    _kept(fresh, armed=True, decided_at=at - 10 * MINUTE)
    assert arm(fresh.pk, at).armed is stays


def test_what_the_edge_is_made_of_arms_where_it_is_enough(fresh: ObservedSlice, at: datetime) -> None:
    _at_the_edge(fresh, at, 13)
    assert arm(fresh.pk, at).n_min == 18


def test_while_windows_below_the_floor_are_counted_it_stays_armed(known: ObservedSlice, at: datetime) -> None:
    arm(known.pk, at)
    Release.objects.filter(delivery="superseded").update(delivery="rolled_back")
    _kept(known, streak=1)
    assert arm(known.pk, at + 20 * MINUTE).armed
    _kept(known, streak=0)
    assert not arm(known.pk, at + 20 * MINUTE).armed


def test_the_last_word_on_a_release_that_serves_no_longer_stands(known: ObservedSlice, at: datetime) -> None:
    arm(known.pk, at)
    Serving.objects.filter(pk=known.observer.serving_id).update(until=at)
    Release.objects.filter(delivery="superseded").update(delivery="rolled_back")
    assert arm(known.pk, at + 20 * MINUTE).armed
    assert _events(known) == ["observer.armed"]


def test_a_quality_that_changes_by_itself_is_part_of_what_a_window_varies_by(
    fresh: ObservedSlice, at: datetime
) -> None:
    closed(fresh, steady(400, deviation=0.07), at)
    row = arm(fresh.pk, at)
    assert row.armed
    assert row.spread / row.n_min**0.5 == pytest.approx((0.07**2 - 0.2**2 / 20 + 0.2**2 / row.n_min) ** 0.5, rel=0.1)


def test_rehearsals_with_short_windows_decide_as_much_sooner(known: ObservedSlice, at: datetime) -> None:
    Observer.objects.filter(pk=known.observer_id).update(settings=known.observer.settings | {"window_seconds": 10})
    arm(known.pk, at)
    assert arm(known.pk, at + timedelta(seconds=99)).decided_at == at
    assert arm(known.pk, at + timedelta(seconds=100)).decided_at == at + timedelta(seconds=100)


def test_a_decision_that_is_not_due_takes_one_query(
    known: ObservedSlice, at: datetime, django_assert_num_queries: Any
) -> None:
    arm(known.pk, at)
    with django_assert_num_queries(1):
        arm(known.pk, at + MINUTE)
