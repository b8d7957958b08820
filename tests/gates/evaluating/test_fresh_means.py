"""Fresh scores of a flagged case: pair by pair, of several answers their mean, and what is missing for neither side."""

from gates.evaluating.flagging import fresh_means
from gates.run_models import EvaluatedCase


def row(new: dict[str, float | None] | None, old: dict[str, float | None] | None) -> EvaluatedCase:
    return EvaluatedCase(rescores=new, previous_rescores=old)


def test_without_fresh_scores_there_are_no_means() -> None:
    assert fresh_means(row(None, None)) == ([], [])


def test_each_time_is_a_pair() -> None:
    found = fresh_means(row({"0:0": 0.25, "1:0": 0.5}, {"1:0": 1.0, "0:0": 0.75}))
    assert found == ([0.25, 0.5], [0.75, 1.0])


def test_several_answers_are_one_mean() -> None:
    assert fresh_means(row({"0:0": 0.25, "0:1": 0.75}, {"0:0": 1.0})) == ([0.5], [1.0])


def test_a_time_at_which_one_side_has_no_score_is_left_out_for_both() -> None:
    found = fresh_means(row({"0:0": None, "1:0": 0.5, "2:0": 0.5}, {"0:0": 1.0, "1:0": None, "2:0": 0.25}))
    assert found == ([0.5], [0.25])


def test_an_answer_that_has_no_score_at_a_time_leaves_that_time_out() -> None:
    assert fresh_means(row({"0:0": 0.25, "0:1": None, "1:0": 0.5, "1:1": 0.5}, {"0:0": 1.0, "1:0": 1.0})) == (
        [0.5],
        [1.0],
    )


def test_a_time_that_only_one_side_has_is_left_out() -> None:
    assert fresh_means(row({"0:0": 0.25, "1:0": 0.5}, {"0:0": 1.0})) == ([0.25], [1.0])
