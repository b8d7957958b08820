"""What a draft of a rule says: badges, the planner, the family effect, and the back-test with every policy."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gates.slices.drafts import Draft, badge_of, family, gauges, provable_shortfall, reading, stopped_words, would_have
from gates.slices.points import Estimate, Point
from gates.statistics.planner import pass_probability
from gates.statistics.policies import Outcome, Policy

AT = datetime(2026, 11, 21, tzinfo=UTC)
JUDGE = "external:legal-judge@9"


def draft(**changes: Any) -> Draft:
    usual: dict[str, Any] = {
        "name": "IP licensing",
        "threshold": 0.65,
        "floor": None,
        "policy": Policy.POINT,
        "n_min": 20,
        "judge": JUDGE,
        "cases": 84,
        "counted": "cases",
    }
    return Draft(**usual | changes)


def point(
    rho: float | None = 0.76, low: float | None = 0.68, high: float | None = 0.82, n: int = 84, **agreement: Any
) -> Point:
    known = {"ceiling": 0.84, "alpha": 0.79, "raters": 3, "age_days": None, "reason": None}
    return Point(
        release="r128",
        application="legal",
        run="grn_x",
        at=AT,
        verdict="pass",
        threshold=0.65,
        floor=0.63,
        agreement=Estimate(rho, low, high, n),
        quality=Estimate(0.7, 0.66, 0.74, n),
        judge=JUDGE,
        document={"agreement": known | agreement},
    )


@pytest.mark.parametrize(
    ("found", "judge", "word"),
    [
        (point(), JUDGE, "Calibrated"),
        (None, JUDGE, "Not yet"),
        (point(None, None, None), JUDGE, "Not yet"),
        (point(), "external:other@1", "Not yet"),
        (point(), "", "Calibrated"),
        (point(age_days=31), JUDGE, "Out of date"),
        (point(n=29), JUDGE, "Too few cases"),
        (point(raters=1), JUDGE, "One rater"),
        (point(raters=None), JUDGE, "One rater"),
        (point(alpha=0.66), JUDGE, "Experts differ"),
        (point(alpha=None), JUDGE, "Experts differ"),
        (point(ceiling=0.69), JUDGE, "Experts differ"),
        (point(ceiling=0.70), JUDGE, "Calibrated"),
        (point(0.41, 0.24, 0.56), JUDGE, "Not calibrated"),
        (point(0.70, 0.60, 0.78), JUDGE, "Not proven"),
        (point(0.70, 0.65, 0.78), JUDGE, "Calibrated"),
    ],
)
def test_a_badge_says_whether_the_judge_may_decide(found: Point | None, judge: str, word: str) -> None:
    assert badge_of(found, judge, AT).word == word


def test_a_calibration_ends_with_its_thirtieth_day() -> None:
    assert badge_of(point(), JUDGE, AT + timedelta(days=30)).word == "Calibrated"
    assert badge_of(point(), JUDGE, AT + timedelta(days=30, seconds=1)).word == "Out of date"


@pytest.mark.parametrize(
    ("changes", "found", "outcome"),
    [
        ({}, point(0.65, 0.5, 0.7), Outcome.PASS),
        ({}, point(0.6499999, 0.5, 0.7), Outcome.FAIL),
        ({"policy": Policy.GUARDED}, point(0.70, 0.60, 0.78), Outcome.REVIEW),
        ({"policy": Policy.GUARDED}, point(0.60, 0.50, 0.68), Outcome.FAIL),
        ({"policy": Policy.CONFIDENT}, point(0.60, 0.50, 0.68), Outcome.INSUFFICIENT),
        ({"policy": Policy.CONFIDENT}, point(0.41, 0.24, 0.56), Outcome.FAIL),
        ({"policy": Policy.CONFIDENT}, point(0.70, None, None), Outcome.INSUFFICIENT),
        ({"n_min": 85}, point(), Outcome.INSUFFICIENT),
        ({}, point(None, None, None), Outcome.INSUFFICIENT),
        ({}, point(reason="range_too_narrow"), Outcome.INSUFFICIENT),
        ({"n_min": 10}, point(reason="too_few_cases"), Outcome.PASS),
        ({"floor": 0.7}, point(), Outcome.PASS),
        ({"floor": 0.71}, point(), Outcome.FAIL),
        ({"threshold": None}, point(0.1, 0.0, 0.2), Outcome.PASS),
        ({"threshold": None, "floor": 0.71}, point(), Outcome.FAIL),
    ],
)
def test_a_back_test_judges_by_the_drafts_own_numbers(changes: dict[str, Any], found: Point, outcome: Outcome) -> None:
    assert would_have(draft(**changes), found) is outcome


def test_the_back_test_counts_what_it_stops_and_what_it_holds() -> None:
    said = stopped_words(draft(), [point(), point(0.41, 0.24, 0.56), point(None, None, None)])
    assert said == (
        "At 0.65, this rule would have stopped 1 of the last 3 releases: r128 (0.41), "
        "and held 1 of them: r128 (not measured)."
    )
    assert stopped_words(draft(), [point()]) == (
        "At 0.65, this rule would have stopped none of the releases judged so far."
    )


def test_the_planner_has_the_numbers_of_the_design() -> None:
    assert [(gauge.needed, gauge.more) for gauge in gauges(draft())] == [(89, 5), (147, 63), (302, 218), (1103, 1019)]
    assert round(provable_shortfall(draft(cases=200)) or 0, 2) == 0.13
    assert provable_shortfall(draft(cases=0)) is None
    assert gauges(draft(threshold=None)) == []


def test_all_slices_pass_together_less_often_than_each_alone() -> None:
    alone = pass_probability(0.65, 0.75, 84)
    together = dict(family([draft(), draft(), draft(threshold=None)]))
    assert together[0.10] == pytest.approx(alone**2)


@pytest.mark.parametrize("threshold", [0.0001, 0.3, 0.65, 0.95])
@pytest.mark.parametrize("cases", [0, 1, 3, 4, 20, 100_000])
def test_every_threshold_and_number_of_cases_has_a_sentence(threshold: float, cases: int) -> None:
    for policy in Policy:
        given = draft(threshold=threshold, cases=cases, policy=policy, n_min=1)
        assert "".join(text for text, _ in reading(given)).endswith(".")
        assert len(gauges(given)) == 4
        assert all(0 <= chance <= 1 for _, chance in family([given, given]))
