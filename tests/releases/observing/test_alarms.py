"""Alarms: drift that stays above the floor, what a person decides on it, and that no rollout starts before."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from audit.models import Receipt
from audit.selectors import envelope_of
from audit.trust import trust_document
from audit.verify import verify_envelope
from relcontrol import clock
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Role
from relcontrol.errors import Conflict, Forbidden, Invalid
from releases.observer_models import DriftAlarm, ObservedSlice
from releases.observing.acting import act
from releases.observing.closing import close_windows
from releases.observing.drift import decide_alarm, open_alarms, raise_alarm
from releases.rolling.order import RollOrder
from releases.rolling.readiness import start_facts
from releases.rollout_models import Serving
from tests.factories import person_actor
from tests.releases.canary import PLAN
from tests.releases.observing.stage import MINUTE, SLICE, Stage, scored

pytestmark = pytest.mark.django_db

SAID = "Looked at twenty answers; they are fine."


def fall(here: Stage, mean: float, minutes: int) -> None:
    """So many minutes of scores around a mean, or until an alarm is raised."""
    chance = np.random.default_rng(7)
    for _ in range(minutes):
        if here.alarms():
            return
        observed = here.slice()
        scored(observed, np.clip(chance.normal(mean, 0.1, 10), 0, 1).tolist(), observed.next_from)
        here.at = observed.next_from + MINUTE * 1.5
        act(observed, here.at, closed=close_windows(observed, here.at))


@pytest.fixture
def manager(northgate_stage: Stage) -> Actor:
    """Who may decide."""
    return person_actor(northgate_stage.scene.organization, Role.RELEASE_MANAGER)


def reasons(here: Stage, manager: Actor) -> tuple[str, ...]:
    """What stands against a start of another release on the route."""
    order = RollOrder(plan=PLAN, reason="It is Monday.")
    return start_facts(actor=manager, release=here.before, order=order, now=here.at).route


def test_a_drop_above_the_floor_pauses_the_route_until_a_person_decides(
    northgate_stage: Stage, manager: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = northgate_stage
    ObservedSlice.objects.update(healthy_mean=0.8, windows_known=900, n_min=10)
    fall(here, 0.8, 20)
    assert here.alarms() == []
    fall(here, 0.7, 100)
    (alarm,) = here.alarms()
    assert (alarm.kind, alarm.subject, alarm.facts["cause"]) == ("drift", SLICE, "drift")
    assert alarm.facts["level"] == pytest.approx(0.75)
    assert 0.5525 < alarm.facts["mean"] < 0.8
    assert alarm.facts["value"] >= alarm.facts["alarm"]
    assert "0.80 was usual" in alarm.reason
    assert here.rolled_back() == []
    assert any("raised an alarm" in sentence and SLICE in sentence for sentence in reasons(here, manager))

    monkeypatch.setattr(clock, "now", lambda: here.at)
    decide_alarm(actor=manager, alarm=alarm, decision="keep", comment=SAID)
    assert not open_alarms(alarm.route).exists()
    assert not any("raised an alarm" in sentence for sentence in reasons(here, manager))
    detector = here.slice().detector or {}
    assert (detector["count"], detector["level"]) == (0, alarm.facts["level"])


def test_a_decision_is_receipted_beside_the_alarm(northgate_stage: Stage, manager: Actor) -> None:
    row = decide_alarm(actor=manager, alarm=raised(northgate_stage), decision="keep", comment=SAID)
    receipts = {each.receipt_hash: each for each in Receipt.objects.filter(event="drift.alarmed").order_by("seq")}
    assert list(receipts) == [row.receipt_hash, row.decided_receipt_hash]
    trust = trust_document(northgate_stage.scene.organization)
    raised_, decided = (verify_envelope(envelope_of(each), trust).predicate for each in receipts.values())
    assert (raised_["decision"]["outcome"], decided["decision"]["outcome"]) == ("alarmed", "decided")
    (said,) = raised_["decision"]["inputs"]
    assert (said["metric"], said["slice"], said["value"], said["threshold"]) == ("quality", SLICE, "0.68", "0.75")
    assert (row.decision, row.comment, row.decided_by_label) == ("keep", SAID, manager.label)


def test_a_new_usual_level_is_that_of_late(
    northgate_stage: Stage, manager: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = northgate_stage
    ObservedSlice.objects.update(healthy_mean=0.7, windows_known=900)
    fall(here, 0.7, 3)
    monkeypatch.setattr(clock, "now", lambda: here.at)
    decide_alarm(actor=manager, alarm=raised(here), decision="rebase_level", comment=SAID)
    means = [row.mean or 0.0 for row in here.windows()]
    assert (here.slice().detector or {})["level"] == pytest.approx(sum(means) / 3 - 0.05)


def test_a_release_that_still_serves_was_not_rolled_back(northgate_stage: Stage, manager: Actor) -> None:
    alarm = raised(northgate_stage)
    with pytest.raises(Conflict, match="still serves"):
        decide_alarm(actor=manager, alarm=alarm, decision="rolled_back", comment=SAID)
    Serving.objects.filter(until=None).update(until=northgate_stage.at)
    row = decide_alarm(actor=manager, alarm=alarm, decision="rolled_back", comment=SAID)
    assert row.decided_at is not None


def test_an_alarm_is_decided_once_by_who_may_with_a_comment_and_a_known_word(
    northgate_stage: Stage, manager: Actor
) -> None:
    here = northgate_stage
    alarm = raised(here)
    with pytest.raises(Forbidden):
        decide_alarm(
            actor=person_actor(here.scene.organization, Role.AUDITOR), alarm=alarm, decision="keep", comment=SAID
        )
    for wrong in ({"comment": "ok"}, {"decision": "sleep"}, {"comment": "     "}, {"comment": 7}):
        with pytest.raises(Invalid):
            decide_alarm(actor=manager, alarm=alarm, **({"decision": "keep", "comment": SAID} | wrong))
    assert DriftAlarm.objects.get().decided_at is None
    decide_alarm(actor=manager, alarm=alarm, decision="keep", comment=SAID)
    with pytest.raises(Conflict):
        decide_alarm(actor=manager, alarm=alarm, decision="keep", comment=SAID)


def test_without_scores_of_late_there_is_no_level_to_set(northgate_stage: Stage, manager: Actor) -> None:
    alarm = raised(northgate_stage)
    with pytest.raises(Conflict, match="within the last half hour"):
        decide_alarm(actor=manager, alarm=alarm, decision="rebase_level", comment=SAID)


def test_the_same_alarm_is_not_raised_twice_and_none_for_what_serves_no_longer(northgate_stage: Stage) -> None:
    here = northgate_stage
    raised(here)
    assert raise_alarm(here.observer, subject=SLICE, facts={}, reason="Again.", now=here.at) is None
    assert raise_alarm(here.observer, subject="other", facts={}, reason="Another.", now=here.at) is not None
    Serving.objects.filter(until=None).update(until=here.at)
    assert raise_alarm(here.observer, subject="third", facts={}, reason="Too late.", now=here.at) is None


def test_a_policy_that_a_person_has_looked_at_rests_for_a_day(northgate_stage: Stage, manager: Actor) -> None:
    here = northgate_stage
    facts: dict[str, Any] = {"metric": "ttft_p95_ms", "value": 900.0, "limit": 800.0, "op": "<=", "n": 60}
    said: dict[str, Any] = {"kind": "policy", "subject": "Quick answers", "facts": facts, "reason": "It is slow."}
    alarm = raise_alarm(here.observer, **said, now=here.at)
    assert alarm is not None
    with pytest.raises(Invalid, match="has a level"):
        decide_alarm(actor=manager, alarm=alarm, decision="rebase_level", comment=SAID)
    row = decide_alarm(actor=manager, alarm=alarm, decision="keep", comment=SAID)
    assert row.decided_at is not None
    assert raise_alarm(here.observer, **said, now=row.decided_at + timedelta(hours=23)) is None
    assert raise_alarm(here.observer, **said, now=row.decided_at + timedelta(hours=25)) is not None


def raised(here: Stage) -> DriftAlarm:
    """An alarm of drift."""
    facts = {"cause": "drift", "value": 500_000.5, "alarm": 432_000.0, "level": 0.75, "mean": 0.68, "n": 300}
    alarm = raise_alarm(here.observer, subject=SLICE, facts=facts, reason="It drifts.", now=here.at)
    assert alarm is not None
    return alarm
