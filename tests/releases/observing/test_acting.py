"""What follows from breached windows: back exactly once where that is armed, a person is asked where it is not."""

from datetime import timedelta

import pytest

from releases.observer_models import ObservedAnswer, ObservedSlice, WorstAnswers
from releases.observing.acting import act
from releases.observing.closing import close_windows
from releases.rollout_models import Rollback
from tests.releases.observing.stage import MINUTE, SLICE, Stage, passed, scored, stage

pytestmark = pytest.mark.django_db

SETTLED = timedelta(seconds=30)


def breached(here: Stage, windows: int = 3, score: float = 0.25) -> None:
    """So many windows below the floor are closed, and nobody has acted on them yet."""
    observed = here.slice()
    start = observed.next_from
    for place in range(windows):
        scored(observed, [score] * 12, start + MINUTE * place)
    here.at = start + MINUTE * windows + SETTLED
    assert len(close_windows(observed, here.at)) == windows


def test_three_breached_windows_roll_an_armed_slice_back_exactly_once(northgate_stage: Stage) -> None:
    here = northgate_stage
    breached(here)
    first, second = here.slice(), here.slice()
    assert act(first, here.at) is not None
    assert act(second, here.at) is None
    here.tick(here.at + MINUTE)

    (row,) = here.rolled_back()
    assert (row.left, row.target, row.trigger) == (here.release, here.before, "windows")
    assert [window["mean"] for window in row.facts["windows"]] == [0.25] * 3
    assert row.reason == (
        "By rule: three quality windows of ip-licensing in a row (0.25, 0.25, 0.25) lie below the floor of 0.5525."
    )
    assert here.events("rollback.auto") == 1
    assert here.alarms() == []
    assert here.observer.ended_at is not None


def test_two_breached_windows_are_not_enough(northgate_stage: Stage) -> None:
    breached(northgate_stage, 2)
    act(northgate_stage.slice(), northgate_stage.at)
    assert (northgate_stage.rolled_back(), northgate_stage.alarms()) == ([], [])


def test_where_it_is_not_armed_a_person_is_asked_once_for_a_breach(northgate_stage: Stage) -> None:
    here = northgate_stage
    ObservedSlice.objects.update(armed=False, why="Not armed: too few answers.")
    breached(here)
    for _ in range(3):
        act(here.slice(), here.at)
    (alarm,) = here.alarms()
    assert (alarm.kind, alarm.subject, alarm.facts["cause"]) == ("drift", SLICE, "breach")
    assert "Not armed: too few answers." in alarm.reason
    assert (alarm.facts["mean"], len(alarm.facts["windows"])) == (0.25, 3)
    assert here.rolled_back() == []
    assert WorstAnswers.objects.filter(alarm=alarm, kind="drift").exists()
    assert here.events("drift.alarmed") == 1


def test_in_a_cool_down_a_person_is_asked_and_the_route_goes_back_when_it_is_over(northgate_stage: Stage) -> None:
    here = northgate_stage
    breached(here)
    Rollback.objects.create(
        organization=here.scene.organization,
        route=here.release.route,
        left=here.before,
        target=here.before,
        reason="Before.",
        generation=1,
        decided_by="internal",
        decided_by_label="relcontrol",
        decided_at=here.at,
        cool_down_until=here.at + MINUTE,
        receipt_hash="a" * 64,
    )
    assert act(here.slice(), here.at) is None
    assert len(here.alarms()) == 1
    assert act(here.slice(), here.at + MINUTE * 2) is not None


def test_a_process_that_ends_between_closing_and_acting_leaves_the_rest_to_the_next_tick(
    northgate_stage: Stage,
) -> None:
    breached(northgate_stage)
    northgate_stage.tick(northgate_stage.at + timedelta(seconds=2))
    assert len(northgate_stage.rolled_back()) == 1


def test_a_judge_that_has_left_the_experts_takes_nothing_back(northgate_stage: Stage) -> None:
    here = northgate_stage
    ObservedSlice.objects.update(rho_floor=0.5525)
    anchors(here, [place / 40 for place in range(40)], [1 - place / 40 for place in range(40)])
    breached(here)
    assert act(here.slice(), here.at) is None
    (alarm,) = here.alarms()
    assert "left the experts" in alarm.reason


def test_agreement_under_its_floor_is_a_matter_for_a_person_by_itself(northgate_stage: Stage) -> None:
    here = northgate_stage
    ObservedSlice.objects.update(rho_floor=0.5525)
    anchors(here, [place / 40 for place in range(40)], [float(place % 2) for place in range(40)])
    observed = here.slice()
    scored(observed, [1.0] * 12, observed.next_from)
    rows = close_windows(observed, observed.next_from + MINUTE + SETTLED)
    for _ in range(2):
        act(here.slice(), here.at, closed=rows)
    (alarm,) = here.alarms()
    assert (alarm.facts["metric"], alarm.facts["limit"], alarm.facts["n"]) == ("agreement", 0.5525, 40)
    assert rows[0].agreement == pytest.approx(alarm.facts["value"])


def test_a_judge_that_agrees_raises_nothing(northgate_stage: Stage) -> None:
    here = northgate_stage
    ObservedSlice.objects.update(rho_floor=0.5525)
    anchors(here, [place / 40 for place in range(40)], [place / 40 for place in range(40)])
    observed = here.slice()
    scored(observed, [1.0] * 12, observed.next_from)
    rows = close_windows(observed, observed.next_from + MINUTE + SETTLED)
    act(here.slice(), here.at, closed=rows)
    assert rows[0].agreement == pytest.approx(1.0)
    assert (rows[0].agreement_n, here.alarms()) == (40, [])


def test_what_came_by_a_rollback_is_not_rolled_back(northgate_stage: Stage) -> None:
    here = northgate_stage
    passed(here.before, (SLICE,), 0.65)
    breached(here)
    row = act(here.slice(), here.at)
    assert row is not None
    back = Stage(here.scene, here.release, here.before, here.at)
    back.tick(here.at + MINUTE)
    assert (back.slice().armed, back.observer.release) == (False, row.target)
    breached(back)
    assert act(back.slice(), back.at) is None
    assert [row.trigger for row in back.rolled_back()] == ["windows"]
    assert [alarm.observer.release for alarm in back.alarms()] == [row.target]


def anchors(here: Stage, grades: list[float], scores: list[float]) -> None:
    """Graded answers of the suite that the judge has scored in the last hours."""
    observed = here.slice()
    ObservedAnswer.objects.bulk_create(
        ObservedAnswer(
            organization=here.scene.organization,
            observed=observed,
            kind="anchor",
            at=here.at - MINUTE * place,
            grade=grade,
            state="scored",
            raw=score,
            score=score,
            anchor_id=None,
            created_at=here.at,
            trace_id=f"{place:032x}",
            trace_started_at=here.at,
        )
        for place, (grade, score) in enumerate(zip(grades, scores, strict=True))
    )


def test_a_slice_without_a_floor_still_has_its_drift_watched() -> None:
    here = stage(floor=None)
    assert (here.slice().floor, here.slice().armed) == (None, False)
    breached(here)
    assert act(here.slice(), here.at) is None
    assert [alarm.facts["cause"] for alarm in here.alarms()] == ["drift"]
