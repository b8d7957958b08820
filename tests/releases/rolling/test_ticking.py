"""The ticker: at most one move a look, each with its receipt, its generation and its timeline."""

from datetime import timedelta

import pytest

from audit.models import ChainCheck, Receipt
from releases.models import Release
from releases.rolling import ticking
from releases.rolling.ticking import tick_rollouts
from releases.rollout_models import Rollout, RolloutStep, Serving
from releases.rollouts.decisions import Act
from tests.releases.canary import Canary, canary
from tests.releases.pure.rollouts.scene import BREACH, HOLD, TOXIC
from tests.releases.rolling.readings import Readings, ticked, walked


def test_a_healthy_release_goes_through_every_checkpoint_and_then_serves(here: Canary, readings: Readings) -> None:
    row = here.start()
    assert [ticked(row, 61).act for _ in range(3)] == [Act.PROMOTED, Act.PROMOTED, Act.COMPLETED]
    assert here.fresh(here.candidate).delivery == Release.Delivery.STABLE
    assert here.fresh(here.stable).delivery == Release.Delivery.SUPERSEDED
    assert here.events()[-4:] == [
        "rollout.started", "checkpoint.promoted", "checkpoint.promoted", "rollout.completed",
    ]  # fmt: skip
    assert list(RolloutStep.objects.filter(rollout=row).order_by("version").values_list("percent", flat=True)) == [
        5, 25, 100, 100,
    ]  # fmt: skip


def test_what_serves_is_written_down_with_the_receipt_that_decided_it(here: Canary, readings: Readings) -> None:
    walked(here.start(), 3)
    now_serving = Serving.objects.get(route=here.route, until=None)
    assert now_serving.release_id == here.candidate.pk
    assert now_serving.receipt_hash == Receipt.objects.latest("seq").receipt_hash
    before = Serving.objects.get(release=here.stable)
    assert before.until == now_serving.since


def test_each_promotion_is_a_generation_of_its_own_and_counts_afresh(here: Canary, readings: Readings) -> None:
    row = here.start()
    first = here.generation()
    ticked(row, 61)
    moved = Rollout.objects.get(pk=row.pk)
    assert moved.entered_generation == here.generation() == first + 1
    assert moved.entered_at > row.entered_at


def test_before_its_dwell_is_over_nothing_moves_and_nothing_is_written(here: Canary, readings: Readings) -> None:
    row = here.start()
    written = here.events()
    assert ticked(row, 59).act is Act.NOTHING
    assert here.events() == written
    assert Rollout.objects.get(pk=row.pk).look is not None


def test_a_breach_takes_the_traffic_back_at_once(here: Canary, readings: Readings) -> None:
    row = here.start()
    readings.given = {"errors": BREACH}
    generation = here.generation()
    assert ticked(row, 1).act is Act.HALTED
    assert here.fresh(here.candidate).delivery == Release.Delivery.HALTED
    assert here.fresh(here.stable).delivery == Release.Delivery.STABLE
    assert here.generation() == generation + 1
    said = here.last_statement()
    assert (said["event"], said["delivery"]) == ("rollout.halted", {"from": "rolling", "to": "halted"})
    assert {"errors", "latency", "quality"} & {each["metric"] for each in said["decision"]["inputs"]}


def test_too_little_evidence_extends_three_times_and_then_asks_a_person(here: Canary, readings: Readings) -> None:
    row = here.start()
    readings.given = {"quality": HOLD}
    acts = [ticked(row, 61 + 60 * turn).act for turn in range(4)]
    assert acts == [Act.EXTENDED, Act.EXTENDED, Act.EXTENDED, Act.WAITING_REVIEW]


def test_a_noisy_policy_asks_a_person_at_once(here: Canary, readings: Readings) -> None:
    row = here.start()
    readings.given = {"policies": (TOXIC,)}
    assert ticked(row, 1).act is Act.WAITING_REVIEW
    assert here.events()[-1] == "checkpoint.waiting_review"


def test_held_for_a_day_it_halts_whether_paused_or_not(here: Canary, readings: Readings) -> None:
    row = here.start()
    readings.given = {"policies": (TOXIC,)}
    ticked(row, 1)
    assert ticked(row, 86_300).act is Act.NOTHING
    assert ticked(row, 86_402).act is Act.HALTED


def test_a_tampered_manifest_halts(here: Canary, readings: Readings) -> None:
    row = here.start()
    Release.objects.filter(pk=here.candidate.pk).update(manifest=b"{}")
    assert ticked(row, 1).act is Act.HALTED
    assert "not the one that was registered" in Rollout.objects.get(pk=row.pk).reasons[0]


def test_a_chain_that_does_not_verify_halts(here: Canary, readings: Readings) -> None:
    row = here.start()
    ChainCheck.objects.update_or_create(organization=here.organization, defaults={"problem": "#3 is not linked."})
    assert ticked(row, 1).act is Act.HALTED


def test_a_stable_release_that_changed_underneath_aborts(here: Canary, readings: Readings) -> None:
    row = here.start()
    Release.objects.filter(pk=here.stable.pk).update(delivery=Release.Delivery.SUPERSEDED)
    assert ticked(row, 1).act is Act.ABORTED
    assert here.fresh(here.candidate).delivery == Release.Delivery.REGISTERED


def test_a_second_ticker_that_looked_at_the_same_time_moves_nothing(here: Canary, readings: Readings) -> None:
    row = here.start()
    late = Rollout.objects.get(pk=row.pk)
    ticked(row, 61)
    written = here.events()
    ticking.tick(late, late.entered_at + timedelta(seconds=61))
    assert here.events() == written
    assert Rollout.objects.get(pk=row.pk).checkpoint == 2


def test_one_rollout_that_cannot_be_read_does_not_keep_the_others_waiting(
    here: Canary, readings: Readings, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = canary("eastgate")
    rows = [here.start(), other.start()]

    def fold(row: Rollout, _now: object) -> None:
        if row.pk == rows[0].pk:
            raise RuntimeError("its sums are damaged")

    monkeypatch.setattr(ticking, "fold", fold)
    tick_rollouts(rows[1].entered_at + timedelta(seconds=61))
    assert [Rollout.objects.get(pk=row.pk).checkpoint for row in rows] == [1, 2]


def test_a_cold_start_answers_in_shadow_for_a_day_and_then_serves(here: Canary, readings: Readings) -> None:
    Release.objects.filter(pk=here.stable.pk).update(delivery=Release.Delivery.SUPERSEDED)
    Release.objects.filter(pk=here.candidate.pk).update(previous_release=None)
    row = here.start()
    assert (row.state, row.checkpoint) == ("shadowing", 0)
    assert ticked(row, 86_399).act is Act.NOTHING
    assert ticked(row, 86_401).act is Act.COMPLETED
    assert Serving.objects.get(route=here.route, until=None).release_id == here.candidate.pk
