"""Dates that no calendar has are found; numbers beside a month's name that are no dates are left alone."""

import pytest

from gates.rule_judge.impossible_dates import impossible_dates
from relcontrol.demo_models.wording import DATES, IMPOSSIBLE_DATES

IMPOSSIBLE = (
    *IMPOSSIBLE_DATES,
    "The next step is due on Thursday March 32nd.",
    "due on 31 June.",
    "June 31st",
    "between June 31 and July 5",
    "the 31st of April",
    "Feb. 30th",
    "29 February 2025",
    "February 29, 2025",
    "on September 31, 2024,",
    "Monday, March 13, 2025",
    "2025-02-30",
    "31.06.2025",
    "02/30/2025",
    "32/01/2025",
    "31. Juni",
    "den 31. September",
    "30 février 2025",
    "lundi 31 avril",
)
POSSIBLE = (
    *DATES,
    "29 February 2024",
    "February 29",
    "Thursday, March 13, 2025",
    "Sun 30 March 2025",
    "Saturday, 14 March 2026",
    "2025-12-31",
    "The 2024-02-29 deadline",
    "2020-45-12",
    "30.06.2025",
    "version 1.13.2025",
    "12/31/2025",
    "31/12/2025",
    "9/11/2001",
    "June 2025",
    "the 31 March deadline",
    "May 32 pages be filed?",
    "you may 31 times",
    "31 may be enough; 40 may apply",
    "In June 45 people came",
    "in April 31 cases were filed",
    "45 March filings",
    "the 40 June 2024 filings",
    "By June 30, 2000 units are due",
    "Section 31 June 2020",
    "Section 30 February",
    "§ 31 June",
    "page 31 June",
    "the March 32nd anniversary",
    "we march 35 km",
    "There is no such date as February 30th.",
    "February 30th does not exist.",
)


@pytest.mark.parametrize("text", IMPOSSIBLE)
def test_a_date_that_no_calendar_has_is_found(text: str) -> None:
    assert impossible_dates(text)


@pytest.mark.parametrize("text", POSSIBLE)
def test_what_is_a_date_or_none_at_all_is_left_alone(text: str) -> None:
    assert impossible_dates(text) == []


def test_the_reason_says_what_the_calendar_has() -> None:
    found = impossible_dates("It is due on 29 February 2025, and Monday, March 13, 2025, and June 31st.")
    assert [each.reason for each in found] == [
        "2025 was no leap year: its February has 28 days.",
        "13 March 2025 is a Thursday, no Monday.",
        "June has 30 days.",
    ]


def test_a_date_that_the_question_names_is_not_held_against_the_answer() -> None:
    assert impossible_dates("On February  30th the lease ends.", "Does it end on february 30th?") == []


def test_another_impossible_date_is_still_found() -> None:
    (found,) = impossible_dates("Not on February 30th but on April 31st.", "Does it end on February 30th?")
    assert found.text == "April 31st"


def test_what_is_said_of_one_sentence_does_not_excuse_the_next() -> None:
    (found,) = impossible_dates("The clause is invalid. It ended on June 31st. That is not valid.")
    assert found.text == "June 31st"
