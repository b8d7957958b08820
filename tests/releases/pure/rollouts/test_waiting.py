"""Why is it not moving: sentences with live numbers, unmet first, the same that the ticker decides by."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.monitors.verdict import Reading
from releases.rollouts.commands import pause
from releases.rollouts.deciding import decide
from releases.rollouts.decisions import Act
from releases.rollouts.evidence import Facts, Monitor
from releases.rollouts.states import Rollout, State
from releases.rollouts.waiting import Waiting, waiting_for
from tests.releases.pure.rollouts.scene import (
    BREACH,
    COSTLY,
    DWELL,
    HOLD,
    OK,
    ORDER,
    OTHER,
    SECOND,
    SOUND,
    T0,
    TOXIC,
    after,
    at,
    begun,
    seen,
    verdict,
)

READINGS = st.sampled_from([OK, HOLD, BREACH])


def _why(rollout: Rollout, dwelt: timedelta, facts: Facts = SOUND, **values: Any) -> Waiting:
    return waiting_for(rollout, rollout.entered_at + dwelt, seen(rollout, **values), facts)


def _sentence(waiting: Waiting, key: str) -> str:
    return next(condition.sentence for condition in waiting.conditions if condition.key == key)


def test_the_waiting_of_the_mock_up_reads_as_there() -> None:
    waiting = _why(at(2), timedelta(minutes=11, seconds=24), requests=7_912, requests_per_second=11.6)
    assert [condition.sentence for condition in waiting.unmet] == [
        "The dwell has 3 min 36 s to go: 11:24 of 15:00 at 25\N{NO-BREAK SPACE}%.",
        "2,088 requests are missing: 7,912 of 10,000, at 11.6 a second.",
    ]
    assert waiting.eta == T0 + timedelta(minutes=15)
    assert waiting.next_step == "100\N{NO-BREAK SPACE}%"


def test_unmet_conditions_come_first() -> None:
    waiting = _why(at(1), SECOND, quality=HOLD)
    assert [condition.met for condition in waiting.conditions] == [False] * 2 + [True] * 6


def test_the_eta_is_that_of_the_last_condition() -> None:
    waiting = _why(at(1), SECOND, requests=0, requests_per_second=1.0)
    assert waiting.eta == T0 + SECOND + timedelta(seconds=1_000)


def test_no_eta_is_given_where_one_condition_knows_none() -> None:
    assert _why(at(1), SECOND, quality=HOLD).eta is None


def test_a_monitor_may_know_when_it_has_its_evidence() -> None:
    soon = T0 + timedelta(minutes=7)
    assert _why(at(1), SECOND, quality=replace(HOLD, eta=soon)).eta == soon


@pytest.mark.parametrize(("rate", "said"), [(0.0, "None are coming in at present."), (None, "990 of 1,000.")])
def test_without_a_rate_the_requests_have_no_eta(rate: float | None, said: str) -> None:
    waiting = _why(at(1), DWELL, requests=990, requests_per_second=rate)
    assert waiting.eta is None
    assert waiting.unmet[0].sentence.endswith(said)


def test_an_extended_dwell_says_so() -> None:
    rollout = after(decide(at(1), T0 + DWELL, seen(at(1), quality=HOLD), SOUND))
    assert _sentence(_why(rollout, DWELL + SECOND), "dwell") == (
        "The dwell has 3 min 59 s to go: 4:01 of 8:00 at 5\N{NO-BREAK SPACE}%, extended 1 of 3 times."
    )


def test_an_extension_that_waits_for_requests_names_only_them() -> None:
    rollout = after(decide(at(1), T0 + DWELL, seen(at(1), requests=10), SOUND))
    waiting = _why(rollout, DWELL + SECOND, requests=10)
    assert [condition.key for condition in waiting.unmet] == ["requests"]
    assert _sentence(waiting, "dwell") == (
        "The dwell is over: 4:01 of 4:00 at 5\N{NO-BREAK SPACE}%, extended 1 of 3 times."
    )


def test_every_slice_that_holds_is_a_condition_of_its_own() -> None:
    needed = "10 pairs are needed."
    holding = [
        replace(verdict(Reading.HOLD, ""), reasons=(f"{name}: 3 pairs.", needed)) for name in ("French", "Swiss")
    ]
    waiting = _why(at(1), DWELL, quality=Monitor(tuple(holding)))
    assert [condition.sentence for condition in waiting.unmet] == [
        f"French: 3 pairs. {needed}",
        f"Swiss: 3 pairs. {needed}",
    ]


def test_a_paused_rollout_names_who_paused_it_and_when_it_halts() -> None:
    held = after(pause(at(1), T0, ORDER, seen(at(1)), SOUND))
    waiting = _why(held, timedelta(hours=1, minutes=55))
    assert _sentence(waiting, "person") == (
        "It is paused. Tom Behrens: The numbers look right to me. Without a decision it halts in 22 h 5 min."
    )
    assert _sentence(waiting, "dwell").startswith("The dwell stands still")
    assert waiting.halts_at == T0 + timedelta(hours=24)
    assert waiting.eta is None


def test_a_rollout_that_waits_for_review_says_what_for() -> None:
    held = after(decide(at(1), T0, seen(at(1), policies=(TOXIC,)), SOUND))
    waiting = _why(held, SECOND, policies=(TOXIC,))
    assert _sentence(waiting, "person").startswith("It waits for a person's review. Toxicity is at 0.3.")
    assert _sentence(waiting, "toxicity") == "Toxicity is at 0.3."


def test_a_policy_that_was_reviewed_is_met() -> None:
    rollout = replace(at(1), reviewed=frozenset({"toxicity"}))
    assert _sentence(_why(rollout, SECOND, policies=(TOXIC,)), "toxicity").endswith("reviewed it at this checkpoint.")


def test_a_dry_monitor_holds_nothing_up_and_says_that_it_is_dry() -> None:
    waiting = _why(at(1), DWELL, quality=replace(BREACH, dry=True))
    assert waiting.unmet == ()
    assert _sentence(waiting, "quality").endswith("It runs dry, without effect.")


def test_alarms_and_a_changed_route_are_named() -> None:
    waiting = _why(at(1), DWELL, Facts(OTHER, foreign=("f" * 64,)))
    assert {condition.key for condition in waiting.unmet} == {"integrity", "stable"}


def test_a_shadow_waits_in_shadow() -> None:
    waiting = _why(begun(previous=None), timedelta(hours=2), Facts(None))
    assert waiting.unmet[0].sentence == "The dwell has 22 h to go: 2:00:00 of 24:00:00 in shadow."
    assert waiting.next_step == "completed"


def test_what_is_over_waits_for_nothing() -> None:
    waiting = _why(replace(at(1), state=State.HALTED), SECOND)
    assert waiting.as_json() == {"next": None, "eta": None, "halts_at": None, "conditions": []}


def test_page_api_and_ci_read_one_structure() -> None:
    first = _why(at(1), DWELL - SECOND).as_json()["conditions"][0]
    assert first == {
        "key": "dwell",
        "met": False,
        "sentence": "The dwell has 1 s to go: 3:59 of 4:00 at 5\N{NO-BREAK SPACE}%.",
        "eta": "2026-11-21T13:04:00Z",
    }


@given(
    st.integers(0, 5_000),
    st.integers(0, 2_000),
    READINGS,
    READINGS,
    st.sampled_from([(), (TOXIC,), (COSTLY,)]),
    st.integers(0, 3),
    st.booleans(),
)
def test_a_checkpoint_is_promoted_exactly_when_no_condition_is_unmet(
    seconds: int, requests: int, errors: Any, quality: Any, policies: Any, extensions: int, judged: bool
) -> None:
    rollout = replace(at(1), extensions=extensions, due=(extensions + 1) * DWELL, judged=judged)
    measured = seen(rollout, requests=requests, errors=errors, quality=quality, policies=policies)
    now = T0 + seconds * SECOND
    promoted = decide(rollout, now, measured, SOUND).act is Act.PROMOTED
    assert promoted == (not waiting_for(rollout, now, measured, SOUND).unmet)
