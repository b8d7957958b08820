"""Further policies of what serves: its own traces and feedback, since it took over; objective ones roll back."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from relcontrol.clock import now
from releases.measuring.feedback import record
from releases.measuring.policy_definition import Definition
from releases.models import Release
from releases.observer_models import DriftAlarm, Observer
from releases.observing.policies import EVERY, judge_serving_policies
from releases.rollout_models import Rollback, Serving
from releases.traces.ingest import store
from tests.releases.canary import Canary, canary, serving
from tests.releases.rolling.watched import observer_of

ANSWER = "Affiliates may use it while the parent company holds more than half of their shares."
REFUSAL = "I cannot answer this for your case; you should consult an attorney who knows the file."
SLOW = Definition("Slow answers", "latency_p95_ms", 1_000.0, None, 300, 3, "rollback")
REFUSING = Definition("Refusals", "refusal_rate", 0.2, None, 900, 3, "pause_for_review")


class Watched:
    """The candidate has replaced stable ten minutes ago, and is watched."""

    def __init__(self) -> None:
        self.here: Canary = canary()
        Release.objects.filter(pk=self.here.stable.pk).update(delivery="superseded")
        Release.objects.filter(pk=self.here.candidate.pk).update(delivery="stable")
        Serving.objects.filter(pk=serving(self.here.candidate).pk).update(since=now() - timedelta(minutes=10))
        self.observer: Observer = observer_of(self.here.route)
        self.number = 0

    def served(self, count: int = 3, *, ago: float = 30, **changes: Any) -> list[str]:
        """So many requests, and their ids."""
        rows = []
        for _ in range(count):
            self.number += 1
            row: dict[str, Any] = {
                "trace_id": f"{self.number:032x}",
                "started_at": (now() - timedelta(seconds=ago)).isoformat(),
                "request_id": f"req-{self.number}",
                "release": self.here.candidate.manifest_sha256,
                "route": self.here.route.pk,
                "arm": "stable",
                "subject": f"subject-{self.number}",
                "input": {"messages": [{"role": "user", "content": "May affiliates use the licence?"}]},
                "output": ANSWER,
                "status": 200,
                "latency_ms": 500,
            }
            rows.append(row | changes)
        assert store(self.here.organization, rows, now=now()).accepted == count
        return [row["request_id"] for row in rows]

    def judged(self, *policies: Definition, at: datetime | None = None) -> list[dict[str, Any]]:
        """What the observer finds with these policies pinned."""
        Observer.objects.filter(pk=self.observer.pk).update(
            settings={"policies": [each.as_json() for each in policies]}, policies=[]
        )
        return judge_serving_policies(self.fresh(), at or now())

    def fresh(self) -> Observer:
        rows = Observer.objects.select_related("organization", "release", "serving")
        return rows.get(pk=self.observer.pk)


@pytest.fixture
def here(db: None) -> Watched:
    """Something that serves."""
    return Watched()


def test_a_violated_policy_that_rolls_back_does_so_with_its_numbers_in_the_receipt(here: Watched) -> None:
    here.served(latency_ms=2_000)
    (found,) = here.judged(SLOW)
    assert (found["violated"], found["value"], found["limit"], found["op"], found["n"]) == (True, 2000, 1000, "<=", 3)
    row = Rollback.objects.get()
    assert (row.trigger, row.observer_id, row.reason) == ("policy", here.observer.pk, f"By rule: {found['sentence']}")
    decision = here.here.last_statement()["decision"]
    assert decision["policy"]["id"] == "observer-settings"
    (said,) = decision["inputs"]
    assert (said["metric"], said["value"], said["threshold"]) == ("policy/Slow answers", "2000", "1000")
    assert here.here.fresh(here.here.candidate).delivery == "rolled_back"
    assert not DriftAlarm.objects.exists()


def test_one_that_pauses_asks_a_person_once_and_leaves_what_serves(here: Watched) -> None:
    here.served(latency_ms=2_000)
    pausing = replace(SLOW, action="pause_for_review")
    for _ in range(2):
        assert here.judged(pausing)[0]["violated"]
    alarm = DriftAlarm.objects.get()
    assert (alarm.kind, alarm.subject, alarm.facts["value"]) == ("policy", "Slow answers", 2000)
    assert not Rollback.objects.exists()


def test_where_nothing_is_there_to_go_back_to_a_person_is_asked(here: Watched) -> None:
    Release.objects.filter(pk=here.here.stable.pk).update(delivery="rolled_back")
    here.served(latency_ms=2_000)
    here.judged(SLOW)
    assert not Rollback.objects.exists()
    assert DriftAlarm.objects.get().subject == "Slow answers"


@pytest.mark.parametrize(
    "changes",
    [{"dry": True}, {"n_min": 4}, {"window_seconds": 20}, {"maximum": 2_000.0}],
    ids=lambda each: str([*each]),
)
def test_one_that_is_dry_has_too_few_answers_or_is_not_violated_does_nothing(
    here: Watched, changes: dict[str, Any]
) -> None:
    here.served(latency_ms=2_000)
    (found,) = here.judged(replace(SLOW, **changes))
    assert found["dry"] == ("dry" in changes)
    assert not Rollback.objects.exists()
    assert not DriftAlarm.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [{"arm": "shadow"}, {"release": "f" * 64}, {"route": "rte_other"}, {"ago": 601}, {"error": "timeout"}],
    ids=lambda each: str([*each]),
)
def test_what_it_has_not_served_or_served_before_it_took_over_has_no_say(
    here: Watched, changes: dict[str, Any]
) -> None:
    here.served(10, latency_ms=9_000, **changes)
    here.served(3, arm=None)
    (found,) = here.judged(replace(SLOW, window_seconds=3_600))
    assert (found["violated"], found["n"], found["value"]) == (False, 3, 500)


def test_refusals_are_read_from_the_answers_themselves(here: Watched) -> None:
    here.served(3)
    here.served(1, output=REFUSAL)
    here.served(1, output={"content": None, "refusal": "No."})
    here.served(2, output=REFUSAL, arm="shadow")
    (found,) = here.judged(REFUSING)
    assert (found["violated"], found["value"], found["n"]) == (True, 0.4, 5)
    assert "the share of refusals is 40.00 % over 5 answers in 15 min" in found["sentence"]


def test_feedback_on_its_answers_counts_and_on_others_does_not(here: Watched) -> None:
    mine, others = here.served(3), here.served(3, release="f" * 64)
    for request, value in [*[(each, 1) for each in mine], *[(each, -1) for each in others]]:
        record(actor=here.here.scene.actor, request_id=request, kind="thumb", value=value)
    (found,) = here.judged(Definition("Thumbs", "thumbs_down_rate", 0.2, None, 1_800, 3, "rollback"))
    assert (found["value"], found["n"]) == (0, 3)


def test_what_was_found_is_kept_for_pages(here: Watched) -> None:
    here.served(latency_ms=900)
    found = here.judged(SLOW, REFUSING)
    assert here.fresh().policies == found
    assert [each["name"] for each in found] == ["Slow answers", "Refusals"]
    assert "within the maximum of 1000.00" in found[0]["sentence"]


def test_within_ten_seconds_nothing_is_read_again(here: Watched) -> None:
    at = now()
    first = here.judged(SLOW, at=at)
    here.served(latency_ms=2_000)
    assert judge_serving_policies(here.fresh(), at + EVERY - timedelta(seconds=1)) == first
    assert judge_serving_policies(here.fresh(), at + EVERY)[0]["violated"]


def test_a_slow_policy_is_read_less_often_than_a_quick_one(here: Watched) -> None:
    at = now()
    daily = replace(SLOW, name="Daily", window_seconds=86_400, action="pause_for_review")
    here.judged(replace(SLOW, action="pause_for_review"), daily, at=at)
    here.served(latency_ms=2_000)
    found = judge_serving_policies(here.fresh(), at + timedelta(seconds=20))
    assert [each["violated"] for each in found] == [True, False]
    found = judge_serving_policies(here.fresh(), at + timedelta(minutes=24))
    assert found[1]["violated"]


def test_without_policies_nothing_is_found(here: Watched) -> None:
    assert here.judged() == []
