"""What a calibration of one slice says, whatever is measured: no order and no unit changes ρ, nothing crashes it."""

import json
import math
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.calibrations.comparing import FEWEST, NIGHTLY_LEVEL, Side, compare, evenly
from gates.calibrations.measuring import Measurement, SliceScores, measure
from gates.statistics.panel import as_ratings
from tests.gates.pure.samples import GRADES, ROUGH_SCORES, SCORES, unhurried

NAN = float("nan")
WIDE = (-1e6, 1e6)
FIVE = (1.0, 5.0)


@st.composite
def panels(draw: st.DrawFn, *, rough: bool = False) -> tuple[list[list[float | None]], list[float | None]]:
    """Draw the ratings of up to four raters of up to forty answers, some of them missing, and a judge's scores."""
    raters, answers = draw(st.integers(0 if rough else 2, 4)), draw(st.integers(0 if rough else 1, 40))
    rating = st.none() | GRADES
    table = draw(st.lists(st.lists(rating, min_size=answers, max_size=answers), min_size=raters, max_size=raters))
    scores = draw(st.lists(ROUGH_SCORES if rough else SCORES, min_size=answers, max_size=answers))
    return table, scores


def measured(table: Any, scores: Any, **given: Any) -> Measurement:
    """A measurement on a wide scale."""
    ratings = as_ratings(table) if len(table) else np.empty((0, len(scores)))
    return measure(SliceScores(ratings, scores, 0.65, **{"scale": WIDE, **given}))


def made(rho_noise: float = 0.3, answers: int = 60, raters: int = 3, seed: int = 5) -> tuple[Any, list[float]]:
    """Ratings and scores of the same latent quality."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=answers)
    ratings = np.clip(np.round(3 + truth + rng.normal(0, 0.35, (raters, answers))), 1, 5)
    return ratings, np.clip(3 + truth + rng.normal(0, rho_noise, answers), 1, 5).tolist()


@unhurried
@given(panels(), st.randoms())
def test_no_order_of_raters_and_answers_changes_rho(sample: Any, shuffled: random.Random) -> None:
    table, scores = sample
    raters = shuffled.sample(range(len(table)), len(table))
    answers = shuffled.sample(range(len(scores)), len(scores))
    other = measured([[table[rater][answer] for answer in answers] for rater in raters], [scores[a] for a in answers])
    known = measured(table, scores)
    assert other.document["rho"] == known.document["rho"]
    assert (other.document["outcome"], other.document["n"]) == (known.document["outcome"], known.document["n"])


@unhurried
@given(panels(), st.sampled_from([math.exp, math.atan, lambda x: x**3, lambda x: 7 * x - 2, lambda x: x + 40.5]))
def test_no_growing_function_of_the_scores_changes_rho(sample: Any, function: Any) -> None:
    table, scores = sample
    other = [function(score) for score in scores]
    assert measured(table, other).document["rho"] == measured(table, scores).document["rho"]


@unhurried
@given(panels(), st.integers(-20, 20), st.integers(1, 9))
def test_a_raters_own_scale_changes_no_rho(sample: Any, lift: int, stretch: int) -> None:
    table, scores = sample
    first = [None if grade is None else stretch * grade + lift for grade in table[0]]
    assert measured([first, *table[1:]], scores).document["rho"] == measured(table, scores).document["rho"]


@unhurried
@given(panels(rough=True))
def test_nothing_crashes_it_and_its_document_is_plain_json(sample: Any) -> None:
    found = measured(*sample).document
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["reasons"]
    assert 0 <= found["n"] <= found["graded"]


@unhurried
@given(st.integers(0, 40), GRADES, st.booleans())
def test_constants_never_pass(answers: int, grade: float, of_the_judge: bool) -> None:
    varied = [float(place) for place in range(answers)]
    same = [grade] * answers
    table, scores = ([varied, varied], same) if of_the_judge else ([same, same], varied)
    assert measured(table, scores).document["outcome"] == "insufficient"


@pytest.mark.parametrize("scores", [[NAN] * 40, [None] * 40, [math.inf] * 40, [None] * 3 + list(range(37))])
def test_missing_scores_never_pass(scores: list[Any]) -> None:
    varied = [float(place) for place in range(40)]
    found = measured([varied, varied], scores).document
    assert (found["outcome"], found["reason"]) == ("insufficient", "too_many_missing")


def test_one_rater_never_passes_and_what_was_measured_is_said() -> None:
    varied = [float(place) for place in range(40)]
    found = measured([varied], varied).document
    assert (found["outcome"], found["reason"], found["rho"]) == ("insufficient", "too_few_raters", 1.0)
    assert found["reasons"][0].startswith("One rater cannot show how far experts agree")
    assert found["reasons"][1] == "Agreement of judge and experts is 1.00 on 40 graded answers, and is not judged."


def test_one_case_never_passes() -> None:
    assert measured([[3.0], [4.0]], [0.5]).document["outcome"] == "insufficient"


def test_a_good_judge_passes_with_its_share_of_the_ceiling() -> None:
    ratings, scores = made()
    found = measured(ratings, scores, scale=FIVE, grade_scale=FIVE).document
    assert (found["outcome"], found["coverage"], found["raters"]) == ("pass", 1.0, 3)
    assert found["share_of_ceiling"] == pytest.approx(found["rho"] / found["ceiling"])
    assert "% of the human ceiling" in " ".join(found["reasons"])


def test_coverage_is_the_share_of_graded_answers_with_a_score() -> None:
    ratings, scores = made()
    found = measured(ratings, [None, *scores[1:]], problems=["It hung.", "It hung.", "It broke."]).document
    assert found["coverage"] == pytest.approx(59 / 60)
    assert "1 answer of 60 has no score." in found["reasons"]
    assert "Most often: It hung." in found["reasons"]


def test_a_judge_that_knows_nothing_is_told_that_a_constant_is_as_good() -> None:
    ratings, _ = made()
    found = measured(ratings, np.random.default_rng(3).normal(size=60).tolist()).document
    assert found["baseline"]["map"] >= found["baseline"]["constant"]
    assert any(reason.startswith("Always saying the mean grade is as near") for reason in found["reasons"])


def test_scores_again_give_a_deviation_in_points_of_the_judges_scale() -> None:
    ratings, scores = made()
    again = [[3.0, 3.4]] * 5  # sd 0.4/√2 on a scale of four
    found = measured(ratings, scores, scale=FIVE, rescored=again)
    assert found.rescore_sd == pytest.approx(100 * 0.4 / math.sqrt(2) / 4)
    assert found.document["rescored"] == 5
    assert measured(ratings, scores, rescored=[[3.0, 3.4]]).rescore_sd is None


def test_draws_are_described_in_points_of_the_judges_scale() -> None:
    ratings, scores = made()
    found = measured(ratings, scores, scale=FIVE, draws=[[2.0, 4.0]] * 60).document["self_consistency"]
    assert (found["draws"], found["equal"]) == (2, 0.0)
    assert found["sd"] == pytest.approx(100 * math.sqrt(2) / 4)


def test_answers_to_one_case_are_not_independent() -> None:
    ratings, scores = made()
    plain = measured(ratings, scores).document["ci90"]
    clustered = measured(ratings, scores, clusters=[place // 6 for place in range(60)]).document["ci90"]
    assert clustered != plain


def sides(shift: float = 0.0, count: int = 40) -> tuple[list[float], Side, Side]:
    """Grades, and a judge's scores now and before, that differ by `shift` and a little noise."""
    rng = np.random.default_rng(2)
    grades = rng.normal(size=count)
    before = np.clip(3 + grades + rng.normal(0, 0.4, count), 1, 5)
    new = np.clip(before + shift + rng.normal(0, 0.05, count), 1, 5)
    return grades.tolist(), Side(new.tolist(), FIVE), Side(before.tolist(), FIVE)


def test_a_judge_that_stayed_where_it_was_has_not_moved() -> None:
    found = compare(*sides())
    assert not found.moved
    assert found.proof == ""


@pytest.mark.parametrize("shift", [-0.5, 0.5])
def test_a_shift_in_either_direction_is_one(shift: float) -> None:
    found = compare(*sides(shift), level_of_test=NIGHTLY_LEVEL)
    assert found.shifted
    assert found.proof.startswith("Scores shifted by")


def test_a_shift_of_less_than_a_point_is_none_however_sure() -> None:
    grades, _, before = sides()
    new = Side([min(5.0, score + 0.03) for score in before.scores], FIVE)  # type: ignore[operator]
    found = compare(grades, new, before)
    assert found.level.p_shift is not None
    assert found.level.p_shift < 1e-6
    assert not found.moved


def test_judges_on_different_scales_are_compared_in_points() -> None:
    grades, new, before = sides()
    hundred = Side([25 * (score - 1) for score in new.scores], (0.0, 100.0))  # type: ignore[operator]
    assert compare(grades, hundred, before).level.difference == pytest.approx(
        compare(grades, new, before).level.difference
    )


def test_too_few_common_answers_are_not_compared() -> None:
    found = compare(*sides(-3.0, FEWEST - 1))
    assert not found.moved
    assert found.sentences() == (f"{FEWEST - 1} common answers cannot be compared: {FEWEST} are needed.",)


def test_a_healthy_judge_keeps_its_calibration_through_nearly_every_month_of_nights() -> None:
    rng = np.random.default_rng(11)
    lost = 0
    for _ in range(20):
        grades = rng.normal(size=40)
        before = 3 + grades + rng.normal(0, 0.4, 40)
        nights = [before - 0.1 * rng.normal(size=40) ** 2 + 0.1 for _ in range(30)]
        wide = (-100.0, 100.0)
        lost += any(
            compare(grades, Side(night, wide), Side(before, wide), level_of_test=NIGHTLY_LEVEL).moved
            for night in nights
        )
    assert lost <= 2


def test_anchors_are_spread_over_all() -> None:
    assert evenly(list(range(100)), 4) == [0, 33, 66, 99]
    assert evenly([1, 2], 40) == [1, 2]
    assert evenly(list(range(41)), 40)[0] == 0
    assert len(set(evenly(list(range(41)), 40))) == 40
    assert evenly([], 40) == []
