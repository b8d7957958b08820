"""Rolling back without a person: exactly once, never what came by a rollback, never to nothing, with its reasons."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import connection

from releases.models import Release
from releases.rolling import rolling_back
from releases.rolling.rolling_back import roll_back
from releases.rollout_models import Rollback, Rollout, Serving
from tests.chaos.evidence import receipts_verified
from tests.releases.canary import Canary, canary, passed, replica, warm
from tests.releases.rolling.ledger import routed, rows_hold
from tests.releases.rolling.readings import Readings, walked
from tests.releases.rolling.test_together import at_once
from tests.releases.rolling.watched import REASON, SLICE, breached, observer_of, rolled_back
from tests.releases.scene import OTHER_PROMPT

WHY = "Answers on IP licensing are wrong."


@pytest.fixture
def moved(here: Canary, readings: Readings) -> Canary:
    """The candidate has become what the route serves."""
    walked(here.start(), 3)
    return here


def unchanged(here: Canary) -> None:
    """The candidate serves, and nobody was told otherwise."""
    assert here.fresh(here.candidate).delivery == Release.Delivery.STABLE
    assert "rollback.auto" not in here.events()
    assert not Rollback.objects.filter(observer__isnull=False).exists()


def test_it_re_points_the_route_in_the_name_of_the_rules(moved: Canary) -> None:
    observer, generation = observer_of(moved.route), moved.generation()
    row = rolled_back(observer)
    assert row is not None
    assert (row.left_id, row.target_id, row.observer_id) == (moved.candidate.pk, moved.stable.pk, observer.pk)
    assert (row.trigger, row.decided_by, row.decided_by_label) == ("windows", "internal", "relcontrol")
    assert row.generation == moved.generation() == generation + 1
    assert row.triggered_at == observer.started_at + timedelta(minutes=6)
    assert row.cool_down_until == row.decided_at + timedelta(minutes=30)
    assert moved.fresh(moved.candidate).delivery == Release.Delivery.ROLLED_BACK
    now_serving = Serving.objects.get(route=moved.route, until=None)
    assert (now_serving.release_id, now_serving.event, now_serving.reason) == (moved.stable.pk, "rollback.auto", REASON)


def test_its_receipt_carries_every_window_that_it_was_decided_by(moved: Canary) -> None:
    row = rolled_back(observer_of(moved.route))
    said = moved.last_statement()
    assert row is not None
    assert (said["event"], said["actor"]["kind"]) == ("rollback.auto", "system")
    assert said["delivery"] == {"from": "stable", "to": "rolled_back"}
    inputs = said["decision"]["inputs"]
    assert said["decision"]["outcome"] == "rolled_back"
    assert [(each["metric"], each["slice"], each["verdict"]) for each in inputs] == [("quality", SLICE, "below")] * 3
    assert {(each["value"], each["op"], each["threshold"], each["n"]) for each in inputs} == {("0.31", ">=", "0.6", 18)}
    for each, window in zip(inputs, row.facts["windows"], strict=True):
        assert window["started_at"] in each["evidence"]
        assert "sd=0.2" in each["evidence"]


def test_a_violated_policy_is_named_with_its_numbers(moved: Canary) -> None:
    facts = {
        "policy": "Time to first token",
        "metric": "ttft_p95_ms",
        "value": 2400.0,
        "limit": 2000.0,
        "op": "<=",
        "n": 812,
        "sentence": "Time to first token: the p95 is 2,400 over 812 answers in 5 min, beyond the maximum of 2,000.",
    }
    assert rolled_back(observer_of(moved.route), trigger=Rollback.Trigger.POLICY, facts=facts)
    (said,) = moved.last_statement()["decision"]["inputs"]
    assert (said["metric"], said["verdict"], said["op"]) == ("policy/Time to first token", "violated", "<=")
    assert (said["value"], said["threshold"], said["n"]) == ("2400", "2000", 812)
    assert said["evidence"] == facts["sentence"]


def test_it_happens_once_for_an_observer(moved: Canary) -> None:
    observer = observer_of(moved.route)
    assert rolled_back(observer)
    assert rolled_back(observer) is None
    assert moved.events().count("rollback.auto") == 1


def test_a_running_rollout_is_aborted_by_it(moved: Canary) -> None:
    order = {"prompt_template_ref": OTHER_PROMPT, "generation": {"seed": 3}}
    made = moved.scene.registered(**order, previous_release=moved.candidate.pk)
    third = Release.objects.select_related("organization", "application", "route").get(pk=made["release_id"])
    passed(third)
    bundles = [each.bundle_sha256 for each in (moved.stable, moved.candidate, third)]
    replica(moved.organization, fingerprints=bundles)
    warm(moved.candidate)
    running = Canary(moved.scene, moved.candidate, third, moved.manager).start()
    assert rolled_back(observer_of(moved.route))
    assert Rollout.objects.get(pk=running.pk).state == "aborted"
    assert moved.events()[-2:] == ["rollout.aborted", "rollback.auto"]
    rows_hold(moved.organization)


def test_a_rollback_is_never_rolled_back_automatically(moved: Canary) -> None:
    roll_back(actor=moved.manager, route=moved.route, reason=WHY)
    Release.objects.filter(pk=moved.candidate.pk).update(delivery=Release.Delivery.SUPERSEDED)  # there is a target
    observer = observer_of(moved.route)
    assert rolled_back(observer, now=observer.started_at + timedelta(days=2)) is None
    assert moved.fresh(moved.stable).delivery == Release.Delivery.STABLE
    assert "rollback.auto" not in moved.events()


def test_a_route_that_cools_down_is_left_alone(moved: Canary) -> None:
    observer = observer_of(moved.route)
    began = observer.started_at
    earlier = Rollback(route=moved.route, organization=moved.organization, left=moved.stable, reason=WHY, generation=1)
    earlier.decided_by = earlier.decided_by_label = "somebody"
    earlier.decided_at, earlier.cool_down_until = began, began + timedelta(minutes=30)
    earlier.save()
    assert rolled_back(observer, now=began + timedelta(minutes=29)) is None
    unchanged(moved)
    assert rolled_back(observer, now=began + timedelta(minutes=30)) is not None


def test_a_rehearsal_does_not_keep_it_back(moved: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rolling_back, "ensure_warm", lambda *_: None)
    roll_back(actor=moved.manager, route=moved.route, reason=WHY, rehearse=True)
    assert rolled_back(observer_of(moved.route)) is not None


def test_a_route_does_not_stop_serving_by_itself(here: Canary) -> None:
    assert rolled_back(observer_of(here.route)) is None
    assert here.fresh(here.stable).delivery == Release.Delivery.STABLE
    assert here.events().count("rollback.auto") == 0


def test_an_observer_whose_release_was_replaced_moves_nothing(here: Canary, readings: Readings) -> None:
    observer = observer_of(here.route)
    walked(here.start(), 3)
    assert rolled_back(observer, now=observer.started_at + timedelta(days=2)) is None
    unchanged(here)


def test_one_that_fails_half_way_changes_nothing_and_can_be_done_again(
    moved: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    observer, written, generation = observer_of(moved.route), moved.events(), moved.generation()

    def broken(**_: object) -> None:
        raise RuntimeError("the power fails")

    with monkeypatch.context() as patched:
        patched.setattr(rolling_back, "serve", broken)
        with pytest.raises(RuntimeError):
            rolled_back(observer)
    assert (moved.events(), moved.generation()) == (written, generation)
    unchanged(moved)
    assert rolled_back(observer)


@pytest.mark.django_db(transaction=True)
def test_two_tickers_and_a_person_at_once_make_one_rollback(readings: Readings) -> None:
    here = canary()
    walked(here.start(), 3)
    observer = observer_of(here.route)
    person = partial(roll_back, actor=here.manager, route=here.route, reason=WHY, to=here.stable)
    found = at_once(partial(rolled_back, observer), person, partial(rolled_back, observer))
    done = [each for each in found if isinstance(each, Rollback)]
    assert len(done) == 1
    written = [each for each in here.events() if each.startswith("rollback.")]
    assert written == ["rollback.auto" if done[0].observer_id else "rollback.manual"]
    assert Serving.objects.get(route=here.route, until=None).release_id == here.stable.pk
    rows_hold(here.organization)
    routed(here.organization)
    receipts_verified(here.organization)
    connection.close()


def test_facts_are_kept_with_the_rollback(moved: Canary) -> None:
    observer = observer_of(moved.route)
    row = rolled_back(observer)
    assert row is not None
    assert Rollback.objects.get(pk=row.pk).facts == breached(observer.started_at + timedelta(minutes=6))
