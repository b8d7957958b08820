"""What the pages of panels say, without a database."""

import pytest

from gates.pages.panels.wording import agreement_words, left_words, levels_of, time_words, workload


@pytest.mark.parametrize(
    ("answers", "raters", "each", "said"),
    [
        (60, 3, 2, "3 raters, 60 answers, 2 grades each: 40 answers a person, about 40 minutes."),
        (1, 1, 1, "1 rater, 1 answer, 1 grade each: 1 answer a person, about 1 minute."),
        (300, 2, 1, "2 raters, 300 answers, 1 grade each: 150 answers a person, about 2.5 hours."),
        (10, 3, 1, "3 raters, 10 answers, 1 grade each: 4 answers a person, about 4 minutes."),
        (10, 1, 2, "1 rater, 10 answers, 2 grades each: an answer cannot get more grades than there are raters."),
        (10, 0, 2, "10 answers, and nobody yet to grade them: choose raters."),
        (0, 3, 2, "Nothing to grade yet: choose where the answers come from."),
    ],
)
def test_how_much_work_a_panel_is(answers: int, raters: int, each: int, said: str) -> None:
    assert workload(answers, raters, each) == said


@pytest.mark.parametrize(
    ("alpha", "said"),
    [
        (0.81, "Your experts agree well: α 0.81."),
        (0.8, "Your experts agree well: α 0.80."),
        (0.667, "Your experts agree well enough to calibrate a judge: α 0.67."),
        (0.5, "Your experts agree too little to calibrate a judge here: α 0.50, and it takes 0.667."),
        (None, "How far your experts agree cannot be said: too few answers have grades of two of them."),
    ],
)
def test_how_well_experts_agree(alpha: float | None, said: str) -> None:
    assert agreement_words(alpha) == said


def test_a_scale_of_five_has_buttons_with_words_at_its_ends_and_one_of_a_hundred_has_none() -> None:
    assert [(level.value, level.key, level.word) for level in levels_of([1.0, 5.0])] == [
        (1, "1", "worst"),
        (2, "2", ""),
        (3, "3", ""),
        (4, "4", ""),
        (5, "5", "best"),
    ]
    assert levels_of([0, 100]) == []


def test_what_is_left_is_said_and_the_last_one_too() -> None:
    assert (left_words(1204), left_words(0)) == ("1,204 left.", "That was the last one.")
    assert (time_words(60), time_words(61)) == ("about 60 minutes", "about 1.0 hours")
