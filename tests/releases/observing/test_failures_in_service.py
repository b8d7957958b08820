"""Failures that only show in service, from traces to the rollback (ten-failures.md #9, #10), and a healthy release."""

from datetime import timedelta

import pytest

from tests.releases.observing.stage import GOOD, HEDGE, IMPOSSIBLE, MINUTE, Stage, stage

pytestmark = pytest.mark.django_db

FIVE_MINUTES = timedelta(minutes=5)


@pytest.mark.parametrize("output", [HEDGE, IMPOSSIBLE], ids=["hedging", "impossible dates"])
def test_what_goes_bad_quietly_is_taken_back_within_five_minutes(output: str) -> None:
    here = stage()
    assert here.slice().armed, here.slice().why
    here.pass_time(MINUTE * 2)
    began = here.at
    here.pass_time(MINUTE * 6, output)

    (row,) = here.rolled_back()
    assert here.at - began <= FIVE_MINUTES
    assert (row.trigger, row.left, row.target) == ("windows", here.release, here.before)
    assert row.triggered_at == began
    assert here.events("rollback.auto") == 1
    verdicts = [window.verdict for window in here.windows()]
    assert verdicts == ["above", "above", "below", "below", "below"]
    assert here.alarms() == []


def test_a_healthy_release_is_left_alone(northgate_stage: Stage) -> None:
    here = northgate_stage
    here.pass_time(MINUTE * 5, GOOD)
    assert here.rolled_back() == []
    assert here.alarms() == []
    assert {window.verdict for window in here.windows()} == {"above"}
    assert len(here.windows()) == 4
